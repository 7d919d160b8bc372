//! Whether the service lives, and whether it can take requests: for who restarts it, and for who
//! sends it requests.

use std::{sync::atomic::Ordering, time::Duration};

use openapi_lockstep_runtime::Rejection;
use poem::{
    IntoResponse, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};

use crate::service::{RETRY_AFTER, Service};

/// How long the database may take to answer. Who asks seldom waits longer than a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// Answers as long as the process does anything at all.
#[handler]
pub(super) fn livez() -> &'static str {
    "alive\n"
}

/// Answers 503 while the database does not answer, and once the service is about to stop.
#[handler]
pub(super) async fn readyz(Data(service): Data<&Service>) -> Response {
    if service.draining.load(Ordering::Relaxed) {
        return not_ready("The service is about to stop.");
    }
    match tokio::time::timeout(PATIENCE, service.store.ping()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            not_ready("The database is not available.")
        }
        Err(_) => {
            tracing::warn!("not ready: the database does not answer in time");
            not_ready("The database does not answer in time.")
        }
    }
}

fn not_ready(detail: &str) -> Response {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))
        .into_response()
}
