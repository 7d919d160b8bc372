//! The worker that marks expired sessions.

use std::time::Duration;

use super::{Stop, Worker};
use crate::{
    service::Service,
    store::{Result, outbox, session},
};

/// Tolerance for stored times that are ahead: the clocks of instances differ a little.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// Maximum time until a mail is sent again; far above the longest delay between retries.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// The worker that marks expired sessions. The start of the service has done its first round.
pub(crate) struct Expiry(pub(crate) Service);

impl Worker for Expiry {
    const NAME: &'static str = "expiry";
    const INTERVAL: Duration = Duration::from_secs(60);
    const DELAY: Duration = Self::INTERVAL;

    async fn round(&self, _: &Stop) -> super::Result<()> {
        Ok(settle_times(&self.0).await?)
    }
}

/// Marks expired sessions, and shortens sessions and delays that were recorded by a clock that was
/// ahead.
pub(crate) async fn settle_times(service: &Service) -> Result<()> {
    let db = service.store.reader();
    let now = service.clock.now();
    session::mark_expired(db, now).await?;
    session::shorten(db, now, CLOCK_TOLERANCE).await?;
    outbox::bring_forward(db, now, now.plus(LONGEST_WAIT)).await
}
