//! Mail: what is written, and how it is sent.

mod outbox;
mod transport;

use std::time::Duration;

use askama::Template;
use lettre::{
    Message,
    message::{Mailbox, MultiPart, SinglePart, header::ContentType},
};

pub use outbox::Outbox;
pub use transport::{MailDir, Smtp, Transport};

use crate::{address::EmailAddress, clock::Timestamp, config::PublicUrl, secret::Secret};

/// The mail with the verification URL of a login.
///
/// It shows nothing that whoever asked could write into it: they may not be who gets it.
pub(crate) struct LoginMail<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a EmailAddress,
    pub(crate) link: Link,
    pub(crate) client: &'a str,
    pub(crate) asked_at: Timestamp,
    pub(crate) lives_for: Duration,
}

/// A verification URL.
#[derive(Clone, Debug)]
pub(crate) struct Link(Secret);

impl Link {
    /// The URL of a token: of the public URL alone, whatever a request says of its host.
    pub(crate) fn new(public_url: &PublicUrl, token: &Secret) -> Self {
        Self(Secret::new(format!(
            "{public_url}/verify/{}",
            token.reveal()
        )))
    }
}

/// What a mail failed at.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The message cannot be written.
    #[error("the mail cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
    /// The address is none that a mail can have.
    #[error("the mail has a wrong address: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The template cannot be filled in.
    #[error("the mail's text cannot be written: {0}")]
    Template(#[from] askama::Error),
    /// The mail folder does not take it.
    #[error("the mail cannot be written into its folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The server does not take it. What it says may hold the address, so it stands in no log.
    #[error("the mail server: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The server does not answer.
    #[error("the mail server took longer than {0} seconds")]
    Timeout(u64),
}

impl MailError {
    /// Whether it is of no use to try again.
    fn is_final(&self) -> bool {
        match self {
            Self::Message(_) | Self::Address(_) | Self::Template(_) => true,
            Self::Smtp(error) => {
                // It is not the mail's fault when the server does not know who sends.
                let is_of_login = |status| [530, 534, 535, 538].contains(&u16::from(status));
                error.is_client()
                    || error.is_permanent() && !error.status().is_some_and(is_of_login)
            }
            Self::Folder(_) | Self::Timeout(_) => false,
        }
    }

    /// What of it may stand in a log, where no address does.
    fn for_log(&self) -> String {
        match self {
            Self::Smtp(error) => match error.status() {
                Some(status) => format!("the mail server answers {status}"),
                None if error.is_timeout() => "the mail server does not answer".to_owned(),
                None => "the mail server cannot be reached, or is not to be trusted".to_owned(),
            },
            error => error.to_string(),
        }
    }
}

#[derive(Template)]
#[template(path = "login_mail.txt")]
struct LoginMailText<'a>(&'a LoginMail<'a>);

#[derive(Template)]
#[template(path = "login_mail.html")]
struct LoginMailHtml<'a>(&'a LoginMail<'a>);

impl LoginMail<'_> {
    /// The message as it goes out. `id` stays the same if it is sent again.
    pub(crate) fn message(&self, id: &str, now: Timestamp) -> Result<Message, MailError> {
        let part = |kind, body| SinglePart::builder().header(kind).body(body);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.as_str().parse()?))
            .subject("Log in to Data Cortex")
            .date(now.to_system_time())
            .message_id(Some(format!("<{id}@cortex-report>")))
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, LoginMailText(self).render()?))
                    .singlepart(part(ContentType::TEXT_HTML, LoginMailHtml(self).render()?)),
            )?;
        Ok(message)
    }

    fn link(&self) -> &str {
        self.link.0.reveal()
    }

    fn asked_at(&self) -> String {
        httpdate::fmt_http_date(self.asked_at.to_system_time())
    }

    fn minutes(&self) -> u64 {
        self.lives_for.as_secs() / 60
    }
}
