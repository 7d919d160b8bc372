//! Replies of a generated server.

use poem::{
    Body, IntoResponse, Response,
    error::InternalServerError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::Value;

/// A reply that is being written.
pub struct Reply(Response);

impl Reply {
    /// A reply with this status and nothing else.
    pub fn new(status: u16) -> Self {
        Self(
            StatusCode::from_u16(status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                .into(),
        )
    }

    /// The reply with a value as JSON, by this media type.
    #[must_use]
    pub fn json(self, media_type: &'static str, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.bytes(media_type, body),
            Err(error) => Self(InternalServerError(error).into_response()),
        }
    }

    /// The reply with a body of this media type.
    #[must_use]
    pub fn bytes(mut self, media_type: &'static str, body: impl Into<Body>) -> Self {
        let media_type = HeaderValue::from_static(media_type);
        self.0
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        self.0.set_body(body);
        self
    }

    /// The reply with a header, unless the value is null. A list is written with commas.
    ///
    /// A value that a header cannot carry makes it a 500: the reply is not as documented.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &impl Serialize) -> Self {
        let value = match serde_json::to_value(value) {
            Ok(Value::Null) => return self,
            Ok(value) => HeaderValue::try_from(text(&value)).map_err(InternalServerError),
            Err(error) => Err(InternalServerError(error)),
        };
        match value {
            Ok(value) => {
                self.0
                    .headers_mut()
                    .append(HeaderName::from_static(name), value);
                self
            }
            Err(error) => Self(error.into_response()),
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.0
    }
}

/// Formats a value for a header, in OpenAPI's style `simple`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name},{}", text(value)));
            members.collect::<Vec<_>>().join(",")
        }
        value => value.to_string(),
    }
}
