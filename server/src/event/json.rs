//! JSON as SDKs send it: whatever can be understood is read.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::field::Field;

/// Reads a body as text. Bytes that are not UTF-8, and halves of surrogate pairs, which appear
/// where an SDK cuts a text between the two, become U+FFFD. A byte order mark is left out.
pub(super) fn text(body: Vec<u8>) -> String {
    let mut text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    mend_surrogates(text)
}

/// Replaces each escape of half a surrogate pair by that of U+FFFD, which is as long.
fn mend_surrogates(text: String) -> String {
    const REPLACEMENT: &[u8; 4] = b"fffd";
    let mut bytes = text.into_bytes();
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match unit(&bytes[at..]) {
            // The other character of an escape may be a backslash too.
            None => at = (at + 2).min(bytes.len()),
            Some(0xd800..=0xdbff) if matches!(unit(&bytes[at + 6..]), Some(0xdc00..=0xdfff)) => {
                at += 12;
            }
            Some(0xd800..=0xdfff) => {
                bytes[at + 2..at + 6].copy_from_slice(REPLACEMENT);
                at += 6;
            }
            Some(_) => at += 6,
        }
    }
    // Only digits were replaced by digits.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The number of an escape such as `\u00e9` at the beginning of a text.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// The members of an object that an SDK may send, as they were written. Of several members of one
/// name the last one counts, and null counts as none.
pub(super) struct Members<'a>([Option<&'a RawValue>; Field::COUNT]);

impl<'a> Members<'a> {
    /// No members.
    pub(super) fn none() -> Self {
        Self([None; Field::COUNT])
    }

    /// The value of a member, unless it is null.
    pub(super) fn get(&self, field: Field) -> Option<&'a RawValue> {
        self.0[field as usize].filter(|value| value.get() != "null")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
        let mut members = [None; Field::COUNT];
        while let Some(name) = access.next_key::<Cow<'de, str>>()? {
            match Field::of_name(&name) {
                Some(field) => members[field as usize] = Some(access.next_value()?),
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Members(members))
    }
}

/// A value that is neither a list nor an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(Cow<'a, str>),
    /// A number, as it was written.
    Number(&'a str),
    Flag(bool),
}

/// Kind of a value that is no scalar, in words.
pub(super) type Other = &'static str;

impl<'a> Scalar<'a> {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// It is a list or an object.
    pub(super) fn of(value: &'a RawValue) -> Result<Self, Other> {
        let written = value.get();
        match written.as_bytes().first() {
            Some(b'"') => Ok(Self::Text(unescaped(written))),
            Some(b't') => Ok(Self::Flag(true)),
            Some(b'f') => Ok(Self::Flag(false)),
            Some(b'[') => Err("a list"),
            Some(b'{') => Err("an object"),
            _ => Ok(Self::Number(written)),
        }
    }

    /// The value as a text.
    pub(super) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            Self::Number(written) => Cow::Borrowed(written),
            Self::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
        }
    }

    /// The value as a number; `None` if it is none or not finite.
    pub(super) fn number(&self) -> Option<f64> {
        let number: f64 = match self {
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Number(written) => written.parse().ok()?,
            Self::Flag(flag) => f64::from(u8::from(*flag)),
        };
        number.is_finite().then_some(number)
    }

    /// The value as an integer; `None` if it is none.
    pub(super) fn integer(&self) -> Option<i64> {
        let exactly = match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(written) => written.parse().ok(),
            Self::Flag(_) => return None,
        };
        exactly.or_else(|| {
            let number = self.number()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the number is whole and less than 2^53"
            )]
            let whole = (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
            whole
        })
    }

    /// The value as true or false; `None` if it is neither.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) if text == "true" => Some(true),
            Self::Text(text) if text == "false" => Some(false),
            _ => match self.number()? {
                0.0 => Some(false),
                1.0 => Some(true),
                _ => None,
            },
        }
    }
}

/// The text of a JSON string, which was checked when it was read.
fn unescaped(written: &str) -> Cow<'_, str> {
    let inner = written.get(1..written.len() - 1).unwrap_or_default();
    match inner.contains('\\') {
        false => Cow::Borrowed(inner),
        true => Cow::Owned(serde_json::from_str(written).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_and_pairs_stay() {
        let mended = |body: &str| text(body.as_bytes().to_vec());
        assert_eq!(mended(r#""a\ud83d""#), r#""a\ufffd""#);
        assert_eq!(mended(r#""\udC00b""#), r#""\ufffdb""#);
        assert_eq!(mended(r#""\ud83d\ude00""#), r#""\ud83d\ude00""#);
        assert_eq!(mended(r#""\ud83d\ud83d\ude00""#), r#""\ufffd\ud83d\ude00""#);
        // An escaped backslash before the letters of an escape.
        assert_eq!(mended(r#""\\ud83d""#), r#""\\ud83d""#);
        assert_eq!(mended(r#""\ud83"#), r#""\ud83"#);
        assert_eq!(mended("\\"), "\\");
        assert_eq!(
            text(b"\xef\xbb\xbf{\"a\":\"\xff\"}".to_vec()),
            "{\"a\":\"\u{fffd}\"}"
        );
    }

    #[test]
    fn scalars_are_coerced() {
        let scalar = |json| Scalar::of(serde_json::from_str::<&RawValue>(json).unwrap());
        assert_eq!(scalar(r#""a\nb""#).unwrap().into_text(), "a\nb");
        assert_eq!(scalar("1e2").unwrap().into_text(), "1e2");
        assert_eq!(scalar("true").unwrap().into_text(), "true");
        assert_eq!(scalar(r#"" 19.99 ""#).unwrap().number(), Some(19.99));
        assert_eq!(scalar("1e999").unwrap().number(), None);
        assert_eq!(scalar(r#""NaN""#).unwrap().number(), None);
        assert_eq!(
            scalar("9223372036854775807").unwrap().integer(),
            Some(i64::MAX)
        );
        assert_eq!(scalar("5.0").unwrap().integer(), Some(5));
        assert_eq!(scalar("5.5").unwrap().integer(), None);
        assert_eq!(scalar("1").unwrap().flag(), Some(true));
        assert_eq!(scalar(r#""yes""#).unwrap().flag(), None);
        assert_eq!(scalar("[1]"), Err("a list"));
        assert_eq!(scalar("{}"), Err("an object"));
    }
}
