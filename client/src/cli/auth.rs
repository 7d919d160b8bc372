//! The accounts of this computer.

use clap::{Subcommand, ValueHint};
use serde::Serialize;

use super::{
    Cli, Failure, KEY_VARIABLE,
    output::{table, visible},
};

#[derive(Subcommand)]
pub(super) enum AuthCommand {
    /// List the services and accounts that you are logged in to
    Status,
    /// Print the session_key, for other programs
    Token,
    /// Use another account of the service, which you have logged in to before
    Switch {
        /// The e-mail address of the account
        #[arg(value_hint = ValueHint::EmailAddress)]
        address: String,
    },
}

/// An account that is logged in.
#[derive(Serialize)]
pub(super) struct Account {
    pub(super) url: String,
    /// Address of the account; absent for a login of an earlier version.
    pub(super) email: Option<String>,
    /// True if commands use it unless told otherwise.
    pub(super) is_current: bool,
}

impl AuthCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::Status => {
                if cli.has_key_of_variable {
                    cli.output.tell(&format!(
                        "{KEY_VARIABLE} is set, and used instead of these accounts."
                    ));
                }
                let accounts = cli.sessions.accounts();
                Ok(cli.output.result(&accounts, |accounts| {
                    if accounts.is_empty() {
                        return "You are not logged in.\nLog in with: cortex-report login ADDRESS"
                            .to_owned();
                    }
                    let rows = accounts.iter().map(|account| {
                        let mark = if account.is_current { "used" } else { "" };
                        let email = account.email.as_deref().unwrap_or("-");
                        [account.url.clone(), email.to_owned(), mark.to_owned()]
                    });
                    table(["URL", "ACCOUNT", ""], rows)
                })?)
            }
            Self::Token => {
                let client = cli.logged_in()?;
                let key = client.session_key().map_or("", |key| key.reveal());
                Ok(cli.output.raw(format!("{key}\n").as_bytes())?)
            }
            Self::Switch { address } => {
                let (url, address) = (&cli.client.baseurl, address.trim());
                if !cli.sessions.switch(url, address)? {
                    return Err(Failure::NotLoggedIn(format!(
                        "You are not logged in at {url} as {0}.\nLog in with: cortex-report login \
                         {0}",
                        visible(address)
                    )));
                }
                let account = Account {
                    url: url.clone(),
                    email: Some(address.to_owned()),
                    is_current: true,
                };
                Ok(cli.output.result(&account, |_| {
                    format!("{} is used at {url} now.", visible(address))
                })?)
            }
        }
    }
}
