//! The applications of an organization.

use std::slice;

use clap::{Subcommand, ValueHint};
use serde::Serialize;

use super::{
    Cli, Failure,
    choice::{OrgChoice, find_app},
    output::{table, visible},
};
use crate::types::{self, CreateAppReply, CreateAppRequest, DeleteAppReply, UpdateAppRequest};

#[derive(Subcommand)]
pub(super) enum App {
    /// List the applications of an organization with their API keys
    List {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Create an application, with an API key
    Create {
        /// The name of the application, 1 to 64 characters
        #[arg(value_hint = ValueHint::Other)]
        name: String,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Give an application another name
    Rename {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        /// The name of the application, 1 to 64 characters
        #[arg(value_hint = ValueHint::Other)]
        name: String,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Delete an application with its API keys
    Delete {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        /// Delete without asking for confirmation
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        org: OrgChoice,
    },
}

/// Created application. Its API key is not in the service's reply, but has to be read from the list
/// of applications, which may fail.
#[derive(Serialize)]
#[serde(untagged)]
enum Created {
    Listed(types::App),
    Unlisted(CreateAppReply),
}

/// Reply of the service, with the id of the application.
#[derive(Serialize)]
struct Deleted {
    app_id: i64,
    #[serde(flatten)]
    reply: DeleteAppReply,
}

impl App {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List { org } => list(cli, org).await,
            Self::Create { name, org } => create(cli, name, org).await,
            Self::Rename { app, name, org } => rename(cli, &app, name, org).await,
            Self::Delete { app, yes, org } => delete(cli, &app, yes, org).await,
        }
    }
}

async fn list(cli: Cli<'_>, org: OrgChoice) -> Result<(), Failure> {
    let org = org.find(&cli).await?;
    let apps = cli.reply(cli.client.list_apps().org_id(org.org_id).send().await)?;
    Ok(cli
        .output
        .result(&apps, |apps| match apps.app_list.as_slice() {
            [] => format!(
                "{} has no applications yet.\nCreate one with: cortex-report app create NAME",
                visible(&org.name)
            ),
            apps => app_table(apps),
        })?)
}

async fn create(cli: Cli<'_>, name: String, org: OrgChoice) -> Result<(), Failure> {
    let org = org.find(&cli).await?;
    let request = CreateAppRequest {
        org_id: org.org_id,
        app_name: name,
    };
    let created = cli.reply(cli.client.create_app().body(request).send().await)?;
    let apps = cli.client.list_apps().org_id(org.org_id).send().await;
    let apps = apps.map(|apps| apps.into_inner().app_list);
    let mut apps = apps.unwrap_or_default().into_iter();
    let created = match apps.find(|app| app.app_id == created.app_id) {
        Some(app) => Created::Listed(app),
        None => Created::Unlisted(created),
    };
    Ok(cli.output.result(&created, |created| match created {
        Created::Listed(app) => app_table(slice::from_ref(app)),
        Created::Unlisted(created) => format!(
            "Application {} is created.\nSee its API key with: cortex-report app list",
            created.app_id
        ),
    })?)
}

async fn rename(cli: Cli<'_>, app: &str, name: String, org: OrgChoice) -> Result<(), Failure> {
    let app = find_app(&cli, app, org).await?;
    let request = UpdateAppRequest { app_name: name };
    let renamed = cli.client.update_app().app_id(app.app_id).body(request);
    let renamed = cli.reply(renamed.send().await)?;
    Ok(cli
        .output
        .result(&renamed, |app| app_table(slice::from_ref(app)))?)
}

async fn delete(cli: Cli<'_>, app: &str, yes: bool, org: OrgChoice) -> Result<(), Failure> {
    let app = find_app(&cli, app, org).await?;
    cli.confirm(
        yes,
        &format!(
            "Delete {} with its API keys? Events sent with them will be refused.",
            visible(&app.name)
        ),
    )?;
    let id = app.app_id;
    let reply = cli.reply(cli.client.delete_app().app_id(id).send().await)?;
    let deleted = Deleted { app_id: id, reply };
    Ok(cli
        .output
        .result(&deleted, |_| format!("Application {id} is deleted."))?)
}

fn app_table(apps: &[types::App]) -> String {
    let rows = apps.iter().map(|app| {
        [
            app.app_id.to_string(),
            app.name.clone(),
            app.api_key_list.join(" "),
        ]
    });
    table(["APP", "NAME", "API KEYS"], rows)
}
