//! Comparison of the document that poem-openapi emits for the generated server with the original.

mod types;

use std::{collections::HashSet, fmt};

use crate::{
    Diagnostic, Document, api,
    api::{Access, Api, Body, Operation, Outcome, Payload},
    normalize::normalize,
    source::Source,
    types::TypeId,
};

/// A place where the document and the generated server say different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place: an operation, and what of it.
    pub place: String,
    /// Value in the document, if there is one.
    pub document: Option<String>,
    /// Value in the document that the server emits, if there is one.
    pub server: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = "nothing";
        let document = self.document.as_deref().unwrap_or(nothing);
        let server = self.server.as_deref().unwrap_or(nothing);
        write!(
            formatter,
            "{}: the document says {document}, the server {server}",
            self.place
        )
    }
}

/// Compares the document with the one that poem-openapi emits for the server generated from it.
/// Without differences, the generated code says what the document says.
///
/// Both are read into the same model, so that it does not matter which of several ways to write a
/// thing a document uses. Descriptions and other texts for readers, and the limits of values are
/// not compared, since the server's code does not have them: the check of every request in front of
/// it enforces the limits.
///
/// `emitted` is the text of `OpenApiService::spec`.
///
/// # Errors
///
/// `emitted` is not an OpenAPI document.
pub fn differences(document: &Document, emitted: &str) -> Result<Vec<Difference>, Vec<Diagnostic>> {
    let mut source = Source::parse("the server", emitted)?;
    normalize(&mut source.value);
    let (server, diagnostics) = api::read(&source);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let mut comparison = Comparison {
        document: &document.api,
        server: &server,
        equal: HashSet::new(),
        found: Vec::new(),
    };
    comparison.apis();
    Ok(comparison.found)
}

struct Comparison<'a> {
    document: &'a Api,
    server: &'a Api,
    /// The types that are equal, or are being compared.
    equal: HashSet<(TypeId, TypeId)>,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    fn apis(&mut self) {
        let (document, server) = (self.document, self.server);
        self.texts("info/title", &document.title, &server.title);
        self.texts("info/version", &document.version, &server.version);
        let id = |operation: &'a Operation| (operation.id.clone(), operation);
        let pairs = pair(
            document.operations.iter().map(id),
            server.operations.iter().map(id),
        );
        for (name, left, right) in pairs {
            match (left, right) {
                (Some(left), Some(right)) => self.operations(&name, left, right),
                (left, right) => self.differ(&name, left.map(route), right.map(route)),
            }
        }
        let scheme = |scheme: &'a api::Scheme| (scheme.wire.clone(), scheme);
        let used = |api: &'a Api| {
            let used = api
                .operations
                .iter()
                .flat_map(|operation| &operation.scopes);
            let used: Vec<usize> = used.map(|(scheme, _)| *scheme).collect();
            let schemes = api.schemes.iter().enumerate();
            schemes
                .filter(move |(id, _)| used.contains(id))
                .map(|(_, it)| it)
                .map(scheme)
        };
        for (name, left, right) in pair(used(document), used(server)) {
            let say = |it: &'a api::Scheme| kind_of_scheme(&it.kind);
            let (left, right) = (left.map(say), right.map(say));
            if left != right {
                self.differ(&format!("security scheme {name}"), left, right);
            }
        }
    }

    fn operations(&mut self, name: &str, left: &'a Operation, right: &'a Operation) {
        self.texts(&format!("{name}, path"), &route(left), &route(right));
        let tag = |api: &'a Api, it: &Operation| api.tags[it.tag].name.as_str();
        self.texts(
            &format!("{name}, tag"),
            tag(self.document, left),
            tag(self.server, right),
        );
        let deprecated = |it: &Operation| it.deprecated.to_string();
        self.texts(
            &format!("{name}, deprecated"),
            &deprecated(left),
            &deprecated(right),
        );
        let (access, served) = (security(self.document, left), security(self.server, right));
        self.texts(&format!("{name}, security"), &access, &served);
        let parameter = |it: &'a api::Parameter| (format!("{} {}", it.place.word(), it.wire), it);
        let pairs = pair(
            left.parameters.iter().map(parameter),
            right.parameters.iter().map(parameter),
        );
        for (parameter, left, right) in pairs {
            let place = format!("{name}, parameter {parameter}");
            match (left, right) {
                (Some(left), Some(right)) => {
                    let say = |it: &api::Parameter| {
                        let style = it
                            .style
                            .as_deref()
                            .filter(|it| *it != "form" && *it != "simple");
                        format!(
                            "required: {}, style: {style:?}, explode: {:?}",
                            it.required,
                            exploded(it)
                        )
                    };
                    self.texts(&place, &say(left), &say(right));
                    self.types(&place, &left.kind, &right.kind);
                }
                (left, right) => {
                    let say = |it: &api::Parameter| it.wire.clone();
                    self.differ(&place, left.map(say), right.map(say));
                }
            }
        }
        self.bodies(name, left.body.as_ref(), right.body.as_ref());
        let outcomes = |api: &'a Api, it: &'a Operation| {
            let successes = it.outcomes.successes.outcomes.iter();
            successes
                .chain(api.failures(it))
                .map(|outcome| (key(outcome), outcome))
                .collect::<Vec<_>>()
        };
        let pairs = pair(
            outcomes(self.document, left).into_iter(),
            outcomes(self.server, right).into_iter(),
        );
        for (key, left, right) in pairs {
            let place = format!("{name}, reply {key}");
            match (left, right) {
                (Some(left), Some(right)) => self.outcomes(&place, left, right),
                (left, right) => {
                    let say = |_: &Outcome| key.clone();
                    self.differ(&place, left.map(say), right.map(say));
                }
            }
        }
    }

    fn bodies(&mut self, name: &str, left: Option<&'a Body>, right: Option<&'a Body>) {
        let (Some(left), Some(right)) = (left, right) else {
            let say = |_: &Body| "a body".to_owned();
            if left.is_some() != right.is_some() {
                self.differ(&format!("{name}, body"), left.map(say), right.map(say));
            }
            return;
        };
        let required = |it: &Body| format!("required: {}", it.required);
        self.texts(&format!("{name}, body"), &required(left), &required(right));
        let content = |it: &'a api::Content| (it.media_type.clone(), &it.payload);
        let pairs = pair(
            left.contents.iter().map(content),
            right.contents.iter().map(content),
        );
        for (media_type, left, right) in pairs {
            self.payloads(&format!("{name}, body {media_type}"), left, right);
        }
    }

    fn outcomes(&mut self, place: &str, left: &'a Outcome, right: &'a Outcome) {
        let payload = |it: &'a Outcome| it.content.as_ref().map(|(_, payload)| payload);
        self.payloads(place, payload(left), payload(right));
        let header = |it: &'a api::Header| (it.wire.to_ascii_lowercase(), it);
        for (name, left, right) in pair(
            left.headers.iter().map(header),
            right.headers.iter().map(header),
        ) {
            let place = format!("{place}, header {name}");
            let say = |it: &api::Header| format!("required: {}", it.required);
            let (said, served) = (left.map(say), right.map(say));
            if said != served {
                self.differ(&place, said, served);
            }
            if let (Some(left), Some(right)) = (left, right) {
                self.types(&place, &left.kind, &right.kind);
            }
        }
    }

    fn payloads(&mut self, place: &str, left: Option<&'a Payload>, right: Option<&'a Payload>) {
        match (left, right) {
            (Some(left), Some(right)) => match (left.value(), right.value()) {
                (Some(left), Some(right)) => self.types(place, left, right),
                _ if left == right => {}
                _ => self.differ(place, Some(format!("{left:?}")), Some(format!("{right:?}"))),
            },
            (None, None) => {}
            (left, right) => {
                let say = |it: &Payload| format!("{it:?}");
                self.differ(place, left.map(say), right.map(say));
            }
        }
    }

    fn texts(&mut self, place: &str, left: &str, right: &str) {
        if left != right {
            self.differ(place, Some(left.to_owned()), Some(right.to_owned()));
        }
    }

    fn differ(&mut self, place: &str, document: Option<String>, server: Option<String>) {
        self.found.push(Difference {
            place: place.to_owned(),
            document,
            server,
        });
    }
}

/// Pairs the entries of the same name, in the order of the left side. Entries of the right
/// side alone come last.
fn pair<T: Copy>(
    left: impl Iterator<Item = (String, T)>,
    right: impl Iterator<Item = (String, T)>,
) -> Vec<(String, Option<T>, Option<T>)> {
    let mut right: Vec<(String, T)> = right.collect();
    let mut pairs = Vec::new();
    for (name, value) in left {
        let other = right.iter().position(|(known, _)| *known == name);
        let other = other.map(|other| right.swap_remove(other).1);
        pairs.push((name, Some(value), other));
    }
    pairs.extend(
        right
            .into_iter()
            .map(|(name, value)| (name, None, Some(value))),
    );
    pairs
}

fn route(operation: &Operation) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}

fn key(outcome: &Outcome) -> String {
    let media_type = outcome
        .content
        .as_ref()
        .map(|(media_type, _)| media_type.as_str());
    format!(
        "{} {}",
        outcome.answer.key(),
        media_type.unwrap_or_default()
    )
}

/// Returns true if each of several values is written separately.
fn exploded(parameter: &api::Parameter) -> bool {
    let is_apart = matches!(parameter.place, api::Place::Query | api::Place::Cookie);
    let is_usual = matches!(parameter.style.as_deref(), None | Some("form"));
    parameter.explode.unwrap_or(is_apart && is_usual)
}

/// The alternatives of an operation's security, in an order that means nothing.
fn security(api: &Api, operation: &Operation) -> String {
    let alternatives = operation.access.credential();
    let alternatives = alternatives.map(|set| api.credentials[set].alternatives.as_slice());
    let say = |alternative: &api::Alternative| {
        let mut schemes: Vec<String> = alternative
            .schemes
            .iter()
            .map(|scheme| {
                let scopes = operation.scopes.iter().find(|(of, _)| of == scheme);
                let scopes = scopes
                    .map(|(_, scopes)| scopes.join(" "))
                    .unwrap_or_default();
                format!("{}({scopes})", api.schemes[*scheme].wire)
            })
            .collect();
        schemes.sort();
        schemes.join(" and ")
    };
    let mut said: Vec<String> = alternatives.unwrap_or_default().iter().map(say).collect();
    if matches!(operation.access, Access::Optional(_)) {
        said.push("none".to_owned());
    }
    said.sort();
    said.join(" or ")
}

fn kind_of_scheme(kind: &api::Kind) -> String {
    match kind {
        api::Kind::Key { place, name } => format!("the key {name} in {place}"),
        api::Kind::Basic => "basic".to_owned(),
        api::Kind::Bearer { format } => format!("bearer {}", format.as_deref().unwrap_or_default()),
        // The URLs of its flows are information for readers.
        api::Kind::OAuth2 => "oauth2".to_owned(),
        api::Kind::OpenIdConnect(url) => format!("openIdConnect {url}"),
    }
}
