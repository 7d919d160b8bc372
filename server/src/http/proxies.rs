//! Headers of trusted proxies: the client of a request, its id and its trace.

use std::{net::IpAddr, sync::Once};

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use poem::{
    Request,
    http::{HeaderMap, HeaderName},
    web::RemoteAddr,
};

use crate::{
    client::{Client, peer},
    network::Network,
    telemetry::{RequestId, is_plain},
};

/// Usual header with the addresses that a request came through, the nearest one last.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Standard header for the same purpose (RFC 7239).
const FORWARDED: &str = "forwarded";
/// Header with the id of a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Proxies whose headers are trusted.
pub(crate) struct TrustedProxies {
    networks: Box<[Network]>,
    unknown_client: Once,
}

impl TrustedProxies {
    pub(crate) fn new(networks: &[Network]) -> Self {
        Self {
            networks: networks.into(),
            unknown_client: Once::new(),
        }
    }

    /// Returns true if the address belongs to a trusted proxy.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// Warns, once, of a trusted proxy that does not name its clients.
    pub(super) fn warn_of_unknown_client(&self, proxy: &RemoteAddr) {
        self.unknown_client.call_once(|| {
            tracing::warn!(
                %proxy,
                "a trusted proxy does not name the client of a request in X-Forwarded-For or \
                 Forwarded, or not readably; all such requests count as one unknown client, and \
                 this is logged only once"
            );
        });
    }
}

/// The client of a request, with the request id and trace that a trusted proxy gave it.
pub(super) struct Origin {
    pub(super) client: Client,
    /// The id that a proxy gave it.
    pub(super) request_id: Option<RequestId>,
    /// The trace that it is part of.
    pub(super) trace: Option<Context>,
}

impl Origin {
    pub(super) fn of(request: &Request, trusted: &TrustedProxies) -> Self {
        if let Some(peer) = peer(request).filter(|peer| !trusted.contains(*peer)) {
            return Self {
                client: Client::Known(peer),
                request_id: None,
                trace: None,
            };
        }
        let headers = Headers(request.headers());
        Self {
            client: client(request.headers(), trusted),
            request_id: request.header(REQUEST_ID).and_then(RequestId::new),
            trace: Some(TraceContextPropagator::new().extract(&headers)),
        }
    }
}

/// Returns the client that the trusted proxies name.
///
/// Each proxy appends the address from which it got the request: the nearest one that is not a
/// trusted proxy is the client, and the addresses before it are only claims of the client. If a
/// trusted proxy names no address, or not readably, the client is unknown: the proxy itself never
/// counts as the client.
fn client(headers: &HeaderMap, trusted: &TrustedProxies) -> Client {
    let mut client = Client::Unknown;
    for hop in hops(headers) {
        let Some(address) = hop else {
            return Client::Unknown;
        };
        client = Client::Known(address);
        if !trusted.contains(address) {
            break;
        }
    }
    client
}

/// Returns the addresses that a request came through, the nearest first, with `None` for an entry
/// that is not an address. If a proxy has set X-Forwarded-For, Forwarded is ignored, since it may
/// come from the client.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = |name: &str| {
        let lines = headers.get_all(name).iter().rev();
        lines.map(|line| line.as_bytes()).collect::<Vec<_>>()
    };
    let members = |lines: Vec<&[u8]>, address: fn(&[u8]) -> Option<IpAddr>| {
        let members = lines.into_iter().flat_map(|line| {
            let mut members = split(line, b',');
            members.reverse();
            members
        });
        // RFC 9110, 5.6.1: an empty member of a list is ignored.
        let members = members.filter(|member| !member.trim_ascii().is_empty());
        members.map(address).collect()
    };
    match headers.contains_key(FORWARDED_FOR) {
        true => members(lines(FORWARDED_FOR), address),
        false => members(lines(FORWARDED), forwarded_for),
    }
}

/// Returns the address of the parameter `for` of a member of Forwarded.
fn forwarded_for(member: &[u8]) -> Option<IpAddr> {
    let parameters = split(member, b';').into_iter();
    let mut values = parameters.filter_map(|parameter| {
        let equals = parameter.iter().position(|it| *it == b'=')?;
        let (name, value) = parameter.split_at(equals);
        let is_for = name.trim_ascii().eq_ignore_ascii_case(b"for");
        is_for.then_some(&value[1..])
    });
    match (values.next(), values.next()) {
        (Some(value), None) => address(value),
        _ => None,
    }
}

/// Splits a text at the separators outside of quotes. A quote that is not closed is ignored:
/// otherwise a client could hide in it the text that a proxy appends.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|it| {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match it {
            b'"' if !was_escaped => is_quoted = !is_quoted,
            b'\\' if is_quoted && !was_escaped => is_escaped = true,
            _ => {}
        }
        *it == separator && !is_quoted
    });
    let parts = parts.collect();
    match is_quoted {
        true => text.split(|it| *it == separator).collect(),
        false => parts,
    }
}

/// Parses the address of a node, as proxies write it: IPv6 in brackets or not, with a port or
/// without, with a zone or without, in quotes or not. `unknown` and the names that RFC 7239 calls
/// obfuscated are not addresses.
fn address(node: &[u8]) -> Option<IpAddr> {
    let node = str::from_utf8(node).ok()?.trim();
    let quoted = node.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let node = match quoted {
        Some(quoted) => quoted.replace('\\', ""),
        None => node.to_owned(),
    };
    let (host, port) = match node.strip_prefix('[') {
        Some(literal) => {
            let (host, rest) = literal.split_once(']')?;
            match rest {
                "" => (host, None),
                _ => (host, Some(rest.strip_prefix(':')?)),
            }
        }
        None => match node.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (node.as_str(), None),
        },
    };
    let is_port = |port: &str| match port.strip_prefix('_') {
        Some(name) => is_plain(name),
        None => port.parse::<u16>().is_ok(),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    let host = host
        .split_once('%')
        .map_or(host, |(address, _zone)| address);
    let address = host.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_unspecified()).then_some(address)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
