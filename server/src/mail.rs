//! Mail: the login mail, the invitation, and the transports that send them.

mod smtp_url;
mod transport;

use std::time::Duration;

use askama::Template;
use lettre::{
    Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue},
    },
};

pub use smtp_url::{SmtpTls, SmtpUrl};
pub use transport::{MailDir, Smtp, Transport};

use crate::{address::EmailAddress, clock::Timestamp, public_url::PublicUrl, secret::Secret};

/// Mail with the verification URL of a login.
///
/// It contains no text chosen by the person who started the login, who may not be its recipient.
pub(crate) struct LoginMail<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a EmailAddress,
    pub(crate) link: Link,
    pub(crate) client: &'a str,
    pub(crate) asked_at: Timestamp,
    pub(crate) lives_for: Duration,
}

/// Verification URL.
#[derive(Clone, Debug)]
pub(crate) struct Link(Secret);

impl Link {
    /// Returns the URL of a token. It is made of the public URL alone, whatever the host of a
    /// request is.
    pub(crate) fn new(public_url: &PublicUrl, token: &Secret) -> Self {
        Self(Secret::from(format!(
            "{public_url}/verify/{}",
            token.reveal()
        )))
    }
}

/// Error that prevented a mail from being written or sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The message cannot be written.
    #[error("the mail cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
    /// The address is not valid in a mail.
    #[error("the mail has an invalid address: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The template cannot be filled in.
    #[error("the mail's text cannot be written: {0}")]
    Template(#[from] askama::Error),
    /// The mail cannot be written into the mail folder.
    #[error("the mail cannot be written into its folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The server cannot be reached, or does not accept the mail. Its answer may contain the
    /// address, so it is not logged.
    #[error("mail server error: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The server does not answer.
    #[error("the mail server took longer than {0} seconds")]
    Timeout(u64),
}

impl MailError {
    /// Returns true if a retry cannot succeed.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Message(_) | Self::Address(_) | Self::Template(_) => true,
            Self::Smtp(error) => {
                // A login to the server that fails is not the fault of the mail.
                let is_of_login = |status| [530, 534, 535, 538].contains(&u16::from(status));
                error.is_client()
                    || error.is_permanent() && !error.status().is_some_and(is_of_login)
            }
            Self::Folder(_) | Self::Timeout(_) => false,
        }
    }

    /// The error as text for the log, which must not contain e-mail addresses.
    pub(crate) fn for_log(&self) -> String {
        match self {
            Self::Smtp(error) => match error.status() {
                Some(status) => format!("the mail server answers {status}"),
                None if error.is_timeout() => "the mail server does not answer".to_owned(),
                None => "the mail server cannot be reached, or is not trusted".to_owned(),
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

/// Header that marks the mail as automatic, so that programs do not reply to it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Maximum length of a line in SMTP, without its end (RFC 5321, 4.5.3.1.6).
const MAX_LINE: usize = 998;

impl LoginMail<'_> {
    /// Returns the message to send. `id` stays the same if it is sent again.
    pub(crate) fn message(&self, id: &str, now: Timestamp) -> Result<Message, MailError> {
        let texts = [LoginMailText(self).render()?, LoginMailHtml(self).render()?];
        message(self.from, self.to, "Log in to Data Cortex", texts, id, now)
    }

    fn link(&self) -> &str {
        self.link.0.reveal()
    }

    fn minutes(&self) -> u64 {
        self.lives_for.as_secs() / 60
    }
}

/// Mail with an invitation into an organization.
///
/// The name of the organization, which its owner chose, is written so that no program makes a link
/// of it.
pub(crate) struct InvitationMail<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a EmailAddress,
    pub(crate) public_url: &'a PublicUrl,
    /// Name of the organization.
    pub(crate) org: &'a str,
    /// Name of the role that the recipient gets.
    pub(crate) role: String,
    /// Address of the member who invites.
    pub(crate) invited_by: &'a str,
    pub(crate) ends_at: Timestamp,
}

#[derive(Template)]
#[template(path = "invitation_mail.txt")]
struct InvitationMailText<'a>(&'a InvitationMail<'a>);

#[derive(Template)]
#[template(path = "invitation_mail.html")]
struct InvitationMailHtml<'a>(&'a InvitationMail<'a>);

impl InvitationMailText<'_> {
    fn org(&self) -> String {
        without_links(self.0.org)
    }
}

impl InvitationMailHtml<'_> {
    fn org(&self) -> String {
        without_links(self.0.org)
    }
}

impl InvitationMail<'_> {
    /// Returns the message to send. `id` stays the same if it is sent again.
    pub(crate) fn message(&self, id: &str, now: Timestamp) -> Result<Message, MailError> {
        let texts = [
            InvitationMailText(self).render()?,
            InvitationMailHtml(self).render()?,
        ];
        message(
            self.from,
            self.to,
            "Invitation to Data Cortex",
            texts,
            id,
            now,
        )
    }
}

/// Mail that shows the operator that mails arrive.
pub(crate) struct TestMail<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a EmailAddress,
    pub(crate) public_url: &'a PublicUrl,
}

impl TestMail<'_> {
    /// Returns the message to send.
    pub(crate) fn message(&self, id: &str, now: Timestamp) -> Result<Message, MailError> {
        let url = self.public_url;
        let plain = format!("Mails of Data Cortex at {url} arrive here.\n");
        let html = format!("<!doctype html>\n<p>Mails of Data Cortex at {url} arrive here.</p>\n");
        message(
            self.from,
            self.to,
            "Test of Data Cortex",
            [plain, html],
            id,
            now,
        )
    }
}

/// Puts a space behind each character that makes a link or an address of a text.
fn without_links(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        text.push(character);
        if ['.', ':', '/', '\\', '@'].contains(&character) {
            text.push(' ');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a message in plain text and in HTML.
fn message(
    from: &Mailbox,
    to: &EmailAddress,
    subject: &str,
    [plain, html]: [String; 2],
    id: &str,
    now: Timestamp,
) -> Result<Message, MailError> {
    let domain = idna::domain_to_ascii(from.email.domain());
    let domain = domain.unwrap_or_else(|_| "localhost".to_owned());
    let part = |kind, text| SinglePart::builder().header(kind).body(body(text));
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.as_str().parse()?))
        .subject(subject)
        .date(now.to_system_time())
        .message_id(Some(format!("<{id}@{domain}>")))
        .header(AutoSubmitted)
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, plain))
                .singlepart(part(ContentType::TEXT_HTML, html)),
        )?;
    Ok(message)
}

/// Returns a part of the mail without encoding if possible, so that its link can be opened from the
/// raw text too: the encoding that is chosen for lines of more than 76 characters would break the
/// link in two.
fn body(text: String) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE) {
        let text = text.lines().collect::<Vec<_>>().join("\r\n");
        Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_made_of_a_name() {
        for (name, written) in [
            ("Example Games", "Example Games"),
            ("St. Mary", "St. Mary"),
            ("evil.example", "evil. example"),
            ("https://evil.example/x", "https: / / evil. example/ x"),
            ("mallory@evil", "mallory@ evil"),
        ] {
            assert_eq!(without_links(name), written);
        }
    }
}
