//! The worker that marks and deletes expired rows, a few at a time.

use std::time::Duration;

use super::{Stop, Worker};
use crate::{
    service::Service,
    store::{Result, dead_letter, known_client, outbox, rate_limit, session},
};

/// Limit of rows deleted by one statement, which others may have to wait for.
const BATCH: u64 = 500;
/// Limit of statements per table in one round.
const BATCHES: usize = 20;
/// Time that an expired session is kept, so that its unsent mail is recorded as given up: a mail
/// without its session is removed silently.
const SESSIONS_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Time that a fully replenished limit is kept, so that a client that asks again at once does not
/// collide with the clean-up.
const LIMITS_KEPT_FOR: Duration = Duration::from_secs(60 * 60);
/// Time that mails that were given up are kept for the operator to see.
const DEAD_LETTERS_KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Time that a client stays known after the last login from it.
const CLIENTS_KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Tolerance for stored times that are ahead: the clocks of instances differ a little.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// The longest that a mail waits to be sent once more, with much to spare.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// The worker that marks and deletes expired rows.
pub(crate) struct Cleanup(pub(crate) Service);

impl Worker for Cleanup {
    const NAME: &'static str = "cleanup";
    const INTERVAL: Duration = Duration::from_secs(60);

    async fn round(&self, _: &Stop) -> Result<()> {
        settle_times(&self.0).await?;
        delete(&self.0).await
    }
}

/// Ends what has expired, and what a clock that was ahead made last or wait too long.
pub(crate) async fn settle_times(service: &Service) -> Result<()> {
    let db = service.store.reader();
    let now = service.clock.now();
    session::mark_expired(db, now).await?;
    session::shorten(db, now, CLOCK_TOLERANCE).await?;
    outbox::bring_forward(db, now, now.plus(LONGEST_WAIT)).await
}

async fn delete(service: &Service) -> Result<()> {
    let store = &service.store;
    let now = service.clock.now();
    let sessions = session::expired_before(now.minus(SESSIONS_KEPT_FOR));
    let limits = rate_limit::full_at(now.minus(LIMITS_KEPT_FOR));
    let dead_letters = dead_letter::older_than(now.minus(DEAD_LETTERS_KEPT_FOR));
    store
        .delete::<session::Entity, _>(sessions, BATCH, BATCHES)
        .await?;
    store
        .delete::<rate_limit::Entity, _>(limits, BATCH, BATCHES)
        .await?;
    store
        .delete::<dead_letter::Entity, _>(dead_letters, BATCH, BATCHES)
        .await?;
    let clients = known_client::older_than(now.minus(CLIENTS_KNOWN_FOR));
    store
        .delete::<known_client::Entity, _>(clients, BATCH, BATCHES)
        .await
}
