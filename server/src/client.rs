//! Client of a request: its address and its program.

use std::{fmt, net::IpAddr};

use poem::{Addr, Request, http::header};

use crate::user_agent;

/// The sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The client has this address.
    Known(IpAddr),
    /// A trusted proxy does not name the client, or not readably. All such requests count as one
    /// client.
    Unknown,
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => address.fmt(formatter),
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}

/// Client and method of a request, as determined by the middleware. Absent if they are those of the
/// connection.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) by: Client,
    /// True if the request was sent as HEAD; it is answered as GET.
    pub(crate) is_head: bool,
}

/// Returns the address at the other end of a request's connection.
pub(crate) fn peer(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip().to_canonical()),
        // The service listens on TCP alone.
        Addr::Unix(_) | Addr::Custom(..) => None,
    }
}

/// Returns the client that a request comes from.
pub(crate) fn client(request: &Request) -> Client {
    match (request.data::<Sent>(), peer(request)) {
        (Some(sent), _) => sent.by,
        (None, Some(address)) => Client::Known(address),
        (None, None) => Client::Unknown,
    }
}

/// Returns true if the request was sent as HEAD, and so must not change anything.
pub(crate) fn is_head(request: &Request) -> bool {
    request.data::<Sent>().is_some_and(|it| it.is_head)
}

/// Returns the browser or program that sends a request, as it is shown to people.
pub(crate) fn user_agent(request: &Request) -> String {
    user_agent::describe(request.header(header::USER_AGENT).unwrap_or_default())
}
