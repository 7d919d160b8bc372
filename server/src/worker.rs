//! Background work: workers, each of which does a round of its work, waits, and does the next.

mod cleanup;
mod outbox;

use std::{future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

pub(crate) use cleanup::{Cleanup, settle_times};
pub(crate) use outbox::Outbox;

use crate::{service::Service, store::Result};

/// Time limit for the rounds that are under way when the service stops.
const GRACE: Duration = Duration::from_secs(5);

/// A worker. Its round may be dropped at any point.
pub(crate) trait Worker: Send + Sync + 'static {
    /// The name of the worker in the log and the metrics.
    const NAME: &'static str;
    /// The pause between two rounds.
    const INTERVAL: Duration;

    /// Does what is due, and begins nothing more once it has to stop.
    fn round(&self, stop: &Stop) -> impl Future<Output = Result<()>> + Send;

    /// Ends the pause before its time, if something can.
    fn wake(&self) -> Option<&Notify> {
        None
    }
}

/// Tells a worker whether it has to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    pub(crate) fn is_due(&self) -> bool {
        // The sender is dropped to stop the workers.
        self.0.has_changed().is_err()
    }

    async fn due(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// The workers that run.
pub(crate) struct Workers {
    service: Service,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Makes a supervisor without workers.
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service,
            stop: watch::Sender::new(()),
            tasks: JoinSet::new(),
        }
    }

    /// Starts a worker, whose first round begins at once.
    pub(crate) fn start(&mut self, worker: impl Worker) {
        let stop = Stop(self.stop.subscribe());
        self.tasks
            .spawn(supervise(worker, self.service.clone(), stop));
    }

    /// Lets the rounds that are under way finish, for [`GRACE`] at most.
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
    loop {
        match AssertUnwindSafe(worker.round(&stop)).catch_unwind().await {
            Ok(Ok(())) => service.metrics.note_success(W::NAME, service.clock.now()),
            Ok(Err(error)) => tracing::warn!(worker = W::NAME, %error, "a worker failed"),
            // The hook has logged it.
            Err(_) => {}
        }
        let woken = async {
            match worker.wake() {
                Some(wake) => wake.notified().await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(W::INTERVAL) => {}
            () = woken => {}
            () = stop.due() => return,
        }
    }
}
