//! Commands that list what people and programs have and do.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CommandError, Context, Output};
use crate::{
    address::EmailAddress,
    store::{AppId, OrgId, Page, Role, api_key, app, audit, session},
};

/// Commands on applications.
#[derive(Clone, Debug, Subcommand)]
pub enum AppCommand {
    /// List the applications: app_id, org_id, name, time of creation.
    List {
        /// Only those of the organization with this org_id.
        #[arg(long, value_name = "ORG_ID")]
        org: Option<i64>,
    },
}

/// Commands on API keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// List the API keys of an application: api_key_id, key, label, state, time of creation, last
    /// use, end.
    List {
        /// The application's app_id.
        app_id: i64,
    },
}

/// Commands on sessions.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionCommand {
    /// List the active sessions of a user: session_id, start of the login, last use, end, client,
    /// browser or program.
    List {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
    },
}

/// Commands on the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// List the audit log, the oldest entry first: audit_id, time, kind, user_id, address, token_id,
    /// client, org_id, app_id, role, subject.
    List(AuditFilter),
}

/// Filter of the audit log.
#[derive(Args, Clone, Debug)]
pub struct AuditFilter {
    /// Only entries about the organization with this org_id.
    #[arg(long, value_name = "ORG_ID")]
    org: Option<i64>,
    /// Only entries of this kind, such as login or app_created.
    #[arg(long)]
    kind: Option<String>,
}

#[derive(Serialize)]
struct AppRow {
    app_id: i64,
    org_id: i64,
    name: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct KeyRow {
    api_key_id: i64,
    api_key: String,
    label: Option<String>,
    state: &'static str,
    created_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct SessionRow {
    session_id: i64,
    created_at: DateTime<Utc>,
    used_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    client: String,
    user_agent: String,
}

#[derive(Serialize)]
struct AuditRow {
    audit_id: i64,
    at: DateTime<Utc>,
    kind: String,
    user_id: Option<i64>,
    email: Option<String>,
    token_id: Option<i64>,
    client: String,
    org_id: Option<i64>,
    app_id: Option<i64>,
    role: Option<String>,
    subject: Option<String>,
}

impl AppCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let Self::List { org } = self;
        let mut next = Some(Page::new(None, None));
        while let Some(page) = next {
            let apps = app::list_all(context.store.reader(), org.map(OrgId), page).await?;
            next = page.next(&apps, |app| app.id);
            for app in apps {
                output.row(&AppRow {
                    app_id: app.id.0,
                    org_id: app.org_id.0,
                    name: app.name,
                    created_at: app.created_at.into(),
                })?;
            }
        }
        Ok(())
    }
}

impl KeyCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let Self::List { app_id } = self;
        let db = context.store.reader();
        let app = app::find_by_id(db, AppId(app_id)).await?;
        let app = app.ok_or(CommandError::NoApp(AppId(app_id)))?;
        let mut next = Some(Page::new(None, None));
        while let Some(page) = next {
            let keys = api_key::list_page(db, &app, page).await?;
            next = page.next(&keys, |key| key.id);
            for key in keys {
                output.row(&KeyRow {
                    api_key_id: key.id.0,
                    state: key.state(context.by.at).name(),
                    api_key: key.key,
                    label: key.label,
                    created_at: key.created_at.into(),
                    used_at: key.used_at.map(Into::into),
                    ends_at: key.ends_at.map(Into::into),
                })?;
            }
        }
        Ok(())
    }
}

impl SessionCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let Self::List { address } = self;
        context.user(&address).await?;
        let db = context.store.reader();
        for session in session::list_active(db, address.as_str(), context.by.at).await? {
            output.row(&SessionRow {
                session_id: session.id.0,
                created_at: session.created_at.into(),
                used_at: session.used_at.into(),
                ends_at: session.expires_at.into(),
                client: session.client,
                user_agent: session.user_agent,
            })?;
        }
        Ok(())
    }
}

impl AuditCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        let Self::List(AuditFilter { org, kind }) = self;
        let db = context.store.reader();
        let mut next = Some(Page::new(None, None));
        while let Some(page) = next {
            let entries = audit::list_all(db, org.map(OrgId), kind.as_deref(), page).await?;
            next = page.next(&entries, |entry| entry.id);
            for entry in entries {
                output.row(&AuditRow {
                    audit_id: entry.id,
                    at: entry.at.into(),
                    kind: entry.event,
                    user_id: entry.user_id.map(|id| id.0),
                    email: Some(entry.email).filter(|email| !email.is_empty()),
                    token_id: entry.token_id.map(|id| id.0),
                    client: entry.client,
                    org_id: entry.org_id.map(|id| id.0),
                    app_id: entry.app_id.map(|id| id.0),
                    role: entry.role.map(Role::name),
                    subject: entry.subject,
                })?;
            }
        }
        Ok(())
    }
}
