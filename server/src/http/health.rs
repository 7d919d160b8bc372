//! Liveness, for a supervisor, and readiness, for a load balancer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use poem::{IntoResponse, Response, handler, web::Data};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::unavailable;
use crate::{service::Service, store::StoreError};

/// Time limit for the database to answer. A load balancer seldom waits longer than a second.
const TIMEOUT: Duration = Duration::from_millis(900);
/// Time that the outcome of a probe is reused. A probe writes to the disk, and anybody can request
/// one again and again.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// Health of the service, for its supervisor and load balancer.
#[derive(Default)]
pub(crate) struct Health {
    /// Last probe of the database: its time, and the reason why requests would fail, if any.
    probed: Mutex<Option<(Instant, Option<&'static str>)>>,
    is_draining: AtomicBool,
}

impl Health {
    /// Notes that the service is about to stop.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Probes the database. Returns the reason why requests that write would fail, if any.
    async fn probe(&self, service: &Service) -> Option<&'static str> {
        let mut last = self.probed.lock().await;
        if let Some((at, outcome)) = *last
            && at.elapsed() < KEPT_FOR
        {
            return outcome;
        }
        let (store, now) = (service.store.clone(), service.clock.now());
        // A task of its own, which continues after a time-out.
        let probe = tokio::spawn(async move { store.probe(now).await });
        let outcome = match timeout(TIMEOUT, probe).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "the service is not ready");
                Some(match error {
                    StoreError::Replaced { .. } => "The database's files were removed or replaced.",
                    StoreError::Damaged => "The database is damaged.",
                    _ => "The database is not available, or cannot be written to.",
                })
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("the service is not ready: the database does not answer in time");
                Some("The database does not answer in time.")
            }
        };
        *last = Some((Instant::now(), outcome));
        outcome
    }
}

/// Answers as long as the process runs at all.
#[handler]
pub(super) fn livez() -> &'static str {
    "alive\n"
}

/// Answers 503 while the database cannot be written to, and once the service is about to stop.
#[handler]
pub(super) async fn readyz(
    Data(service): Data<&Service>,
    Data(health): Data<&Arc<Health>>,
) -> Response {
    if health.is_draining() {
        return unavailable("The service is about to stop.");
    }
    match health.probe(service).await {
        None => "ready\n".into_response(),
        Some(reason) => unavailable(reason),
    }
}
