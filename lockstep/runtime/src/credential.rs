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
    if *bearer && let Some(key) = bearer_key(request) {
        keys.push(("/header/Authorization".to_owned(), key));
    }
    if let Some(cookie) = cookie {
        if let Some(Value::String(key)) = body.and_then(|body| body.remove(cookie)) {
            keys.push((format!("/body/{cookie}"), key));
        }
        let from_cookies = cookie_keys(request, cookie)
            .into_iter()
            .map(|key| (format!("/cookie/{cookie}"), key));
        keys.extend(from_cookies);
    }
    if keys.iter().any(|(_, key)| *key != keys[0].1) {
        let errors = keys.into_iter().map(|(pointer, _)| InvalidMember {
            pointer,
            detail: "differs from another key of the request: send one".to_owned(),
        });
        return Err(errors.collect());
    }
    let explicit = keys
        .into_iter()
        .find(|(pointer, _)| !pointer.starts_with("/cookie/"));
    request.headers_mut().remove(header::AUTHORIZATION);
    if let Some((_, key)) = explicit
        && is_token(&key)
        && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {key}"))
    {
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(())
}

/// Whether the request carries a credential, after [`gather`].
pub(crate) fn is_present(access: &Access, request: &Request) -> bool {
    let Access::Secured { cookie, .. } = access else {
        return false;
    };
    request.headers().contains_key(header::AUTHORIZATION)
        || cookie
            .as_ref()
            .is_some_and(|cookie| cookie_keys(request, cookie).iter().any(|key| is_token(key)))
}

/// Whether a key is of the characters of RFC 6750's `b64token`. Another is worth nothing, and
/// would not arrive as it was sent.
fn is_token(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}

fn bearer_key(request: &Request) -> Option<String> {
    let (scheme, key) = request.header(header::AUTHORIZATION)?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then(|| key.to_owned())
}

fn cookie_keys(request: &Request, name: &str) -> Vec<String> {
    request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(cookie, key)| *cookie == name && !key.is_empty())
        .map(|(_, key)| key.to_owned())
        .collect()
}
