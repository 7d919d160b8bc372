//! Background workers: each repeats rounds of its work, with a pause between them.

mod cleanup;
mod expiry;
mod outbox;
#[cfg(feature = "events")]
mod sealing;
#[cfg(feature = "events")]
mod upkeep;

use std::{future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

pub(crate) use cleanup::Cleanup;
pub(crate) use expiry::{Expiry, settle_times};
pub(crate) use outbox::Outbox;
#[cfg(feature = "events")]
pub(crate) use {sealing::Sealing, upkeep::Upkeep};

use crate::{service::Service, store::StoreError};

/// Error of a round of a worker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lake failed.
    #[cfg(feature = "events")]
    #[error(transparent)]
    Lake(#[from] cortex_report_lake::LakeError),
    /// A row of the inbox cannot be read.
    #[cfg(feature = "events")]
    #[error(
        "row {0} of the inbox cannot be read at column {1}; a newer version may have written it"
    )]
    Unreadable(i64, usize),
}

/// Outcome of a round of a worker.
type Result<T> = std::result::Result<T, WorkerError>;

/// Time limit for rounds in progress when the service stops.
const GRACE: Duration = Duration::from_secs(5);

/// A worker. Its round may be dropped at any point.
pub(crate) trait Worker: Send + Sync + 'static {
    /// Name of the worker in the log and the metrics.
    const NAME: &'static str;
    /// Pause between two rounds.
    const INTERVAL: Duration;
    /// Pause before the first round.
    const DELAY: Duration = Duration::ZERO;

    /// Does the work that is due; starts nothing new once `stop` is due.
    fn round(&self, stop: &Stop) -> impl Future<Output = Result<()>> + Send;

    /// Notification that ends the pause early, if the worker has one.
    fn wake(&self) -> Option<&Notify> {
        None
    }
}

/// Request to a worker to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    pub(crate) fn is_due(&self) -> bool {
        // Dropping the sender stops the workers.
        self.0.has_changed().is_err()
    }

    async fn due(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Supervisor of the running workers.
pub(crate) struct Workers {
    service: Service,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Creates a supervisor without workers.
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service,
            stop: watch::Sender::new(()),
            tasks: JoinSet::new(),
        }
    }

    /// Starts a worker.
    pub(crate) fn start(&mut self, worker: impl Worker) {
        let stop = Stop(self.stop.subscribe());
        self.tasks
            .spawn(supervise(worker, self.service.clone(), stop));
    }

    /// Lets rounds in progress finish, for [`GRACE`] at most.
    pub(crate) async fn stop(mut self) {
        drop(self.stop);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// Runs a worker until it has to stop. A round that fails or panics is followed by the next.
async fn supervise<W: Worker>(worker: W, service: Service, mut stop: Stop) {
    let mut pause = W::DELAY;
    loop {
        let woken = async {
            match worker.wake() {
                Some(wake) => wake.notified().await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = woken => {}
            () = stop.due() => return,
        }
        pause = W::INTERVAL;
        match AssertUnwindSafe(worker.round(&stop)).catch_unwind().await {
            Ok(Ok(())) => service.metrics.note_success(W::NAME, service.clock.now()),
            Ok(Err(error)) => tracing::warn!(worker = W::NAME, %error, "a worker failed"),
            // The panic hook has logged it.
            Err(_) => {}
        }
    }
}
