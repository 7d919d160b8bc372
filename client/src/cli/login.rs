//! Logging in and out, and who is logged in.

use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use super::{
    Cli, Failure,
    output::{bold, table, visible},
};
use crate::{Error, types::User};

#[derive(Args)]
pub(super) struct Login {
    /// Your e-mail address
    address: String,
    /// How long to wait until you have typed the code
    #[arg(long, default_value_t = crate::Login::LIFETIME.as_secs(), value_name = "SECONDS")]
    wait: u64,
}

impl Login {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        let login = cli.client.start_login(&self.address).await;
        let login = login.map_err(|error| cli.failure(error))?;
        cli.output.tell(&format!(
            "\nOpen the link that was mailed to {}, and type this code there:\n\n{}\n",
            visible(&self.address),
            boxed(login.manual_code())
        ));
        let spinner = ProgressBar::new_spinner().with_message("waiting for the code");
        spinner.enable_steady_tick(Duration::from_millis(100));
        let verified = login.wait(Duration::from_secs(self.wait)).await;
        spinner.finish_and_clear();
        let (client, user) = verified.map_err(|error| match error {
            Error::NotVerified => Failure::Failed(format!(
                "The code was not typed within {} s, or five wrong ones were.\nStart again: \
                 cortex-report login {}",
                self.wait, self.address
            )),
            error => cli.failure(error),
        })?;
        if let Some(key) = client.session_key() {
            cli.sessions.keep(&client.baseurl, key.clone())?;
        }
        Ok(cli.output.result(&user, |user| {
            format!("You are logged in as {}.\n\n{}", name(user), orgs(user))
        })?)
    }
}

pub(super) async fn logout(cli: Cli<'_>) -> Result<(), Failure> {
    let client = cli.logged_in()?;
    let reply = cli.reply(client.logout().send().await)?;
    if let Some(key) = client.session_key() {
        cli.sessions.forget(&client.baseurl, key)?;
    }
    Ok(cli.output.result(&reply, |_| {
        format!("You are logged out at {}.", client.baseurl)
    })?)
}

pub(super) async fn whoami(cli: Cli<'_>) -> Result<(), Failure> {
    let user = cli.reply(cli.logged_in()?.get_user().send().await)?;
    Ok(cli
        .output
        .result(&user, |user| format!("{}\n\n{}", name(user), orgs(user)))?)
}

/// A code in a box, which no eye misses.
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

fn orgs(user: &User) -> String {
    let rows = user
        .org_list
        .iter()
        .map(|org| [org.org_id.to_string(), org.name.clone()]);
    table(["ORG", "NAME"], rows)
}
