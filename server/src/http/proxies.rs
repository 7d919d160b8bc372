//! What the proxies in front of the service say of a request, if they are to be believed.

use std::net::{IpAddr, SocketAddr};

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use poem::{Addr, Request, http::HeaderMap};

use crate::config::Network;

/// The header with the addresses that a request came through, the last one nearest.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// The header with the id of a request.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Where a request comes from, and what it is called.
pub(super) struct Origin {
    pub(super) client: IpAddr,
    /// The id that a proxy gave it.
    pub(super) request_id: Option<String>,
    /// The trace that it is part of.
    pub(super) trace: Option<Context>,
}

impl Origin {
    pub(super) fn of(request: &Request, trusted: &[Network]) -> Self {
        let peer = match &request.remote_addr().0 {
            Addr::SocketAddr(address) => address.ip().to_canonical(),
            // The service listens on TCP alone.
            Addr::Unix(_) | Addr::Custom(..) => IpAddr::from([0, 0, 0, 0]),
        };
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            return Self {
                client: peer,
                request_id: None,
                trace: None,
            };
        }
        // Each proxy adds whom it was asked by: the first that is none of ours is the client, and
        // what stands before it is what the client says.
        let mut client = peer;
        for hop in hops(request.headers()) {
            let Some(address) = hop else {
                break;
            };
            client = address;
            if !is_trusted(address) {
                break;
            }
        }
        let id = request.header(REQUEST_ID).filter(|id| is_plain(id));
        let headers = Headers(request.headers());
        Self {
            client,
            request_id: id.map(str::to_owned),
            trace: Some(TraceContextPropagator::new().extract(&headers)),
        }
    }
}

/// The addresses that a request came through, the nearest first; none where there is something
/// else.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(','))
        .map(|hop| {
            let hop = hop.trim();
            let with_port = || hop.parse().ok().map(|address: SocketAddr| address.ip());
            let address = hop.parse().ok().or_else(with_port);
            address.map(|address: IpAddr| address.to_canonical())
        })
}

/// Whether a text may stand in a log and in a header as it is.
fn is_plain(id: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
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
