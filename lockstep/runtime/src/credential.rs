//! Where a request carries its credential.

use poem::{
    Request,
    http::{HeaderValue, header},
};
use serde_json::{Map, Value};

use crate::{InvalidMember, contract::Access};

/// Takes the credential out of the body and hands it on where poem-openapi looks for it.
///
/// A cookie stays where it is; a key from the body moves to `Authorization: Bearer`, since whoever
/// can write it into a body is no other site that only makes a browser send its cookie.
pub(crate) fn gather(
    access: &Access,
    request: &mut Request,
    body: Option<&mut Map<String, Value>>,
) -> Result<(), Vec<InvalidMember>> {
    let Access::Secured { cookie, bearer, .. } = access else {
        return Ok(());
    };
    let mut keys: Vec<(String, String)> = Vec::new();
    if *bearer {
        let bearers = bearer_keys(request).into_iter();
        keys.extend(bearers.map(|key| ("/header/Authorization".to_owned(), key)));
    }
    if let Some(cookie) = cookie {
        if let Some(Value::String(key)) = body.and_then(|body| body.remove(cookie)) {
            keys.push((format!("/body/{cookie}"), key));
        }
        let cookies = cookie_keys(request, cookie).into_iter();
        keys.extend(cookies.map(|key| (format!("/cookie/{cookie}"), key)));
    }
    if keys.iter().any(|(_, key)| *key != keys[0].1) {
        let errors = keys.into_iter().map(|(pointer, _)| InvalidMember {
            pointer,
            detail: "differs from another key of the request: send one".to_owned(),
        });
        return Err(errors.collect());
    }
    // Only what was compared is handed on, in the one form that cannot be read in two ways.
    let headers = request.headers_mut();
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::COOKIE);
    let by_cookie = keys
        .iter()
        .all(|(pointer, _)| pointer.starts_with("/cookie/"));
    let first = keys.into_iter().next();
    let Some((_, key)) = first.filter(|(_, key)| is_token(key)) else {
        return Ok(());
    };
    let (name, value) = match cookie {
        Some(cookie) if by_cookie => (header::COOKIE, format!("{cookie}={key}")),
        _ => (header::AUTHORIZATION, format!("Bearer {key}")),
    };
    if let Ok(mut value) = HeaderValue::try_from(value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(())
}

/// Whether the request carries a credential, after [`gather`].
pub(crate) fn is_present(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(header::COOKIE)
}

/// Whether a key is of the characters of RFC 6750's `b64token`. Another is worth nothing, and
/// would not arrive as it was sent.
fn is_token(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}

fn bearer_keys(request: &Request) -> Vec<String> {
    values(request, header::AUTHORIZATION)
        .iter()
        .filter_map(|value| value.split_once(' '))
        .map(|(scheme, key)| (scheme, key.trim()))
        .filter(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && !key.is_empty())
        .map(|(_, key)| key.to_owned())
        .collect()
}

fn cookie_keys(request: &Request, name: &str) -> Vec<String> {
    values(request, header::COOKIE)
        .iter()
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(cookie, key)| *cookie == name && !key.is_empty())
        .map(|(_, key)| key.to_owned())
        .collect()
}

/// The values of a header, whatever bytes it has: what is odd in one cookie is no other's fault.
fn values(request: &Request, name: header::HeaderName) -> Vec<String> {
    let values = request.headers().get_all(name).iter();
    values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}
