//! The check of one request.

use std::collections::HashSet;

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use percent_encoding::percent_decode_str;
use poem::{
    Request,
    error::ReadBodyError,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::{Map, Value};

use crate::{
    Contract, InvalidMember, Rejection,
    body::{MediaType, read_pairs},
    code,
    contract::{Access, Operation},
    credential,
    operations::{Checked, Key},
};

impl Contract {
    /// Makes of a request what a generated server reads: what was checked, and nothing else.
    ///
    /// The body becomes a JSON value, whatever it came as; decimal strings become integers where the
    /// document wants one; the credential is taken out of headers and body.
    ///
    /// # Errors
    ///
    /// The answer to a request that is not as documented.
    pub(crate) async fn check(&self, request: &mut Request) -> Result<(), Rejection> {
        let (operation, path) = self.operation(request)?;
        let query = request.uri().query().unwrap_or_default().to_owned();
        let bytes = self.read_body(request).await?;
        let mut given = match path.is_empty() && query.is_empty() && bytes.is_empty() {
            // What may be asked with nothing need not be checked.
            true if operation.takes_nothing => None,
            _ => Some(operation.read(request, &path, &query, &bytes)?),
        };
        let body = given.as_mut().and_then(|given| given.get_mut("body"));
        let body = body.and_then(Value::as_object_mut);
        let key = credential::gather(&operation.access, request, body);
        let key = key.map_err(Rejection::invalid)?;
        operation.require_credential(key.as_ref())?;
        if operation.body_is_read {
            let json = HeaderValue::from_static(MediaType::Json.name());
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        request.set_data(Checked {
            operation: operation.number,
            given,
            key,
        });
        Ok(())
    }

    async fn read_body(&self, request: &mut Request) -> Result<Vec<u8>, Rejection> {
        let limit = self.body_limit;
        let body = request.take_body();
        if body.is_empty() {
            return Ok(Vec::new());
        }
        // Boxed for the requests without a body: its future has a buffer, which would be part of theirs.
        match Box::pin(body.into_bytes_limit(limit)).await {
            Ok(bytes) => Ok(bytes.into()),
            Err(ReadBodyError::PayloadTooLarge) => Err(Rejection::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                code::PAYLOAD_TOO_LARGE,
                format!("The body is larger than {limit} bytes."),
            )),
            Err(_) => Err(Rejection::invalid(vec![invalid(
                "/body",
                "could not be read to its end",
            )])),
        }
    }
}

impl Operation {
    /// The content of a request: an object of `path`, `query` and, if there is one, `body`.
    fn read(
        &self,
        request: &Request,
        path: &[(&str, String)],
        query: &str,
        body: &[u8],
    ) -> Result<Value, Rejection> {
        let mut errors = Vec::new();
        let mut given = Map::new();
        let path = decode(path, &mut errors);
        given.insert("path".to_owned(), Value::Object(path));
        match read_pairs(query.as_bytes()) {
            Ok(query) => {
                given.insert("query".to_owned(), Value::Object(query));
            }
            Err(detail) => errors.push(invalid("/query", detail)),
        }
        if !body.is_empty() {
            match self.media_type(request)?.read(body) {
                Ok(body) => {
                    given.insert("body".to_owned(), body);
                }
                Err(detail) => errors.push(invalid("/body", detail)),
            }
        }
        let mut given = Value::Object(given);
        self.coercions.apply(&mut given, &mut errors);
        // What could not be read is not also said to be missing.
        let unread: HashSet<String> = errors.iter().map(|error| error.pointer.clone()).collect();
        let failures = self.validator.iter_errors(&given);
        errors.extend(
            failures
                .flat_map(|error| self.failures(&error))
                .filter(|error| !unread.contains(&error.pointer)),
        );
        match errors.is_empty() {
            true => Ok(given),
            false => Err(Rejection::invalid(errors)),
        }
    }

    fn media_type(&self, request: &Request) -> Result<MediaType, Rejection> {
        let given = request.content_type().and_then(MediaType::parse);
        match given.filter(|given| self.media_types.contains(given)) {
            Some(media_type) => Ok(media_type),
            None if self.media_types.is_empty() => Err(Rejection::invalid(vec![invalid(
                "/body",
                "is not taken here: send none",
            )])),
            None => {
                let names: Vec<&str> = self.media_types.iter().map(|it| it.name()).collect();
                Err(Rejection::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    code::UNSUPPORTED_MEDIA_TYPE,
                    format!("Send the body as {}.", names.join(" or ")),
                ))
            }
        }
    }

    /// The failures that an error of the schema means, one for each member.
    fn failures(&self, error: &ValidationError<'_>) -> Vec<InvalidMember> {
        let place = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|name| invalid(&join(place, name), "is not known here"))
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
                    Some(description) => format!("is not as described: {}", description.trim_end()),
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

    fn require_credential(&self, key: Option<&Key>) -> Result<(), Rejection> {
        match &self.access {
            Access::Secured {
                missing: Some(status),
                ..
            } if key.is_none() => Err(Rejection::new(
                *status,
                code::NOT_LOGGED_IN,
                "Not logged in: the request carries no key.",
            )),
            _ => Ok(()),
        }
    }
}

/// A failure in the words of a person who has never seen a schema, where those of jsonschema are
/// not.
fn in_words(kind: &ValidationErrorKind) -> Option<String> {
    let expected = match kind {
        ValidationErrorKind::Format { format } => match format.as_str() {
            "email" | "idn-email" => "an e-mail address",
            "uri" | "iri" => "a URL",
            "uuid" => "a UUID",
            "date" => "a date such as 2026-01-31",
            "date-time" => "a time such as 2026-01-31T12:00:00Z",
            format => return Some(format!("is not of the format {format}")),
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
            JsonType::String => "a text",
        },
        _ => return None,
    };
    Some(format!("is not {expected}"))
}

/// The path's parameters, decoded, without those that cannot be.
fn decode(parameters: &[(&str, String)], errors: &mut Vec<InvalidMember>) -> Map<String, Value> {
    let mut decoded = Map::new();
    for (name, value) in parameters {
        match percent_decode_str(value).decode_utf8() {
            Ok(value) => {
                decoded.insert(name.to_string(), Value::String(value.into_owned()));
            }
            Err(_) => errors.push(invalid(&join("/path", name), "is not UTF-8")),
        }
    }
    decoded
}

pub(crate) fn invalid(pointer: &str, detail: impl Into<String>) -> InvalidMember {
    InvalidMember {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}

/// The JSON Pointer of a member.
pub(crate) fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
