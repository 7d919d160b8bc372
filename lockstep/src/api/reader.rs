//! A document in its normal form -> its operations, and what of it cannot be taken.

use std::collections::{BTreeSet, HashMap};

use heck::ToUpperCamelCase;
use http::{HeaderName, StatusCode};
use proc_macro2::Ident;
use serde_json::Value;

use super::{
    Access, Alternative, Answer, Api, Body, Content, Credential, Group, Kind, Operation, Outcome,
    Outcomes, Parameter, Payload, Place, Scheme, Tag, outcomes::Header,
};
use crate::{
    Refusal,
    names::{Scope, ident},
    pointers::{self, METHODS, body_credential, join, last, members},
    source::Source,
    types::{Type, TypeReader, described},
};

/// Names that the generated server uses itself, so that nothing of a document gets them.
const SERVER: [&str; 30] = [
    "Arc",
    "Authenticate",
    "Box",
    "Default",
    "Described",
    "Err",
    "Failure",
    "From",
    "Future",
    "Given",
    "Into",
    "IntoResponse",
    "None",
    "Ok",
    "Option",
    "Presented",
    "Reject",
    "Rejection",
    "Reply",
    "Request",
    "Response",
    "Result",
    "Routes",
    "Secret",
    "Send",
    "Some",
    "String",
    "Sync",
    "T",
    "Vec",
];
/// Names that the generated server uses itself before `::` or as types, so that no module gets them.
const MODULES: [&str; 28] = [
    "described",
    "schemas",
    "types",
    "openapi_lockstep_runtime",
    "poem",
    "poem_openapi",
    "serde",
    "serde_json",
    "std",
    "core",
    "alloc",
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "isize",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "uuid",
    "chrono",
];
/// Names of what the methods of a server's traits get besides the parameters, so that no parameter
/// has them.
const ARGUMENTS: [&str; 7] = [
    "self",
    "request",
    "principal",
    "credential",
    "body",
    "parameters",
    "status",
];

/// Why a name is none of a header or cookie.
const NO_TOKEN: &str =
    "the name of a header or cookie has letters, digits and !#$%&'*+-.^_`|~ only";

/// Reads the operations of a document.
pub(crate) fn read(source: &Source) -> (Api, Vec<Refusal>) {
    let mut reader = Reader {
        source,
        types: TypeReader::new(&source.value),
        scope: Scope::new(SERVER),
        methods: Scope::new([
            "authenticate",
            "described",
            "problem",
            "reject",
            "routes",
            "spec",
            "types",
            "with_shared_failures",
        ]),
        modules: Scope::new(MODULES),
        refusals: Vec::new(),
        schemes: Vec::new(),
        credentials: Vec::new(),
    };
    let mut api = reader.api();
    let (types, wrong) = reader.types.finish();
    api.types = types;
    let mut refusals = reader.refusals;
    refusals.extend(
        wrong
            .iter()
            .map(|(pointer, reason)| source.refusal(pointer, reason)),
    );
    (api, refusals)
}

struct Reader<'a> {
    source: &'a Source,
    types: TypeReader<'a>,
    /// The identifiers of the server's traits and enums.
    scope: Scope,
    methods: Scope,
    /// The server's modules, beside its crates and the primitive types.
    modules: Scope,
    refusals: Vec<Refusal>,
    schemes: Vec<Scheme>,
    credentials: Vec<Credential>,
}

impl<'a> Reader<'a> {
    fn api(&mut self) -> Api {
        self.types.components();
        let tags: Vec<Tag> = self
            .members("/tags")
            .iter()
            .map(|it| self.tag(it))
            .collect();
        self.security_schemes();
        let says_something = ["/paths", "/components"]
            .iter()
            .any(|it| self.source.at(it).is_some());
        if !says_something {
            self.refuse("/paths", "has no path to serve");
        }
        let mut shapes = HashMap::new();
        let mut ids = HashMap::new();
        let mut operations = Vec::new();
        for path in self.members("/paths") {
            self.path(&path);
            if let Some(other) = shapes.insert(shape(&last(&path)), path.clone()) {
                self.refuse(&path, format!("is the same path as {other}"));
            }
            for method in METHODS {
                let pointer = join(&path, method);
                if self.source.at(&pointer).is_none() {
                    continue;
                }
                let operation = self.operation(pointer.clone(), &path, method, &tags);
                if let Some(other) = ids.insert(operation.id.clone(), pointer.clone()) {
                    let place = join(&pointer, "operationId");
                    self.refuse(&place, format!("is the operationId of {other} too"));
                }
                operations.push(operation);
            }
        }
        let shared = share(&mut operations, ident("Failure"));
        Api {
            title: self.text("/info/title"),
            version: self.text("/info/version"),
            tags,
            types: Vec::new(),
            schemes: std::mem::take(&mut self.schemes),
            credentials: std::mem::take(&mut self.credentials),
            operations,
            shared,
        }
    }

    fn tag(&mut self, pointer: &str) -> Tag {
        let name = self.text(&join(pointer, "name"));
        Tag {
            description: self.text(&join(pointer, "description")),
            module: self.modules.lower(&name),
            api: self.scope.upper(&format!("{name} api")),
            name,
        }
    }

    fn path(&mut self, pointer: &str) {
        let path = last(pointer);
        if !path.starts_with('/') {
            self.refuse(pointer, "a path begins with /");
        }
        if path.contains(['?', '#', '\\']) || path.contains(char::is_control) {
            self.refuse(
                pointer,
                "no request has a path with ?, #, \\ or a control character: write a query as parameters",
            );
        }
        if placeholders(&path).is_none() {
            self.refuse(
                pointer,
                "the braces of a parameter open and close within a segment, and no two parameters touch",
            );
        }
    }

    fn operation(&mut self, pointer: String, path: &str, method: &str, tags: &[Tag]) -> Operation {
        let id = self.text(&join(&pointer, "operationId"));
        let upper = self.scope.upper(&id);
        let lower = self.methods.lower(&id);
        let tag = self.text(&join(&join(&pointer, "tags"), "0"));
        let tag = tags
            .iter()
            .position(|it| it.name == tag)
            .unwrap_or_default();
        let parameters = self.parameters(&pointer, &last(path), &id);
        let arguments =
            (parameters.len() > 1).then(|| self.scope.upper(&format!("{id} parameters")));
        let (access, scopes) = self.access(&pointer);
        let body = self.body(&join(&pointer, "requestBody"), &id, access);
        let outcomes = self.outcomes(&pointer, &id);
        Operation {
            upper,
            lower,
            tag,
            method: method.to_owned(),
            path: last(path),
            summary: self.text(&join(&pointer, "summary")),
            description: self.text(&join(&pointer, "description")),
            deprecated: self.is_true(&join(&pointer, "deprecated")),
            parameters,
            arguments,
            body,
            access,
            scopes,
            outcomes,
            id,
            pointer,
        }
    }

    fn parameters(&mut self, operation: &str, path: &str, id: &str) -> Vec<Parameter> {
        let mut scope = Scope::new(ARGUMENTS);
        let mut parameters = Vec::<Parameter>::new();
        for pointer in self.members(&join(operation, "parameters")) {
            if let Some(parameter) = self.parameter(&pointer, id, &mut scope) {
                let is_same =
                    |it: &Parameter| it.place == parameter.place && it.wire == parameter.wire;
                match parameters.iter().any(is_same) {
                    true => self.refuse(&pointer, "is a parameter twice"),
                    false => parameters.push(parameter),
                }
            }
        }
        let named = placeholders(path).unwrap_or_default();
        for parameter in &parameters {
            if parameter.place == Place::Path && !named.contains(&parameter.wire) {
                self.refuse(&parameter.pointer, "is not in the path");
            }
        }
        for name in &named {
            let is_it = |it: &Parameter| it.place == Place::Path && it.wire == *name;
            if !parameters.iter().any(is_it) {
                self.refuse(
                    operation,
                    format!("has no parameter for {{{name}}} of its path"),
                );
            }
        }
        // In the order of the path, and then as they are written.
        let position = |it: &Parameter| match it.place {
            Place::Path => named.iter().position(|name| *name == it.wire),
            _ => None,
        };
        parameters.sort_by_key(|it| position(it).unwrap_or(usize::MAX));
        parameters
    }

    fn parameter(&mut self, pointer: &str, id: &str, scope: &mut Scope) -> Option<Parameter> {
        if let Some(reference) = self.source.at(&join(pointer, "$ref")) {
            let reason = format!("refers to {reference}, which is nothing in the document");
            self.refuse(pointer, reason);
            return None;
        }
        let wire = self.text(&join(pointer, "name"));
        let place = match self.text(&join(pointer, "in")).as_str() {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            "cookie" => Place::Cookie,
            _ => {
                self.refuse(pointer, "a parameter is in path, query, header or cookie");
                return None;
            }
        };
        if place == Place::Header {
            // OpenAPI 3.1, 4.8.12: these are said elsewhere, and ignored as parameters.
            let said = ["accept", "content-type", "authorization"];
            if said.iter().any(|name| wire.eq_ignore_ascii_case(name)) {
                return None;
            }
        }
        let is_token = HeaderName::try_from(wire.as_str()).is_ok();
        if matches!(place, Place::Header | Place::Cookie) && !is_token {
            let name = join(pointer, "name");
            self.refuse(&name, NO_TOKEN);
        }
        let required = self.is_true(&join(pointer, "required"));
        if place == Place::Path && !required {
            self.refuse(
                pointer,
                "a parameter in the path is required: write required: true",
            );
        }
        let schema = join(pointer, "schema");
        if self.source.at(&schema).is_none() {
            let content = join(pointer, "content");
            let reason = match self.source.at(&content) {
                Some(_) => "a parameter has a schema here, no content",
                None => "has no schema",
            };
            self.refuse(pointer, reason);
            return None;
        }
        let kind = match self.types.at(&schema, &format!("{id} {wire}")) {
            // There is no null in a URL, a header or a cookie.
            Type::Nullable(kind) => *kind,
            kind => kind,
        };
        let has_default = self.source.at(&join(&schema, "default")).is_some();
        let style = self
            .source
            .at(&join(pointer, "style"))
            .and_then(Value::as_str);
        let explode = self
            .source
            .at(&join(pointer, "explode"))
            .and_then(Value::as_bool);
        self.style(pointer, place, style);
        let meant = pointers::resolve(&self.source.value, &schema, "schemas");
        let meant = self.source.at(&meant).unwrap_or(&Value::Null);
        let own = self.text(&join(pointer, "description"));
        let mut said = meant.clone();
        if let (Value::Object(said), false) = (&mut said, own.is_empty()) {
            said.insert("description".to_owned(), Value::String(own));
        }
        Some(Parameter {
            pointer: pointer.to_owned(),
            name: scope.lower(&wire),
            wire,
            place,
            description: described(&said),
            deprecated: self.is_true(&join(pointer, "deprecated")) || meant["deprecated"] == true,
            required,
            has_default,
            style: style.map(str::to_owned),
            explode,
            kind,
        })
    }

    /// Refuses a style that the place does not have, or that no reader tells from another.
    fn style(&mut self, pointer: &str, place: Place, style: Option<&str>) {
        let known: &[&str] = match place {
            Place::Path => &["simple", "label", "matrix"],
            Place::Header => &["simple"],
            Place::Query => &["form", "spaceDelimited", "pipeDelimited", "deepObject"],
            Place::Cookie => &["form"],
        };
        if let Some(style) = style
            && !known.contains(&style)
        {
            let known = known.join(", ");
            self.refuse(
                &join(pointer, "style"),
                format!("{style} is not supported here, where there are: {known}"),
            );
        }
    }

    fn body(&mut self, pointer: &str, id: &str, access: Access) -> Option<Body> {
        self.source.at(pointer)?;
        let place = self.follow(pointer, "requestBodies")?;
        let contents = self.contents(&place, &format!("{id} body"));
        if contents.is_empty() {
            self.refuse(pointer, "has no media type");
            return None;
        }
        for (content, at) in contents.iter().zip(self.members(&join(&place, "content"))) {
            if matches!(content.payload, Payload::Form(_) | Payload::Multipart(_))
                && !content
                    .payload
                    .value()
                    .is_some_and(|kind| self.types.is_record(kind))
            {
                self.refuse(&at, "a form is an object: its schema names members");
            }
        }
        let first = contents[0].payload.value();
        let is_one = contents.len() == 1
            || first.is_some() && contents.iter().all(|it| it.payload.value() == first);
        let schemas = pointers::content_schemas(&self.source.value, &place);
        let is_read = access == Access::Public
            || !schemas
                .iter()
                .all(|schema| self.is_credential_alone(schema));
        Some(Body {
            required: self.is_true(&join(&place, "required")),
            is_read,
            choice: (!is_one).then(|| self.scope.upper(&format!("{id} body"))),
            contents,
        })
    }

    /// Tells whether a body carries nothing besides a credential.
    fn is_credential_alone(&self, schema: &str) -> bool {
        let properties = self.members(&join(schema, "properties"));
        let credential = body_credential(&self.source.value, schema);
        credential.is_some() && properties.len() == 1
    }

    fn contents(&mut self, pointer: &str, name: &str) -> Vec<Content> {
        let (mut contents, mut scope) = (Vec::new(), Scope::default());
        for content in self.members(&join(pointer, "content")) {
            let media_type = last(&content);
            let essence = essence(&media_type);
            let is_media_type = essence.split_once('/').is_some_and(|(kind, subtype)| {
                !kind.is_empty()
                    && !subtype.is_empty()
                    && essence.bytes().all(|byte| byte.is_ascii_graphic())
            });
            if !is_media_type {
                self.refuse(&content, "is no media type");
                continue;
            }
            contents.push(Content {
                name: scope.upper(&variant(&essence)),
                payload: self.payload(&content, &essence, name),
                media_type,
            });
        }
        contents
    }

    fn payload(&mut self, pointer: &str, essence: &str, name: &str) -> Payload {
        let schema = join(pointer, "schema");
        let kind = |reader: &mut Self| match reader.source.at(&schema) {
            Some(_) => reader.types.at(&schema, name),
            None => Type::Any(None),
        };
        match essence {
            "application/json" | "text/json" => Payload::Json(kind(self)),
            essence if essence.ends_with("+json") => Payload::Json(kind(self)),
            "application/x-www-form-urlencoded" => Payload::Form(kind(self)),
            "multipart/form-data" => Payload::Multipart(kind(self)),
            "text/event-stream" => Payload::Bytes,
            essence if essence.starts_with("text/") => Payload::Text,
            _ => Payload::Bytes,
        }
    }

    fn outcomes(&mut self, operation: &str, id: &str) -> Outcomes {
        let (mut successes, mut failures) = (Vec::new(), Vec::new());
        let mut scopes = [
            Scope::new(["Failure", "Rejection"]),
            Scope::new(["Failure", "Rejection"]),
        ];
        let responses = self.members(&join(operation, "responses"));
        let answers: Vec<(String, Answer)> = responses
            .into_iter()
            .filter(|response| !last(response).starts_with("x-"))
            .filter_map(|response| match answer(&last(&response)) {
                Some(answer) => Some((response, answer)),
                None => {
                    self.refuse(
                        &response,
                        "is no status: write one such as 200, or 2XX, or default",
                    );
                    None
                }
            })
            .collect();
        let is_success = |answer| match answer {
            Answer::Status(status) => status < 400,
            Answer::Range(hundred) => hundred < 4,
            Answer::Default => false,
        };
        let succeeds = answers.iter().any(|(_, answer)| is_success(*answer));
        for (response, answer) in answers {
            if is_success(answer) {
                successes.extend(self.response(&response, answer, id, &mut scopes[1]));
                continue;
            }
            // What is said of all statuses is said of successes too where nothing else is.
            if answer == Answer::Default && !succeeds {
                successes.extend(self.response(&response, answer, id, &mut scopes[1]));
            }
            failures.extend(self.response(&response, answer, id, &mut scopes[0]));
        }
        if successes.is_empty() {
            // Only failures are documented: it succeeds without a word.
            successes.push(Outcome {
                pointer: join(operation, "responses"),
                name: scopes[1].upper("no content"),
                answer: Answer::Status(204),
                description: String::new(),
                headers: Vec::new(),
                content: None,
            });
        }
        Outcomes {
            successes: Group {
                name: self.scope.upper(&format!("{id} reply")),
                outcomes: successes,
            },
            failures: Group {
                name: self.scope.upper(&format!("{id} failure")),
                outcomes: failures,
            },
        }
    }

    /// A response: an outcome for each of its media types.
    fn response(
        &mut self,
        pointer: &str,
        answer: Answer,
        id: &str,
        scope: &mut Scope,
    ) -> Vec<Outcome> {
        let Some(place) = self.follow(pointer, "responses") else {
            return Vec::new();
        };
        let status = status_name(answer);
        let name = match place == *pointer {
            true => format!("{id} {status}"),
            false => last(&place),
        };
        let description = self.text(&join(&place, "description"));
        let headers = self.headers(&place, &name);
        let contents = self.contents(&place, &name);
        let without_body = matches!(answer, Answer::Status(100..=199 | 204 | 205 | 304));
        if without_body && !contents.is_empty() {
            self.refuse(
                pointer,
                format!("a reply with the status {} has no body", answer.key()),
            );
        }
        let outcome = |name: Ident, content| Outcome {
            pointer: pointer.to_owned(),
            name,
            answer,
            description: description.clone(),
            headers: headers.clone(),
            content,
        };
        match contents.as_slice() {
            [] => vec![outcome(scope.upper(&status), None)],
            [only] => {
                let content = (only.media_type.clone(), only.payload.clone());
                vec![outcome(scope.upper(&status), Some(content))]
            }
            several => several
                .iter()
                .map(|it| {
                    let name = scope.upper(&format!("{status} {}", it.name));
                    outcome(name, Some((it.media_type.clone(), it.payload.clone())))
                })
                .collect(),
        }
    }

    fn headers(&mut self, response: &str, name: &str) -> Vec<Header> {
        let mut scope = Scope::new(["body", "status", "code", "detail", "errors"]);
        let mut headers = Vec::new();
        for pointer in self.members(&join(response, "headers")) {
            let wire = last(&pointer);
            if HeaderName::try_from(wire.as_str()).is_err() {
                self.refuse(&pointer, "is no name of a header");
                continue;
            }
            // OpenAPI 3.1, 4.8.17: it is said by the content.
            if wire.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let schema = join(&pointer, "schema");
            let kind = match self.source.at(&schema) {
                Some(_) => self.types.at(&schema, &format!("{name} {wire}")),
                None => Type::Text,
            };
            headers.push(Header {
                name: scope.lower(&wire),
                description: self.text(&join(&pointer, "description")),
                required: self.is_true(&join(&pointer, "required")),
                wire,
                kind,
            });
        }
        headers
    }

    fn security_schemes(&mut self) {
        for pointer in self.members("/components/securitySchemes") {
            let Some(kind) = self.scheme_kind(&pointer) else {
                continue;
            };
            let wire = last(&pointer);
            self.schemes.push(Scheme {
                name: self.scope.upper(&wire),
                description: self.text(&join(&pointer, "description")),
                wire,
                kind,
            });
        }
    }

    fn scheme_kind(&mut self, pointer: &str) -> Option<Kind> {
        let text = |name: &str| self.text(&join(pointer, name));
        match (text("type").as_str(), text("scheme").as_str()) {
            ("apiKey", _) => {
                let name = text("name");
                let place = match text("in").as_str() {
                    "header" => "header",
                    "query" => "query",
                    "cookie" => "cookie",
                    _ => "",
                };
                // RFC 6265 has a token for the name of a cookie, as the name of a header is one.
                let is_token = HeaderName::try_from(name.as_str()).is_ok();
                if place != "query" && !is_token {
                    self.refuse(&join(pointer, "name"), NO_TOKEN);
                }
                (!place.is_empty()).then_some(Kind::Key { place, name })
            }
            ("http", "basic") => Some(Kind::Basic),
            ("http", "bearer") => {
                let format = text("bearerFormat");
                Some(Kind::Bearer {
                    format: (!format.is_empty()).then_some(format),
                })
            }
            ("oauth2", _) => Some(Kind::OAuth2),
            ("openIdConnect", _) => Some(Kind::OpenIdConnect(text("openIdConnectUrl"))),
            _ => None,
        }
    }

    fn access(&mut self, operation: &str) -> (Access, Vec<(usize, Vec<String>)>) {
        let own = join(operation, "security");
        let pointer = match self.source.at(&own) {
            Some(_) => own,
            None => "/security".to_owned(),
        };
        let mut optional = false;
        let mut scopes = Vec::new();
        let mut alternatives = Vec::<Alternative>::new();
        for requirement in self.members(&pointer) {
            let mut schemes = Vec::new();
            for named in self.members(&requirement) {
                let wire = last(&named);
                let named_scopes = self.source.at(&named).and_then(Value::as_array);
                let named_scopes = named_scopes.into_iter().flatten().filter_map(Value::as_str);
                match self.schemes.iter().position(|scheme| scheme.wire == wire) {
                    Some(scheme) => {
                        scopes.push((scheme, named_scopes.map(str::to_owned).collect()));
                        schemes.push(scheme);
                    }
                    None if self
                        .source
                        .at(&join("/components/securitySchemes", &wire))
                        .is_some() =>
                    {
                        let reason = "is of a scheme that is not supported: there are apiKey in header, query or cookie, http basic and bearer, oauth2 and openIdConnect";
                        self.refuse(&named, reason);
                    }
                    None => self.refuse(&named, "names no scheme under components/securitySchemes"),
                }
            }
            match schemes.is_empty() {
                true => optional = true,
                false => {
                    let names = schemes
                        .iter()
                        .map(|scheme| self.schemes[*scheme].wire.as_str());
                    let name = names.collect::<Vec<_>>().join(" and ");
                    alternatives.push(Alternative {
                        name: Scope::default().upper(&name),
                        schemes,
                    });
                }
            }
        }
        if alternatives.is_empty() {
            return (Access::Public, scopes);
        }
        let set = self.credential(alternatives);
        match optional {
            true => (Access::Optional(set), scopes),
            false => (Access::Required(set), scopes),
        }
    }

    /// The place of a set of credentials, with a name of its own unless it is but one scheme.
    fn credential(&mut self, alternatives: Vec<Alternative>) -> usize {
        if let Some(known) = self
            .credentials
            .iter()
            .position(|it| it.alternatives == alternatives)
        {
            return known;
        }
        let mut credential = Credential {
            name: ident("Credential"),
            alternatives,
        };
        credential.name = match credential.only() {
            Some(scheme) => self.schemes[scheme].name.clone(),
            None => {
                let is_global = self.credentials.iter().all(|it| it.only().is_some());
                let names: Vec<String> = credential
                    .alternatives
                    .iter()
                    .map(|it| it.name.to_string())
                    .collect();
                match is_global {
                    true => self.scope.upper("credential"),
                    false => self.scope.upper(&names.join(" or ")),
                }
            }
        };
        self.credentials.push(credential);
        self.credentials.len() - 1
    }

    /// The place of what stands at `pointer`, or of the component of this kind that it refers to.
    fn follow(&mut self, pointer: &str, kind: &str) -> Option<String> {
        let mut place = pointer.to_owned();
        let mut seen = BTreeSet::new();
        loop {
            let reference = self
                .source
                .at(&join(&place, "$ref"))
                .and_then(Value::as_str);
            let Some(reference) = reference else {
                return Some(place);
            };
            let target = reference
                .strip_prefix('#')
                .filter(|it| self.source.at(it).is_some());
            match target {
                Some(target) if seen.insert(target.to_owned()) => place = target.to_owned(),
                _ => {
                    self.refuse(
                        &join(&place, "$ref"),
                        format!("names nothing: write #/components/{kind}/ and a name from there"),
                    );
                    return None;
                }
            }
        }
    }

    fn refuse(&mut self, pointer: &str, reason: impl Into<String>) {
        self.refusals.push(self.source.refusal(pointer, reason));
    }

    fn members(&self, pointer: &str) -> Vec<String> {
        members(&self.source.value, pointer)
    }

    /// The text at `pointer`; an empty one if there is none.
    fn text(&self, pointer: &str) -> String {
        let text = self.source.at(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    fn is_true(&self, pointer: &str) -> bool {
        self.source.at(pointer) == Some(&Value::Bool(true))
    }
}

/// Takes the failures that every operation has out of each, into one group: those of a status whose media
/// types are the same everywhere.
fn share(operations: &mut [Operation], name: Ident) -> Group {
    fn of(operation: &Operation, answer: Answer) -> Vec<&Outcome> {
        let failures = operation.outcomes.failures.outcomes.iter();
        failures.filter(|it| it.answer == answer).collect()
    }
    let is_everywhere = |first: &Operation, answer: Answer| {
        let ours = of(first, answer);
        operations.iter().all(|operation| {
            let theirs = of(operation, answer);
            let is_ours = |it: &&Outcome| ours.iter().any(|our| our.is_same(it));
            theirs.len() == ours.len() && theirs.iter().all(is_ours)
        })
    };
    let shared: Vec<Outcome> = operations.first().map_or(Vec::new(), |first| {
        let failures = first.outcomes.failures.outcomes.iter();
        let shared = failures.filter(|it| is_everywhere(first, it.answer));
        shared.cloned().collect()
    });
    for operation in operations {
        let failures = &mut operation.outcomes.failures.outcomes;
        failures.retain(|it| !shared.iter().any(|shared| shared.is_same(it)));
    }
    Group {
        name,
        outcomes: shared,
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The name of the variant of a media type.
fn variant(essence: &str) -> String {
    let subtype = essence
        .split_once('/')
        .map_or(essence, |(_, subtype)| subtype);
    match essence {
        "application/x-www-form-urlencoded" => "form".to_owned(),
        "multipart/form-data" => "multipart".to_owned(),
        "application/octet-stream" => "bytes".to_owned(),
        "text/plain" => "text".to_owned(),
        "*/*" => "any".to_owned(),
        _ => subtype.to_owned(),
    }
}

fn answer(key: &str) -> Option<Answer> {
    if key == "default" {
        return Some(Answer::Default);
    }
    if let Some(hundred) = key.strip_suffix("XX").or_else(|| key.strip_suffix("xx")) {
        let hundred = hundred.parse().ok();
        return hundred.filter(|it| (1..=5).contains(it)).map(Answer::Range);
    }
    let is_plain = key.len() == 3 && key.bytes().all(|byte| byte.is_ascii_digit());
    let status = key
        .parse()
        .ok()
        .filter(|it| is_plain && (100..=599).contains(it));
    status.map(Answer::Status)
}

fn status_name(answer: Answer) -> String {
    match answer {
        Answer::Status(status) => {
            let known = StatusCode::from_u16(status).ok();
            let reason = known.and_then(|status| status.canonical_reason());
            match reason {
                // The apostrophe of "I'm a teapot" is no word.
                Some(reason) => reason.replace('\'', "").to_upper_camel_case(),
                None => format!("Status{status}"),
            }
        }
        Answer::Range(1) => "Informational".to_owned(),
        Answer::Range(2) => "Success".to_owned(),
        Answer::Range(3) => "Redirection".to_owned(),
        Answer::Range(4) => "ClientError".to_owned(),
        Answer::Range(_) => "ServerError".to_owned(),
        Answer::Default => "Default".to_owned(),
    }
}

/// The names of a path's parameters; none if its braces are not those of parameters.
pub(crate) fn placeholders(path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for segment in path.split('/') {
        let mut rest = segment;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            let is_name = !name.is_empty() && !name.contains('{') && !before.contains('}');
            if !is_name || behind.starts_with('{') || names.iter().any(|it| it == name) {
                return None;
            }
            names.push(name.to_owned());
            rest = behind;
        }
        if rest.contains('}') {
            return None;
        }
    }
    Some(names)
}

/// A path without the names of its parameters, which do not tell two paths apart.
fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut is_inside = false;
    for letter in path.chars() {
        match letter {
            '{' => is_inside = true,
            '}' => is_inside = false,
            _ if is_inside => continue,
            _ => {}
        }
        shape.push(letter);
    }
    shape
}
