//! The service: what every operation works with, and how an error of it is answered.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::AtomicBool},
};

use cortex_report_api::server::{Failure, InvalidMember, ProblemCode};
use poem::{Request, http::header};
use tokio::sync::Notify;

use crate::{
    clock::Clock,
    config::{MailLimits, Network, PublicUrl, Registration},
    http::Readiness,
    metrics::Metrics,
    random::Random,
    secret::ServerKey,
    store::{Store, StoreError},
    user_agent,
};

/// How long a client is told to wait when the database is not available, in seconds.
pub(crate) const RETRY_AFTER: i64 = 5;

/// What every operation works with. A clone is the same service.
#[derive(Clone)]
pub struct Service {
    pub(crate) store: Store,
    pub(crate) clock: Arc<Clock>,
    pub(crate) random: Arc<Random>,
    pub(crate) key: ServerKey,
    pub(crate) public_url: PublicUrl,
    pub(crate) registration: Registration,
    pub(crate) mail_limits: MailLimits,
    /// Who is believed about where a request comes from.
    pub(crate) trusted_proxies: Arc<[Network]>,
    /// Wakes the worker that sends mails.
    pub(crate) mail_is_due: Arc<Notify>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
    /// Whether it is about to stop.
    pub(crate) draining: Arc<AtomicBool>,
}

/// The address that a request comes from, as what surrounds it has found out.
#[derive(Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Where a request comes from.
pub(crate) fn client(request: &Request) -> IpAddr {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    request.data().map_or(unknown, |Client(address)| *address)
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
            StoreError::NotReady | StoreError::Url | StoreError::Refused(_) => {
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
