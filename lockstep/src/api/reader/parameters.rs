//! Parameters.

use http::HeaderName;
use serde_json::Value;

use super::Reader;
use crate::{
    api::{Parameter, Place},
    names::Scope,
    pointers::{self, join},
    types::{Type, described},
};

/// Names of the other arguments of the methods in a server's traits, which parameters cannot have.
const ARGUMENTS: [&str; 7] = [
    "self",
    "request",
    "principal",
    "credential",
    "body",
    "parameters",
    "status",
];

/// Reason for refusing a name that is not valid for a header or cookie.
pub(super) const NO_TOKEN: &str =
    "is not a valid header or cookie name: use only letters, digits and !#$%&'*+-.^_`|~";

impl Reader<'_> {
    pub(super) fn parameters(&mut self, operation: &str, path: &str, id: &str) -> Vec<Parameter> {
        let mut scope = Scope::new(ARGUMENTS);
        let mut parameters = Vec::<Parameter>::new();
        for pointer in self.members(&join(operation, "parameters")) {
            if let Some(parameter) = self.parameter(&pointer, id, &mut scope) {
                let is_same =
                    |it: &Parameter| it.place == parameter.place && it.wire == parameter.wire;
                match parameters.iter().any(is_same) {
                    true => self.refuse(&pointer, "is a duplicate parameter"),
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
            let reason = format!("refers to {reference}, which does not exist in the document");
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
                self.refuse(pointer, "has to be in path, query, header or cookie");
                return None;
            }
        };
        if place == Place::Header {
            // OpenAPI 3.1, 4.8.12: these are described elsewhere, and ignored as parameters.
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
                "is a path parameter, which is always required: write required: true",
            );
        }
        let schema = join(pointer, "schema");
        if self.source.at(&schema).is_none() {
            let content = join(pointer, "content");
            let reason = match self.source.at(&content) {
                Some(_) => "has content, which is not supported for parameters: write a schema",
                None => "has no schema",
            };
            self.refuse(pointer, reason);
            return None;
        }
        let kind = match self.types.at(&schema, &format!("{id} {wire}")) {
            // URLs, headers and cookies cannot carry null.
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

    /// Refuses a style that is not supported in this place.
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
                format!("{style} is not supported here, only {known}"),
            );
        }
    }
}

/// The names of a path's parameters; `None` if its braces are not valid.
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
