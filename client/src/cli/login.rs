//! Commands to log in and out, and to show the user.

use std::time::Duration;

use clap::{Args, ValueHint};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    Cli, Failure, KEY_VARIABLE,
    org::orgs_table,
    output::{bold, visible},
};
use crate::{
    Error,
    types::{LogoutReply, User},
};

#[derive(Args)]
pub(super) struct Login {
    /// Your e-mail address
    #[arg(value_hint = ValueHint::EmailAddress)]
    address: String,
    /// Time limit for typing the code
    #[arg(long, default_value_t = crate::Login::LIFETIME.as_secs(), value_name = "SECONDS")]
    wait: u64,
}

/// Login that waits to be verified.
#[derive(Serialize)]
struct Started<'a> {
    email: &'a str,
    manual_code: &'a str,
}

/// Reply of the service, with its URL.
#[derive(Serialize)]
struct LoggedOut<'a> {
    #[serde(flatten)]
    reply: LogoutReply,
    url: &'a str,
}

impl Login {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        let address = self.address.trim();
        // Checked first: otherwise a person could open the mail and type the code in vain.
        cli.sessions.check_writable(&cli.client.baseurl)?;
        if cli.has_key_of_variable {
            cli.output.tell(&format!(
                "{KEY_VARIABLE} is set, so other commands will use its session instead of the \
                 session of this login. Unset it to use this login."
            ));
        }
        let login = cli.client.start_login(address).await;
        let login = login.map_err(|error| cli.failure(error))?;
        cli.output.tell(&format!(
            "\nOpen the link that was mailed to {}, and type this code there:\n\n{}\n",
            visible(address),
            boxed(login.manual_code())
        ));
        cli.output.event(&Started {
            email: address,
            manual_code: login.manual_code(),
        })?;
        let spinner = ProgressBar::new_spinner().with_message("waiting for the code");
        spinner.enable_steady_tick(Duration::from_millis(100));
        let verified = login.wait(Duration::from_secs(self.wait)).await;
        spinner.finish_and_clear();
        let again = || format!("Start again: cortex-report login {}", visible(address));
        let (client, user) = verified.map_err(|error| match error {
            Error::Invalidated => Failure::Failed(format!(
                "Five wrong codes were typed, so this login has ended.\n{}",
                again()
            )),
            Error::NotVerified => Failure::Failed(format!(
                "The code was not typed within {} s.\n{}",
                self.wait,
                again()
            )),
            error => cli.failure(error),
        })?;
        if let Some(key) = client.session_key()
            && let Err(failure) = cli.sessions.keep(&client.baseurl, &user.email, key.clone())
        {
            // Without its key, nobody can use the session.
            let said = match client.logout().send().await {
                Ok(_) => "The session of this login has been ended.",
                Err(_) => {
                    "The session of this login could not be ended. It expires after 7 days \
                     without use."
                }
            };
            return Err(failure.with(said));
        }
        Ok(cli.output.result(&user, |user| {
            format!(
                "You are logged in as {}.\n\n{}",
                name(user),
                orgs_table(&user.org_list)
            )
        })?)
    }
}

/// Ends the session at the service. Its key is deleted here even if that fails, so that a logout
/// never leaves one behind.
pub(super) async fn logout(cli: Cli<'_>) -> Result<(), Failure> {
    let client = cli.logged_in()?;
    let url = &client.baseurl;
    let ended = cli.reply(client.logout().send().await);
    let forgotten = match client.session_key() {
        Some(key) => cli.sessions.forget(url, key),
        None => Ok(false),
    };
    match (ended, forgotten) {
        (Ok(reply), Ok(_)) => Ok(cli.output.result(&LoggedOut { reply, url }, |_| {
            format!("You are logged out at {url}.")
        })?),
        (Ok(_), Err(failure)) => Err(failure.with(&format!(
            "The session at {url} has ended: its session_key in that file is no longer valid."
        ))),
        (Err(failure), Ok(true)) => Err(failure.with(
            "The session_key has been deleted here all the same. At the service, the session \
             expires after 7 days without use, unless the operator ends it before.",
        )),
        (Err(failure), Ok(false)) => Err(failure.with(&format!(
            "The session of {KEY_VARIABLE} has not been ended."
        ))),
        (Err(failure), Err(kept)) => Err(failure.with(&kept.to_string())),
    }
}

pub(super) async fn whoami(cli: Cli<'_>) -> Result<(), Failure> {
    let user = cli.reply(cli.logged_in()?.get_user().send().await)?;
    Ok(cli.output.result(&user, |user| {
        format!("{}\n\n{}", name(user), orgs_table(&user.org_list))
    })?)
}

/// Draws a box around a code, so that it is easy to see.
fn boxed(code: &str) -> String {
    let code = visible(code);
    let width = code.chars().count() + 10;
    let (line, space) = ("─".repeat(width), " ".repeat(width));
    let code = bold(&code);
    format!("    ╭{line}╮\n    │{space}│\n    │     {code}     │\n    │{space}│\n    ╰{line}╯")
}

fn name(user: &User) -> String {
    visible(&format!("{} <{}>", user.display_name, user.email))
}
