//! Target of a request: its host, and its path below that of the public URL.

use std::{net::Ipv6Addr, sync::Arc};

use openapi_lockstep_runtime::{InvalidMember, Rejection};
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderValue, Method, Uri, Version, header, uri::PathAndQuery},
};

/// Checks the Host and the target of a request.
///
/// The service itself does not use Host, but if two programs in a row interpret it differently, the
/// second one can be attacked.
///
/// # Errors
///
/// 400 if Host is missing, given more than once or not a host (RFC 9112, 3.2), or if the target is
/// a URL with a scheme other than HTTP.
pub(super) fn check_target(request: &Request) -> Result<(), Rejection> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let wrong = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Some("is given more than once"),
        (Some(host), None) if !is_host(host.as_bytes()) => Some("is not a host"),
        (None, _) if request.version() > Version::HTTP_10 => Some("is required"),
        _ => None,
    };
    let invalid = |pointer: &str, detail: &str| {
        let member = InvalidMember {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        Err(Rejection::invalid(vec![member]))
    };
    if let Some(detail) = wrong {
        return invalid("/header/Host", detail);
    }
    if !is_target(request.method(), request.uri()) {
        return invalid(
            "",
            "The target of the request is not a URL of this service.",
        );
    }
    Ok(())
}

/// Applies [`check_target`] before an endpoint.
pub(super) async fn require_target(
    endpoint: Arc<impl Endpoint>,
    request: Request,
) -> poem::Result<Response> {
    match check_target(&request) {
        Ok(()) => Ok(endpoint.get_response(request).await),
        Err(rejection) => Ok(rejection.into_response()),
    }
}

/// Returns true if the target is a path, or a URL as it is sent to a proxy. Also true for CONNECT,
/// which has neither and is refused later.
fn is_target(method: &Method, uri: &Uri) -> bool {
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) => is_host(authority.as_str().as_bytes()),
        (None, None) => true,
        _ => *method == Method::CONNECT,
    }
}

/// Returns true if the text is a host with an optional port, as defined by RFC 3986.
fn is_host(text: &[u8]) -> bool {
    let end_of = |byte| text.iter().position(|it| *it == byte);
    let (is_host, rest) = match text.strip_prefix(b"[") {
        Some(literal) => match end_of(b']') {
            Some(end) => (is_ipv6(&literal[..end - 1]), &text[end + 1..]),
            None => return false,
        },
        None => {
            let (name, rest) = text.split_at(end_of(b':').unwrap_or(text.len()));
            (is_name(name), rest)
        }
    };
    is_host && (rest.is_empty() || rest.strip_prefix(b":").is_some_and(is_port))
}

fn is_ipv6(address: &[u8]) -> bool {
    str::from_utf8(address).is_ok_and(|it| it.parse::<Ipv6Addr>().is_ok())
}

fn is_port(digits: &[u8]) -> bool {
    let number = digits.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    number.is_some()
}

/// Returns true if the text is a registered name or an IPv4 address: at least one character, each
/// an unreserved one, a sub-delimiter or percent-encoded.
fn is_name(name: &[u8]) -> bool {
    /// True for each byte that needs no percent-encoding.
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0;
        while byte < plain.len() {
            let it = byte as u8;
            plain[byte] = it.is_ascii_alphanumeric()
                || matches!(it, b'&'..=b'.' | b'_' | b'~' | b'!' | b'$' | b';' | b'=');
            byte += 1;
        }
        plain
    };
    let mut rest = name;
    loop {
        rest = match rest {
            [] => return !name.is_empty(),
            [it, rest @ ..] if PLAIN[usize::from(*it)] => rest,
            [b'%', a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest,
            _ => return false,
        };
    }
}

/// Removes the path of the public URL, such as `/cortex`, from the target of a request, if it is
/// there: a proxy may remove it or leave it.
pub(super) fn strip_public_path(request: &mut Request, public_path: &str) {
    if let Some(uri) = without_prefix(request.uri(), public_path) {
        *request.uri_mut() = uri;
    }
}

/// Puts the path of the public URL in front of a redirect to a path of the service.
pub(super) fn prefix_location(headers: &mut HeaderMap, public_path: &str) {
    let location = headers.get(header::LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    if let Some(path) = location.filter(|location| location.starts_with('/'))
        && let Ok(location) = HeaderValue::try_from(format!("{public_path}{path}"))
    {
        headers.insert(header::LOCATION, location);
    }
}

/// Returns the URI without a prefix of its path, if it has that prefix.
fn without_prefix(uri: &Uri, prefix: &str) -> Option<Uri> {
    if prefix.is_empty() {
        return None;
    }
    let rest = uri.path_and_query()?.as_str().strip_prefix(prefix)?;
    let rest = match rest.bytes().next() {
        Some(b'/') => rest.parse::<PathAndQuery>(),
        None | Some(b'?') => format!("/{rest}").parse(),
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for host in [
            "a",
            "example.com:8080",
            "my_service:80",
            "127.0.0.1",
            "[::1]",
            "[2001:db8::7]:443",
            "a:",
            "a%20b",
        ] {
            assert!(is_host(host.as_bytes()), "{host} is a host");
        }
        for host in [
            &b""[..],
            b":80",
            b"a b",
            b"a, b",
            b"a/b",
            b"user@a",
            b"a:x",
            b"a:65536",
            b"a:80:80",
            b"[::1",
            b"[::1]x",
            b"[fe80::1%25eth0]",
            b"::1",
            b"a%2",
            b"a%zz",
            b"\xff",
            b"<b>",
        ] {
            let shown = String::from_utf8_lossy(host);
            assert!(!is_host(host), "{shown} is not a host");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_does() {
        let stripped = |uri: &str| {
            let uri: Uri = uri.parse().unwrap();
            without_prefix(&uri, "/cortex").map(|uri| uri.to_string())
        };
        for (uri, expected) in [
            ("/cortex", Some("/")),
            ("/cortex?a=/b", Some("/?a=/b")),
            ("/cortex/api/1/user?a=b", Some("/api/1/user?a=b")),
            ("http://a:1/cortex/docs/", Some("http://a:1/docs/")),
            ("/cortexx/docs/", None),
            ("/docs/cortex", None),
            ("*", None),
        ] {
            assert_eq!(stripped(uri).as_deref(), expected, "{uri}");
        }
    }
}
