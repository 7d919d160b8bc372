//! The worker that deletes expired rows, a few at a time.

use std::time::Duration;

use super::{Stop, Worker};
use crate::{
    service::Service,
    store::{Result, dead_letter, invitation, known_client, org, rate_limit, session, token},
};

/// Limit of rows deleted by one statement, since other statements may have to wait for it.
const BATCH: u64 = 500;
/// Limit of statements per table in one round.
const BATCHES: usize = 20;
/// Time that an expired session is kept, so that its unsent mail is recorded as given up: a mail
/// without its session is removed silently.
const SESSIONS_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Time that a fully replenished limit is kept, so that a client that asks again at once does not
/// collide with the clean-up.
const LIMITS_KEPT_FOR: Duration = Duration::from_secs(60 * 60);
/// Time that mails that were given up stay in the operator's list.
const DEAD_LETTERS_KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Time that a client stays known after the last login from it.
const CLIENTS_KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Time that an expired invitation is kept, so that its unsent mail is recorded as given up.
const INVITATIONS_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Time that a service token is kept after its end.
const TOKENS_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The worker that deletes expired rows.
pub(crate) struct Cleanup(pub(crate) Service);

impl Worker for Cleanup {
    const NAME: &'static str = "cleanup";
    const INTERVAL: Duration = Duration::from_secs(60);

    async fn round(&self, _: &Stop) -> super::Result<()> {
        delete(&self.0).await?;
        // An older instance beside this one may have made some.
        Ok(org::name_all(&self.0.store).await?)
    }
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
    let invitations = invitation::expired_before(now.minus(INVITATIONS_KEPT_FOR));
    store
        .delete::<invitation::Entity, _>(invitations, BATCH, BATCHES)
        .await?;
    let tokens = token::ended_before(now.minus(TOKENS_KEPT_FOR));
    store
        .delete::<token::Entity, _>(tokens, BATCH, BATCHES)
        .await?;
    let clients = known_client::older_than(now.minus(CLIENTS_KNOWN_FOR));
    store
        .delete::<known_client::Entity, _>(clients, BATCH, BATCHES)
        .await
}
