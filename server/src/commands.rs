//! The operator's commands: users, organizations and memberships.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    address::EmailAddress,
    clock::Clock,
    store::{
        OrgId, Store, StoreError,
        changes::{self, Change},
        dead_letter, lockout,
        membership::{self, Role},
        org, outbox, session, session_cache, user,
    },
    text::{NameError, check_name, printable},
};

/// Commands of the operator.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Add and list users, end their sessions.
    #[command(subcommand)]
    User(UserCommand),
    /// Add and list organizations.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Add and list memberships of users in organizations.
    #[command(subcommand)]
    Member(MemberCommand),
    /// List the login mails that are queued, and those that were given up.
    #[command(subcommand)]
    Mail(MailCommand),
}

/// Commands on users.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user.
    Add {
        /// The e-mail address that the user logs in with.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// Display name; defaults to the local part of the address.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the users: user_id, address, name.
    List,
    /// End all sessions of a user, including pending ones.
    EndSessions {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
    },
    /// Let an address log in again after too many wrong codes.
    Unlock {
        /// The e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
    },
}

/// Commands on organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum OrgCommand {
    /// Add an organization and print its org_id.
    Add {
        /// Name of the organization.
        name: String,
    },
    /// List the organizations: org_id, name.
    List,
}

/// Commands on memberships.
#[derive(Clone, Debug, Subcommand)]
pub enum MemberCommand {
    /// Make a user a member of an organization, or give a member another role.
    Add {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// The organization's org_id.
        org_id: i64,
        /// Role of the member: owners and members list, create and delete applications, viewers
        /// only list them.
        #[arg(long, default_value = "member", value_parser = role_parser())]
        role: Role,
    },
    /// List the memberships: org_id, organization, address, role.
    List,
}

/// Commands on login mails.
#[derive(Clone, Debug, Subcommand)]
pub enum MailCommand {
    /// List queued mails: next attempt, address, failed attempts, last error.
    List,
    /// List mails that were given up: time, address, failed attempts, reason.
    Dead,
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
    /// The name is not allowed.
    #[error("a name {0}")]
    Name(#[from] NameError),
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
    pub async fn run(
        self,
        store: &Store,
        clock: &Clock,
        output: &mut impl Write,
    ) -> Result<(), CommandError> {
        let now = clock.now();
        let db = store.reader();
        match self {
            Self::User(UserCommand::Add { address, name }) => {
                let name = check_name(name.as_deref().unwrap_or(address.local_part()))?;
                let writer = store.begin().await?;
                let user = user::add(&writer, &address, name, now).await?;
                let user = user.ok_or(CommandError::UserExists(address))?;
                writer.commit().await?;
                writeln!(output, "{}", user.id)?;
            }
            Self::User(UserCommand::List) => {
                for user in user::list(db).await? {
                    let name = printable(&user.display_name);
                    writeln!(output, "{}\t{}\t{name}", user.id, user.email)?;
                }
            }
            Self::User(UserCommand::EndSessions { address }) => {
                let Some(user) = user::find_by_email(db, &address).await? else {
                    return Err(CommandError::NoUser(address));
                };
                let ended = session::disable_all(db, &user.email).await?;
                hold_everywhere(store).await?;
                writeln!(output, "ended {ended} sessions")?;
            }
            Self::User(UserCommand::Unlock { address }) => {
                let was_locked = lockout::reset(db, address.as_str()).await?;
                let was = if was_locked {
                    "can log in again"
                } else {
                    "had no wrong codes"
                };
                writeln!(output, "{address} {was}")?;
            }
            Self::Org(OrgCommand::Add { name }) => {
                let org = org::add(db, check_name(&name)?, now).await?;
                writeln!(output, "{}", org.id)?;
            }
            Self::Org(OrgCommand::List) => {
                for org in org::list(db).await? {
                    writeln!(output, "{}\t{}", org.id, printable(&org.name))?;
                }
            }
            Self::Member(MemberCommand::Add {
                address,
                org_id,
                role,
            }) => {
                let Some(user) = user::find_by_email(db, &address).await? else {
                    return Err(CommandError::NoUser(address));
                };
                let org_id = OrgId(org_id);
                if !org::exists(db, org_id).await? {
                    return Err(CommandError::NoOrg(org_id));
                }
                membership::put(db, user.id, org_id, role).await?;
                hold_everywhere(store).await?;
            }
            Self::Mail(MailCommand::List) => {
                for (mail, session) in outbox::list(db).await? {
                    let email = session.map(|session| session.email).unwrap_or_default();
                    let error = mail.error.as_deref().unwrap_or("-");
                    let (due_at, error) = (mail.due_at, printable(error));
                    writeln!(output, "{due_at}\t{email}\t{}\t{error}", mail.attempts)?;
                }
            }
            Self::Mail(MailCommand::Dead) => {
                for letter in dead_letter::list(db).await? {
                    let (at, error) = (letter.at, printable(&letter.error));
                    writeln!(
                        output,
                        "{at}\t{}\t{}\t{error}",
                        letter.email, letter.attempts
                    )?;
                }
            }
            Self::Member(MemberCommand::List) => {
                let orgs = org::list(db).await?.into_iter();
                let orgs: HashMap<_, _> = orgs.map(|org| (org.id, org.name)).collect();
                let users = user::list(db).await?.into_iter();
                let users: HashMap<_, _> = users.map(|user| (user.id, user.email)).collect();
                for member in membership::list(db).await? {
                    let (org_id, role) = (member.org_id, member.role.name());
                    // An organization created between the queries has no name here.
                    let org = orgs.get(&org_id).map(|name| printable(name));
                    let org = org.unwrap_or_default();
                    let user = users.get(&member.user_id).map_or("", String::as_str);
                    writeln!(output, "{org_id}\t{org}\t{user}\t{role}")?;
                }
            }
        }
        Ok(())
    }
}

/// Waits until every instance uses the changed sessions, users and memberships.
async fn hold_everywhere(store: &Store) -> Result<(), StoreError> {
    changes::tell(store.reader(), &Change::All).await?;
    tokio::time::sleep(session_cache::USED_FOR).await;
    Ok(())
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    let names = PossibleValuesParser::new(Role::names());
    names.try_map(|name| Role::named(&name).ok_or("is not a role"))
}
