//! Where a request carries its credential.

use std::borrow::Cow;

use poem::{Request, http::header};
use serde_json::{Map, Value};

use crate::{InvalidMember, contract::Access, operations::Key};

/// Takes the credential out of a request, so that nobody finds another one there.
///
/// # Errors
///
/// Two different ones.
pub(crate) fn gather(
    access: &Access,
    request: &mut Request,
    body: Option<&mut Map<String, Value>>,
) -> Result<Option<Key>, Vec<InvalidMember>> {
    let Access::Secured { cookie, bearer, .. } = access else {
        return Ok(None);
    };
    let mut keys: Vec<(Place, Cow<'_, str>)> = Vec::new();
    if *bearer {
        keys.extend(bearer_keys(request).map(|key| (Place::Authorization, key)));
    }
    if let Some(member) = access.body_member()
        && let Some(Value::String(key)) = body.and_then(|body| body.remove(member))
    {
        keys.push((Place::Body, Cow::Owned(key)));
    }
    if let Some(cookie) = cookie {
        keys.extend(cookie_keys(request, cookie).map(|key| (Place::Cookie, key)));
    }
    if keys.iter().any(|(_, key)| *key != keys[0].1) {
        let cookie = cookie.as_deref().unwrap_or_default();
        let errors = keys.iter().map(|(place, _)| InvalidMember {
            pointer: place.pointer(cookie),
            detail: "differs from another key of the request: send one".to_owned(),
        });
        return Err(errors.collect());
    }
    let by_cookie = keys.iter().all(|(place, _)| *place == Place::Cookie);
    let first = keys.into_iter().next();
    let key = first.filter(|(_, key)| is_token(key)).map(|(_, key)| {
        let key = key.into_owned();
        match by_cookie {
            true => Key::Cookie(key),
            false => Key::Bearer(key),
        }
    });
    let headers = request.headers_mut();
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::COOKIE);
    Ok(key)
}

/// A place of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authorization,
    Body,
    Cookie,
}

impl Place {
    fn pointer(self, cookie: &str) -> String {
        match self {
            Self::Authorization => "/header/Authorization".to_owned(),
            Self::Body => format!("/body/{cookie}"),
            Self::Cookie => format!("/cookie/{cookie}"),
        }
    }
}

/// Whether a key is of the characters of RFC 6750's `b64token`. Another is worth nothing.
fn is_token(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}

/// Whatever bytes they have: what is odd in one is no other's fault.
fn bearer_keys(request: &Request) -> impl Iterator<Item = Cow<'_, str>> {
    let values = request.headers().get_all(header::AUTHORIZATION).iter();
    values.filter_map(|value| {
        let (scheme, key) = split_once(value.as_bytes(), b' ')?;
        let key = key.trim_ascii();
        let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && !key.is_empty();
        is_bearer.then(|| text(key))
    })
}

fn cookie_keys<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    let values = request.headers().get_all(header::COOKIE).iter();
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let (cookie, key) = split_once(pair.trim_ascii(), b'=')?;
        let is_named = cookie == name.as_bytes() && !key.is_empty();
        is_named.then(|| text(key))
    })
}

fn text(key: &[u8]) -> Cow<'_, str> {
    // Nearly all are text, which is seen sooner than what is to be replaced.
    str::from_utf8(key).map_or_else(|_| String::from_utf8_lossy(key), Cow::Borrowed)
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}
