//! The worker that sends queued mails.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use lettre::message::Mailbox;
use tokio::sync::Notify;

use super::{Stop, Worker, expiry::LONGEST_WAIT};
use crate::{
    address::EmailAddress,
    auth::verify::Account,
    clock::Timestamp,
    mail::{InvitationMail, Link, LoginMail, MailError, Transport},
    metrics::MailOutcome,
    service::Service,
    store::{
        Result, dead_letter, invitation, org,
        outbox::{self, Subject},
        session::{self, State},
    },
};

/// Number of mails sent at a time, so that a server that hangs on some does not delay all.
const AT_A_TIME: usize = 4;
/// Time beyond the transport's own limit before another instance may try the same mail: recording
/// the outcome takes time too, and clocks differ.
const MARGIN: Duration = Duration::from_secs(30);
/// Time until a failed mail is tried again for the first time. It doubles with each further
/// failure, up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// The same for invitations, which can be accepted for days.
const LAST_RETRY_OF_INVITATION: Duration = LONGEST_WAIT;

/// The worker that sends queued mails.
pub struct Outbox {
    service: Service,
    transport: Arc<dyn Transport>,
    from: Mailbox,
}

/// The outcome of an attempt to send a mail.
enum Sent {
    /// The mail was accepted.
    Done,
    /// The address may not get a mail.
    Dropped,
    /// The attempt failed and will be repeated.
    Failed(MailError),
    /// The mail will not be sent.
    Dead(String),
}

impl Outbox {
    /// Creates a worker that sends the mails of a service with `from` as their sender.
    pub fn new(service: Service, transport: Arc<dyn Transport>, from: Mailbox) -> Self {
        Self {
            service,
            transport,
            from,
        }
    }
}

impl Worker for Outbox {
    const NAME: &'static str = "outbox";
    const INTERVAL: Duration = Duration::from_secs(1);

    /// Sends the mails that are due. If the future is dropped, a mail may be sent twice.
    async fn round(&self, stop: &Stop) -> super::Result<()> {
        loop {
            let now = self.service.clock.now();
            let mails = outbox::list_due(self.service.store.reader(), now).await?;
            if mails.is_empty() || stop.is_due() {
                return Ok(());
            }
            let failures = AtomicUsize::new(0);
            stream::iter(mails)
                .take_while(|_| future::ready(!stop.is_due()))
                .for_each_concurrent(AT_A_TIME, async |mail| {
                    if let Err(error) = self.deliver(&mail).await {
                        failures.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!(mail = mail.id, %error, "a database error delays a mail");
                    }
                })
                .await;
            if failures.into_inner() > 0 {
                // After a pause: the mails that failed are due still.
                return Ok(());
            }
        }
    }

    fn wake(&self) -> Option<&Notify> {
        Some(&self.service.mail_is_due)
    }
}

impl Outbox {
    /// Sends a mail, and records the outcome.
    async fn deliver(&self, mail: &outbox::Model) -> Result<()> {
        let db = self.service.store.reader();
        let now = self.service.clock.now();
        if !outbox::claim(db, mail, now.plus(self.transport.deadline() + MARGIN)).await? {
            return Ok(());
        }
        let subject = outbox::find_subject(db, mail).await?;
        let Some(subject) = subject.filter(is_wanted) else {
            return outbox::remove(db, mail).await;
        };
        let metrics = &self.service.metrics;
        match self.send(mail, &subject, now).await? {
            Sent::Done => {
                metrics.count_mail(MailOutcome::Sent);
                outbox::remove(db, mail).await
            }
            Sent::Dropped => outbox::remove(db, mail).await,
            Sent::Failed(error) => {
                metrics.count_mail(MailOutcome::Postponed);
                tracing::warn!(
                    mail = mail.id,
                    error = error.for_log(),
                    "a mail could not be sent and will be retried"
                );
                let last = match subject {
                    Subject::Login(_) => LAST_RETRY,
                    Subject::Invitation(_) => LAST_RETRY_OF_INVITATION,
                };
                let delay = retry_delay(mail.attempts, last);
                let due_at = self.service.clock.now().plus(delay);
                outbox::postpone(db, mail, due_at, &error.to_string()).await
            }
            Sent::Dead(error) => {
                metrics.count_mail(MailOutcome::GivenUp);
                tracing::warn!(
                    mail = mail.id,
                    "a mail was given up; see: cortex-reportd mail dead"
                );
                let writer = self.service.store.begin().await?;
                dead_letter::add(&writer, mail, &subject, &error, now).await?;
                outbox::remove(&writer, mail).await?;
                writer.commit().await
            }
        }
    }

    /// Sends a mail, unless its subject has expired or the address may not get one.
    async fn send(&self, mail: &outbox::Model, subject: &Subject, now: Timestamp) -> Result<Sent> {
        let (is_late, kind) = match subject {
            Subject::Login(session) => (!session.can_be_verified(now), "login"),
            Subject::Invitation(invitation) => (invitation.ends_at <= now, "invitation"),
        };
        if is_late {
            let last = mail.error.as_deref().unwrap_or("no attempt was made");
            return Ok(Sent::Dead(format!("the {kind} expired; {last}")));
        }
        let Ok(to) = EmailAddress::parse(subject.email()) else {
            return Ok(Sent::Dropped);
        };
        let (id, message) = match subject {
            Subject::Login(session) => {
                let service = &self.service;
                let db = service.store.reader();
                if Account::is_closed(db, service.registration, &to, now).await? {
                    return Ok(Sent::Dropped);
                }
                let id = format!("login-{}-{}", session.created_at.0, session.id);
                (id.clone(), self.login(session, &to).message(&id, now))
            }
            Subject::Invitation(invitation) => {
                let db = self.service.store.reader();
                let Some(org) = org::find_by_id(db, invitation.org_id).await? else {
                    return Ok(Sent::Dropped);
                };
                let id = format!("invitation-{}-{}", invitation.created_at.0, invitation.id);
                let mail = self.invitation(invitation, &org.name, &to);
                (id.clone(), mail.message(&id, now))
            }
        };
        let sent = match message {
            Ok(message) => self.transport.send(&id, message).await,
            Err(error) => Err(error),
        };
        Ok(match sent {
            Ok(()) => Sent::Done,
            Err(error) if error.is_final() => Sent::Dead(error.to_string()),
            Err(error) => Sent::Failed(error),
        })
    }

    fn login<'a>(&'a self, session: &'a session::Model, to: &'a EmailAddress) -> LoginMail<'a> {
        let token = self.service.key.link_token(&session.nonce);
        LoginMail {
            from: &self.from,
            to,
            link: Link::new(&self.service.public_url, &token),
            client: &session.client,
            asked_at: session.created_at,
            lives_for: session::PENDING_FOR,
        }
    }

    fn invitation<'a>(
        &'a self,
        invitation: &'a invitation::Model,
        org: &'a str,
        to: &'a EmailAddress,
    ) -> InvitationMail<'a> {
        InvitationMail {
            from: &self.from,
            to,
            public_url: &self.service.public_url,
            org,
            role: invitation.role.name(),
            invited_by: &invitation.invited_by,
            ends_at: invitation.ends_at,
        }
    }
}

/// Returns false if a mail is not needed any more: its login was verified or invalidated.
fn is_wanted(subject: &Subject) -> bool {
    match subject {
        Subject::Login(session) => session.is_pending() || session.state == State::Expired,
        Subject::Invitation(_) => true,
    }
}

/// Time until a mail is tried again after so many failed attempts before this one, at most `last`.
fn retry_delay(attempts: i32, last: Duration) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
    (FIRST_RETRY * 2_u32.pow(doublings)).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_limit() {
        let delays = [0, 1, 2, 3, 4, 100, i32::MAX].map(|it| retry_delay(it, LAST_RETRY).as_secs());
        assert_eq!(delays, [5, 10, 20, 40, 60, 60, 60]);
    }
}
