//! The worker that sends the mails that are owed.

use std::{sync::Arc, time::Duration};

use super::{Link, LoginMail, MailError, Transport};
use crate::{
    address::EmailAddress,
    clock::Timestamp,
    config::Registration,
    service::Service,
    store::{Result, mail, session, user},
};

/// How long the worker sleeps when nobody wakes it: how late a postponed mail can be.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long until a mail that failed is tried again for the first time; then twice as long each
/// time.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The worker that sends the mails that are owed.
pub struct Outbox {
    service: Service,
    transport: Arc<dyn Transport>,
}

impl Outbox {
    /// A worker for the mails of a service.
    pub fn new(service: Service, transport: Arc<dyn Transport>) -> Self {
        Self { service, transport }
    }

    /// Sends what is due, now and from then on. Never ends by itself; may be dropped at any time,
    /// at worst a mail is sent twice.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.send_due().await {
                tracing::warn!(%error, "the outbox cannot be read");
            }
            let wait = tokio::time::sleep(POLL_INTERVAL);
            tokio::select! {
                () = wait => {}
                () = self.service.mail_is_due.notified() => {}
            }
        }
    }

    async fn send_due(&self) -> Result<()> {
        let store = &self.service.store;
        let now = self.service.clock.now();
        for mail in mail::list_due(store.reader(), now).await? {
            let now = self.service.clock.now();
            match self.send(&mail, now).await? {
                Ok(()) => mail::remove(store.reader(), &mail).await?,
                Err(error) => {
                    tracing::warn!(mail = mail.id, %error, "a mail could not be sent");
                    let doublings = u32::try_from(mail.attempts).unwrap_or(0).min(16);
                    let wait = FIRST_RETRY * 2_u32.pow(doublings);
                    mail::postpone(store.reader(), &mail, now.plus(wait)).await?;
                }
            }
        }
        Ok(())
    }

    /// Sends one mail, or leaves it if nobody waits for it any more or may get it.
    async fn send(&self, mail: &mail::Model, now: Timestamp) -> Result<Result<(), MailError>> {
        let service = &self.service;
        let db = service.store.reader();
        let session = session::find(db, mail.session_id).await?;
        let Some(session) = session.filter(|session| session.can_be_verified(now)) else {
            return Ok(Ok(()));
        };
        let Ok(to) = EmailAddress::parse(&session.email) else {
            return Ok(Ok(()));
        };
        if service.registration == Registration::Closed
            && user::find_by_email(db, &to).await?.is_none()
        {
            return Ok(Ok(()));
        }
        let token = service.key.link_token(&session.nonce);
        let login = LoginMail {
            to: &to,
            link: Link::new(&service.public_url, &token),
            client: &session.client,
            asked_at: session.created_at,
            lives_for: session::PENDING_FOR,
        };
        let id = format!("login-{}-{}", session.created_at.0, session.id);
        Ok(match login.message(&id, now) {
            Ok(message) => self.transport.send(&id, message).await,
            Err(error) => Err(error),
        })
    }
}
