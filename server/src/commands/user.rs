//! Commands on users.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Serialize;

use super::{CommandError, Context, Output};
use crate::{
    address::EmailAddress,
    auth::known_key,
    store::{
        OrgId, audit,
        erase_user::{self, Erased, Erasure},
        lockout,
        merge_users::{self, Changed},
        session, user,
    },
    text::check_name,
};

/// Commands on users.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user and print the user_id.
    Add {
        /// The e-mail address that the user logs in with.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// Display name; defaults to the local part of the address.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the users: user_id, address, name, time of creation, last login.
    List,
    /// Give a user another display name.
    Rename {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// The display name.
        name: String,
    },
    /// Give a user another address. A user who has it already is merged into this one, with the
    /// memberships of both.
    ChangeAddress {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// The new e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        new_address: EmailAddress,
    },
    /// Delete a user with their sessions, memberships, service tokens and the organizations without
    /// other members, remove their address from the audit log, and print what was deleted.
    Remove {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
    },
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

#[derive(Serialize)]
struct Row {
    user_id: i64,
    email: String,
    display_name: String,
    created_at: DateTime<Utc>,
    logged_in_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Added {
    user_id: i64,
}

#[derive(Serialize)]
struct Address<'a> {
    email: &'a str,
    is_merged: bool,
}

#[derive(Serialize)]
struct Ended {
    session_count: u64,
}

#[derive(Serialize)]
struct Unlocked {
    was_locked: bool,
}

/// Receipt of a deletion.
#[derive(Serialize)]
struct Receipt {
    user_id: i64,
    email: String,
    session_count: u64,
    membership_count: u64,
    token_count: u64,
    invitation_count: u64,
    dead_letter_count: u64,
    known_client_count: u64,
    audit_entry_count: u64,
    org_id_list: Vec<i64>,
}

impl UserCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let db = context.store.reader();
        match self {
            Self::Add { address, name } => {
                let name = check_name(name.as_deref().unwrap_or(address.local_part()))?;
                let writer = context.store.begin().await?;
                let user = user::add(&writer, &address, name, context.by.at).await?;
                let user = user.ok_or_else(|| CommandError::UserExists(address.clone()))?;
                context
                    .audit(&writer, audit::Event::UserAdded, address.as_str())
                    .await?;
                writer.commit().await?;
                let added = Added { user_id: user.id.0 };
                output.result(&added, &user.id.to_string())?;
            }
            Self::List => {
                for user in user::list(db).await? {
                    output.row(&Row {
                        user_id: user.id.0,
                        email: user.email,
                        display_name: user.display_name,
                        created_at: user.created_at.into(),
                        logged_in_at: user.logged_in_at.map(Into::into),
                    })?;
                }
            }
            Self::Rename { address, name } => {
                let name = check_name(&name)?;
                let user = context.user(&address).await?;
                let writer = context.store.begin().await?;
                user::rename(&writer, user.id, name).await?;
                context
                    .audit(&writer, audit::Event::UserRenamed, address.as_str())
                    .await?;
                context.commit_everywhere(writer).await?;
                output.result(&Added { user_id: user.id.0 }, "")?;
            }
            Self::ChangeAddress {
                address,
                new_address,
            } => {
                let user = context.user(&address).await?;
                if address == new_address {
                    return Err(CommandError::UserExists(new_address));
                }
                let writer = context.store.begin().await?;
                let changed =
                    merge_users::change_address(&writer, &user, &new_address, &context.by).await?;
                context.commit_everywhere(writer).await?;
                let is_merged = changed == Changed::Merged;
                let text = match is_merged {
                    true => format!("merged {address} and {new_address} into one user"),
                    false => format!("changed {address} to {new_address}"),
                };
                let email = new_address.as_str();
                output.result(&Address { email, is_merged }, &text)?;
            }
            Self::Remove { address } => {
                let user = context.user(&address).await?;
                let writer = context.store.begin().await?;
                let key = |email: &str, client: &str| {
                    let email = EmailAddress::parse(email).ok()?;
                    Some(known_key(&email, client.parse().ok()?))
                };
                let erased = match erase_user::erase(&writer, &user, &context.by, key).await? {
                    Erasure::Done(erased) => erased,
                    Erasure::LastOwner(orgs) => {
                        return Err(CommandError::LastOwner(address, Orgs(orgs)));
                    }
                };
                context
                    .audit(
                        &writer,
                        audit::Event::UserDeleted,
                        &format!("user {}", user.id),
                    )
                    .await?;
                context.commit_everywhere(writer).await?;
                let receipt = receipt(user.id.0, address.to_string(), erased);
                output.result(&receipt, &receipt.text())?;
            }
            Self::EndSessions { address } => {
                let user = context.user(&address).await?;
                let writer = context.store.begin().await?;
                let ended = session::disable_all(&writer, &user.email).await?;
                context
                    .audit(&writer, audit::Event::SessionEnded, address.as_str())
                    .await?;
                context.commit_everywhere(writer).await?;
                let text = format!("ended {ended} sessions");
                output.result(
                    &Ended {
                        session_count: ended,
                    },
                    &text,
                )?;
            }
            Self::Unlock { address } => {
                let writer = context.store.begin().await?;
                let was_locked = lockout::reset(&writer, address.as_str()).await?;
                if was_locked {
                    context
                        .audit(&writer, audit::Event::UserUnlocked, address.as_str())
                        .await?;
                }
                writer.commit().await?;
                let was = match was_locked {
                    true => "can log in again",
                    false => "had no wrong codes",
                };
                output.result(&Unlocked { was_locked }, &format!("{address} {was}"))?;
            }
        }
        Ok(())
    }
}

/// Organizations, as an error names them.
#[derive(Debug)]
pub struct Orgs(Vec<OrgId>);

impl From<OrgId> for Orgs {
    fn from(org_id: OrgId) -> Self {
        Self(vec![org_id])
    }
}

impl std::fmt::Display for Orgs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<String> = self.0.iter().map(OrgId::to_string).collect();
        formatter.write_str(&ids.join(", "))
    }
}

fn receipt(user_id: i64, email: String, erased: Erased) -> Receipt {
    Receipt {
        user_id,
        email,
        session_count: erased.sessions,
        membership_count: erased.memberships,
        token_count: erased.tokens,
        invitation_count: erased.invitations,
        dead_letter_count: erased.dead_letters,
        known_client_count: erased.known_clients,
        audit_entry_count: erased.audit_entries,
        org_id_list: erased.orgs.into_iter().map(|id| id.0).collect(),
    }
}

impl Receipt {
    fn text(&self) -> String {
        let orgs: Vec<String> = self.org_id_list.iter().map(i64::to_string).collect();
        let orgs = match orgs.is_empty() {
            true => "none".to_owned(),
            false => orgs.join(", "),
        };
        format!(
            "deleted user {} {}\n\
             sessions: {}\n\
             memberships: {}\n\
             service tokens: {}\n\
             invitations: {}\n\
             mails that were given up: {}\n\
             clients known from earlier logins: {}\n\
             changes to the audit log to remove addresses: {}\n\
             organizations without other members: {orgs}",
            self.user_id,
            self.email,
            self.session_count,
            self.membership_count,
            self.token_count,
            self.invitation_count,
            self.dead_letter_count,
            self.known_client_count,
            self.audit_entry_count,
        )
    }
}
