//! Service: the state that all operations share, and the answers to their errors.

use std::{ops::Deref, sync::Arc};

use chrono::{DateTime, Utc};
use cortex_report_api::server::{
    Failure,
    types::{InvalidMember, ProblemCode},
};
use tokio::sync::Notify;

use crate::{
    clock::{Clock, Timestamp},
    config::{MailLimits, Registration},
    metrics::Metrics,
    public_url::PublicUrl,
    random::Random,
    server_key::ServerKey,
    store::{
        self, Store, StoreError, Writer,
        batch::Batch,
        changes::{self, Change},
        events::Events,
        new_app::NewApp,
        session_cache::SessionCache,
    },
    text::check_name,
};

/// Value of Retry-After, in seconds, while the database is not available.
pub(crate) const RETRY_AFTER: i64 = 5;

/// The service. Clones share their state.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Commits a transaction that changes sessions, users or memberships, and lets every instance
    /// read them again.
    ///
    /// # Errors
    ///
    /// The database failed; the change may be committed all the same.
    pub(crate) async fn commit_change(&self, writer: Writer, change: &Change) -> store::Result<()> {
        let committed = match changes::tell(&writer, change).await {
            Ok(()) => writer.commit().await,
            Err(error) => Err(error),
        };
        // Even after an error, since the change may be committed.
        self.sessions.forget(change);
        committed
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
    /// Applications that wait to be created.
    pub(crate) new_apps: Arc<Batch<NewApp>>,
    pub(crate) events: Events,
    pub(crate) sessions: SessionCache,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) key: ServerKey,
    pub(crate) public_url: PublicUrl,
    pub(crate) registration: Registration,
    pub(crate) mail_limits: MailLimits,
    /// Wakes the worker that sends mails.
    pub(crate) mail_is_due: Notify,
    pub(crate) metrics: Metrics,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "a request failed because the database is not available");
                Self::service_unavailable(
                    ProblemCode::Unavailable,
                    format!("The database is not available. Try again in {RETRY_AFTER} seconds."),
                    RETRY_AFTER,
                )
            }
            StoreError::Replaced { .. } | StoreError::Damaged => {
                tracing::error!(%error, "a request failed because the database is not usable");
                Self::service_unavailable(
                    ProblemCode::Unavailable,
                    "The database is not available. The operator finds the reason in the log.",
                    RETRY_AFTER,
                )
            }
            StoreError::NotReady | StoreError::Connect(_) | StoreError::Refused(_) => {
                tracing::error!(%error, "a request failed");
                internal_error()
            }
        }
    }
}

/// Returns the error for a request that failed for a reason that is in the log.
pub(crate) fn internal_error() -> Failure {
    Failure::internal_server_error(
        ProblemCode::InternalError,
        "The service failed. The operator finds the reason in its log.",
    )
}

/// Returns the error for a request that the user may not make, or that is for something that does
/// not exist: the same for both.
pub(crate) fn not_allowed() -> Failure {
    Failure::forbidden(
        ProblemCode::NotAllowed,
        "There is no such thing, or you may not do this with it.",
    )
}

/// Returns the error for a request that the user may not make, for a reason that is no secret.
pub(crate) fn not_allowed_since(reason: impl Into<String>) -> Failure {
    Failure::forbidden(ProblemCode::NotAllowed, reason)
}

/// Checks a name or label, and returns it without the white space around it; `pointer` is the place
/// in the request that an error reports.
///
/// # Errors
///
/// 400 if it has characters that the pattern in the document cannot express.
pub(crate) fn checked_name<'a>(name: &'a str, pointer: &str) -> Result<&'a str, Failure> {
    check_name(name).map_err(|error| invalid(pointer, error))
}

/// Checks that the member `ends_at` of a request is in the future.
///
/// # Errors
///
/// 400 if it is not.
pub(crate) fn end_in_future(
    ends_at: Option<DateTime<Utc>>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let ends_at = ends_at.map(Timestamp::from);
    match ends_at {
        Some(ends_at) if ends_at <= now => Err(invalid("/body/ends_at", "is not in the future")),
        ends_at => Ok(ends_at),
    }
}

/// Returns the error for a wrong member of a request that only the service can detect.
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

/// Returns a count as a reply has it.
pub(crate) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
