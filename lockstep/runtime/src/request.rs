//! The check of one request.

use std::collections::HashSet;

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use poem::Request;
use serde_json::{Map, Value, json};

use crate::{
    code,
    coercion::Written,
    contract::Matched,
    credential::Presented,
    given::Given,
    operation::Operation,
    parameters,
    path::PathParameters,
    problem::{InvalidMember, Rejection, invalid, join},
    received::Received,
};

/// The parts of a request that are parameters.
const PLACES: [&str; 4] = ["path", "query", "header", "cookie"];

impl Matched<'_> {
    /// Turns a request into the checked values that a generated server reads, and nothing else. A
    /// body of more than `body_limit` bytes is refused, unless the operation has a limit of its
    /// own.
    ///
    /// Parameters and body become one JSON value, whatever they came as; the credentials are taken
    /// out of headers, query and body.
    ///
    /// # Errors
    ///
    /// The answer to a request that is not as documented.
    pub(crate) async fn check(
        self,
        request: &mut Request,
        body_limit: usize,
    ) -> Result<(), Rejection> {
        let Self { operation, path } = self;
        if operation.is_unchecked {
            let value = operation.parameters_alone(request, &path);
            let given = Given::new(
                operation.number,
                value,
                Received::default(),
                Presented::default(),
            );
            request.set_data(given);
            return Ok(());
        }
        let limit = operation.body_limit.unwrap_or(body_limit);
        let mut body = operation.receive(request, limit).await?;
        let is_bare = path.is_empty() && request.uri().query().is_none_or(str::is_empty);
        let mut value = match is_bare && body.is_nothing() && operation.takes_nothing {
            // A request without content is valid here, and needs no check.
            true => Value::Null,
            false => operation.read(request, &path, &mut body)?,
        };
        let mut members = value.as_object_mut();
        let mut query = members.as_mut().and_then(|it| it.remove("query"));
        let of_query = query.as_mut().and_then(Value::as_object_mut);
        let of_body = members.as_mut().and_then(|it| it.get_mut("body"));
        let of_body = of_body.and_then(Value::as_object_mut);
        let presented = operation.access.extract(request, of_query, of_body);
        let presented = presented.map_err(Rejection::invalid)?;
        if let (Some(members), Some(query)) = (members, query) {
            members.insert("query".to_owned(), query);
        }
        operation.require_credential(&presented)?;
        request.set_data(Given::new(operation.number, value, body, presented));
        Ok(())
    }
}

impl Operation {
    /// The parameters of path and query, of which none is refused.
    fn parameters_alone(&self, request: &Request, path: &PathParameters<'_>) -> Value {
        let query = request.uri().query().unwrap_or_default();
        let mut errors = Vec::new();
        let path = parameters::of_path(&self.parameters, path, &mut errors);
        let query = parameters::of_pairs(&self.parameters, "/query", query.as_bytes(), &mut errors);
        json!({ "path": path, "query": query })
    }

    /// The content of a request: an object of `path`, `query`, `header`, `cookie` and, if there is
    /// one, `body`.
    fn read(
        &self,
        request: &Request,
        path: &PathParameters<'_>,
        body: &mut Received,
    ) -> Result<Value, Rejection> {
        let mut errors = std::mem::take(&mut body.errors);
        let query = request.uri().query().unwrap_or_default();
        let known = &self.parameters;
        let mut given = Map::new();
        let path = parameters::of_path(known, path, &mut errors);
        given.insert("path".to_owned(), Value::Object(path));
        let query = parameters::of_pairs(known, "/query", query.as_bytes(), &mut errors);
        given.insert("query".to_owned(), Value::Object(query));
        let header = parameters::of_headers(known, request, &mut errors);
        given.insert("header".to_owned(), Value::Object(header));
        let cookie = parameters::of_cookies(known, request, &mut errors);
        given.insert("cookie".to_owned(), Value::Object(cookie));
        parameters::with_defaults(known, &mut given);
        let place = body.taken.and_then(|taken| self.bodies.get(taken));
        let place = place.map_or("body", |taken| taken.place.as_str());
        if let Some(value) = body.value.take() {
            given.insert(place.to_owned(), value);
        } else if self.body_is_required && body.is_nothing() && errors.is_empty() {
            errors.push(invalid("/body", "is required"));
        }
        let mut given = Value::Object(given);
        let is_loose = self
            .bodies
            .iter()
            .any(|taken| taken.media_type.is_of_texts());
        let written = |place: &str| match body.is_of_texts || PLACES.contains(&place) {
            true => Written::Texts,
            false if is_loose => Written::Loosely,
            false => Written::Exactly,
        };
        self.coercions.apply(&mut given, written, &mut errors);
        // A part that could not be read is not also reported as missing.
        let unread: HashSet<String> = errors.iter().map(|error| error.pointer.clone()).collect();
        let failures = self.validator.iter_errors(&given);
        errors.extend(
            failures
                .flat_map(|error| self.failures(&error))
                .filter(|error| !unread.contains(&error.pointer)),
        );
        for error in &mut errors {
            if let Some(rest) = error.pointer.strip_prefix(&format!("/{place}")) {
                error.pointer = format!("/body{rest}");
            }
        }
        if !errors.is_empty() {
            return Err(Rejection::invalid(errors));
        }
        if let (Value::Object(members), true) = (&mut given, place != "body") {
            let body = members.remove(place);
            members.extend(body.map(|body| ("body".to_owned(), body)));
        }
        Ok(given)
    }

    /// Translates an error of the schema into failures, one for each member.
    fn failures(&self, error: &ValidationError<'_>) -> Vec<InvalidMember> {
        let place = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|name| invalid(&join(place, name), "is unknown"))
                .collect(),
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![invalid(&join(place, name), "is required")]
            }
            ValidationErrorKind::Pattern { .. } | ValidationErrorKind::Format { .. } => {
                let keyword = error.schema_path().as_str();
                let schema = keyword
                    .rsplit_once('/')
                    .map_or(keyword, |(schema, _)| schema);
                let description = self.schema.pointer(&format!("{schema}/description"));
                let detail = match description.and_then(Value::as_str) {
                    Some(description) => {
                        format!("does not match its description: {}", description.trim_end())
                    }
                    None => error.masked().to_string(),
                };
                vec![invalid(place, detail)]
            }
            kind => {
                let words = in_words(kind).unwrap_or_else(|| {
                    let message = error.masked().to_string();
                    message
                        .strip_prefix("value ")
                        .unwrap_or(&message)
                        .to_owned()
                });
                vec![invalid(place, words)]
            }
        }
    }

    fn require_credential(&self, presented: &Presented) -> Result<(), Rejection> {
        match self.access.missing {
            Some(status) if !self.access.is_satisfied(presented) => Err(Rejection::new(
                status,
                code::NOT_LOGGED_IN,
                "Not logged in: the request carries no key.",
            )),
            _ => Ok(()),
        }
    }
}

/// Description of a failure for readers who do not know JSON Schema; `None` if jsonschema's is
/// clear.
fn in_words(kind: &ValidationErrorKind) -> Option<String> {
    let expected = match kind {
        ValidationErrorKind::Format { format } => match format.as_str() {
            "email" | "idn-email" => "an e-mail address",
            "uri" | "iri" => "a URL",
            "uuid" => "a UUID",
            "date" => "a date such as 2026-01-31",
            "date-time" => "a time such as 2026-01-31T12:00:00Z",
            format => return Some(format!("does not have the format {format}")),
        },
        ValidationErrorKind::Type {
            kind: TypeKind::Single(kind),
        } => match kind {
            JsonType::Array => "a list",
            JsonType::Boolean => "true or false",
            JsonType::Integer => "an integer",
            JsonType::Null => "null",
            JsonType::Number => "a number",
            JsonType::Object => "an object",
            JsonType::String => "a string",
        },
        _ => return None,
    };
    Some(format!("is not {expected}"))
}
