//! Bodies and query strings as JSON values.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::problem::quoted;

/// Encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    Json,
    Form,
    Multipart,
    Text,
    /// As sent, without a check.
    Bytes,
}

impl MediaType {
    /// The encoding of a media type, which has no parameters and is in lower case.
    pub(crate) fn of(essence: &str) -> Self {
        match essence {
            "application/json" | "text/json" => Self::Json,
            _ if essence.ends_with("+json") => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            "text/event-stream" => Self::Bytes,
            _ if essence.starts_with("text/") => Self::Text,
            _ => Self::Bytes,
        }
    }

    /// Returns true if it is parsed into a value, which is checked.
    pub(crate) fn is_value(self) -> bool {
        self != Self::Bytes
    }

    /// Returns true if all of its values are texts.
    pub(crate) fn is_of_texts(self) -> bool {
        matches!(self, Self::Form | Self::Multipart)
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Returns true if a Content-Type says another character set than UTF-8.
pub(crate) fn is_of_other_charset(content_type: &str) -> bool {
    let charset = content_type
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim().trim_matches('"'));
    charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"))
}

/// Parses JSON. Returns a description of the error if it is not valid.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice::<Unique>(bytes)
        .map(|unique| unique.0)
        .map_err(|error| format!("is not valid JSON: {error}"))
}

/// A JSON value whose objects have no duplicate members.
///
/// Of two members, one parser may use the first and another the last: the checked value might not
/// be the one that is used.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let Unique(value) = access.next_value()?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "duplicate member {:?}",
                    quoted(&name)
                )));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
