//! The operator's commands: users, organizations, memberships, mails, and lists of the rest.

mod lists;
mod mail;
mod org;
mod output;
mod user;

use std::io::{self, Write};

use clap::Subcommand;

pub use lists::{AppCommand, AuditCommand, KeyCommand, SessionCommand};
pub use mail::MailCommand;
pub use org::{MemberCommand, OrgCommand};
pub use output::{Format, Output};
pub use user::{Orgs, UserCommand};

use crate::{
    address::EmailAddress,
    clock::Clock,
    config::{ServeSettings, SettingError},
    mail::MailError,
    store::{
        AppId, OrgId, Store, StoreError, Writer, audit,
        changes::{self, Change},
        recent, user as users,
    },
    text::NameError,
};

/// Commands of the operator.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Add, list, rename and delete users, end their sessions.
    #[command(subcommand)]
    User(UserCommand),
    /// Add, list, rename and delete organizations.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Add, list and remove memberships of users in organizations.
    #[command(subcommand)]
    Member(MemberCommand),
    /// List applications.
    #[command(subcommand)]
    App(AppCommand),
    /// List API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// List sessions.
    #[command(subcommand)]
    Session(SessionCommand),
    /// List the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// List the mails that are queued, and those that were given up, and send a test.
    #[command(subcommand)]
    Mail(MailCommand),
}

/// Error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A user with this address exists already.
    #[error("there is a user {0} already")]
    UserExists(EmailAddress),
    /// No user has this address.
    #[error("there is no user {0}; add one with: cortex-reportd user add {0}")]
    NoUser(EmailAddress),
    /// No organization has this number.
    #[error("there is no organization {0}; list them with: cortex-reportd org list")]
    NoOrg(OrgId),
    /// No application has this number.
    #[error("there is no application {0}; list them with: cortex-reportd app list")]
    NoApp(AppId),
    /// The user is not in the organization.
    #[error("{0} is not in organization {1}; list the members with: cortex-reportd member list")]
    NoMember(EmailAddress, OrgId),
    /// The given name is not that of the organization.
    #[error("organization {0} is called {1}, so nothing is deleted")]
    OrgName(OrgId, String),
    /// Organizations would be left without an owner.
    #[error(
        "{0} is the last owner of organization {1}; make another member an owner with: \
         cortex-reportd member add ADDRESS ORG_ID --role owner"
    )]
    LastOwner(EmailAddress, Orgs),
    /// The name is not allowed.
    #[error("a name {0}")]
    Name(#[from] NameError),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The mail cannot be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The result cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Command {
    /// Runs the command and writes its result to `output`.
    ///
    /// # Errors
    ///
    /// The command failed; [`CommandError`] says why.
    pub async fn run<W: Write>(
        self,
        store: &Store,
        settings: &ServeSettings,
        clock: &Clock,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let context = Context {
            store,
            settings,
            by: audit::By::operator(clock.now()),
        };
        match self {
            Self::User(command) => command.run(&context, output).await,
            Self::Org(command) => command.run(&context, output).await,
            Self::Member(command) => command.run(&context, output).await,
            Self::App(command) => command.run(&context, output).await,
            Self::Key(command) => command.run(&context, output).await,
            Self::Session(command) => command.run(&context, output).await,
            Self::Audit(command) => command.run(&context, output).await,
            Self::Mail(command) => command.run(&context, output).await,
        }
    }
}

/// Context of the commands.
struct Context<'a> {
    store: &'a Store,
    settings: &'a ServeSettings,
    /// The operator, now.
    by: audit::By,
}

impl Context<'_> {
    /// Finds the user of an address.
    async fn user(&self, address: &EmailAddress) -> Result<users::Model, CommandError> {
        let user = users::find_by_email(self.store.reader(), address).await?;
        user.ok_or_else(|| CommandError::NoUser(address.clone()))
    }

    /// Records a command about a user.
    async fn audit(
        &self,
        writer: &Writer,
        event: audit::Event,
        subject: &str,
    ) -> Result<(), CommandError> {
        let object = audit::Object {
            subject: Some(subject),
            ..audit::Object::default()
        };
        Ok(audit::add(writer, event, &self.by, object).await?)
    }

    /// Commits changes of sessions, users and memberships, and waits until every instance uses
    /// them.
    async fn commit_everywhere(&self, writer: Writer) -> Result<(), CommandError> {
        changes::tell(&writer, &Change::All).await?;
        writer.commit().await?;
        tokio::time::sleep(recent::USED_FOR).await;
        Ok(())
    }
}
