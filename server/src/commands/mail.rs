//! Commands on mails.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Serialize;

use super::{CommandError, Context, Output};
use crate::{
    address::EmailAddress,
    config::{self, ServeSettings},
    mail::TestMail,
    store::{dead_letter, outbox},
};

/// Commands on mails.
#[derive(Clone, Debug, Subcommand)]
pub enum MailCommand {
    /// List queued mails: next attempt, address, failed attempts, last error.
    List,
    /// List mails that were given up: time, address, failed attempts, reason.
    Dead,
    /// Send a mail to an address at once, with the settings of the service, and print the error if
    /// that fails.
    Test {
        /// The e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
    },
}

#[derive(Serialize)]
struct Row {
    at: DateTime<Utc>,
    email: String,
    attempts: i32,
    error: Option<String>,
}

#[derive(Serialize)]
struct Sent<'a> {
    email: &'a str,
    via: String,
}

impl MailCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let db = context.store.reader();
        match self {
            Self::List => {
                for (mail, subject) in outbox::list(db).await? {
                    output.row(&Row {
                        at: mail.due_at.into(),
                        email: subject.map_or_else(String::new, |it| it.email().to_owned()),
                        attempts: mail.attempts,
                        error: mail.error,
                    })?;
                }
            }
            Self::Dead => {
                for letter in dead_letter::list(db).await? {
                    output.row(&Row {
                        at: letter.at.into(),
                        email: letter.email,
                        attempts: letter.attempts,
                        error: Some(letter.error),
                    })?;
                }
            }
            Self::Test { address } => {
                send_test(context.settings, &address, context).await?;
                let via = context.settings.mail.to_string();
                let text = format!("sent a mail to {address} {via}");
                let email = address.as_str();
                output.result(&Sent { email, via }, &text)?;
            }
        }
        Ok(())
    }
}

async fn send_test(
    settings: &ServeSettings,
    address: &EmailAddress,
    context: &Context<'_>,
) -> Result<(), CommandError> {
    let public_url = config::public_url(settings, settings.listen)?;
    let transport = config::transport(&settings.mail, &public_url)?;
    let id = format!("test-{}-0", context.by.at.0);
    let mail = TestMail {
        from: &settings.mail.mail_from,
        to: address,
        public_url: &public_url,
    };
    let message = mail.message(&id, context.by.at)?;
    Ok(transport.send(&id, message).await?)
}
