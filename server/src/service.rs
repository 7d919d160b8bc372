//! The service: what every operation works with, and how an error of it is answered.

use std::{
    fmt,
    net::IpAddr,
    ops::Deref,
    sync::{Arc, atomic::AtomicBool},
};

use cortex_report_api::server::{
    Failure,
    types::{InvalidMember, ProblemCode},
};
use poem::{Addr, Request, http::header};
use tokio::sync::Notify;

use crate::{
    auth::Sessions,
    clock::Clock,
    config::{MailLimits, PublicUrl, Registration},
    http::{Readiness, TrustedProxies},
    metrics::Metrics,
    random::Random,
    secret::ServerKey,
    store::{Store, StoreError, batch::Batch, new_app::NewApp},
    user_agent,
};

/// Value of Retry-After, in seconds, while the database is not available.
pub(crate) const RETRY_AFTER: i64 = 5;

/// The service. A clone is the same one.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// State shared by all operations.
pub struct Parts {
    pub(crate) store: Store,
    /// The applications that wait to be created.
    pub(crate) new_apps: Arc<Batch<NewApp>>,
    pub(crate) sessions: Sessions,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) key: ServerKey,
    pub(crate) public_url: PublicUrl,
    pub(crate) registration: Registration,
    pub(crate) mail_limits: MailLimits,
    /// The proxies that are trusted to name the client of a request.
    pub(crate) trusted_proxies: Arc<TrustedProxies>,
    /// Wakes the worker that sends mails.
    pub(crate) mail_is_due: Notify,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    /// Set once the service is about to stop.
    pub(crate) draining: AtomicBool,
}

/// The sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// An address.
    Known(IpAddr),
    /// A trusted proxy does not say, or not readably, who asked it. All such requests count as one
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

/// The sender of a request and its method as the middleware has found them out; absent where they are
/// what the connection says.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) by: Client,
    /// True if the request was sent as HEAD; it is answered as GET.
    pub(crate) is_head: bool,
}

/// The address at the other end of a request's connection.
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

/// The browser or program that sends a request, as a person is shown it.
pub(crate) fn user_agent(request: &Request) -> String {
    user_agent::describe(request.header(header::USER_AGENT).unwrap_or_default())
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "a request found no database");
                Self::service_unavailable(
                    ProblemCode::Unavailable,
                    format!("The database is not available. Try again in {RETRY_AFTER} seconds."),
                    RETRY_AFTER,
                )
            }
            StoreError::Replaced { .. } | StoreError::Damaged => {
                tracing::error!(%error, "a request found no usable database");
                Self::service_unavailable(
                    ProblemCode::Unavailable,
                    "The database is not available. The operator finds the reason in the log.",
                    RETRY_AFTER,
                )
            }
            StoreError::NotReady | StoreError::Connect(_) | StoreError::Refused(_) => {
                tracing::error!(%error, "a request failed");
                Self::internal_server_error(
                    ProblemCode::InternalError,
                    "The service failed. The operator finds the reason in its log.",
                )
            }
        }
    }
}

/// The answer to who may not do what they ask, or asks for what is not there: the same for both.
pub(crate) fn not_allowed() -> Failure {
    Failure::forbidden(
        ProblemCode::NotAllowed,
        "There is no such thing, or you may not do this with it.",
    )
}

/// The answer to one wrong member that only the service can tell.
pub(crate) fn invalid(pointer: &str, detail: impl ToString) -> Failure {
    Failure::bad_request(
        ProblemCode::InvalidRequest,
        "The request is not as documented; see errors.",
        vec![InvalidMember {
            pointer: pointer.to_owned(),
            detail: detail.to_string(),
        }],
    )
}
