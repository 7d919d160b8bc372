//! The applications of an organization.

use std::{
    io::{self, IsTerminal},
    slice,
};

use clap::{Args, Subcommand, ValueHint, value_parser};
use serde::Serialize;

use super::{
    Cli, Failure,
    output::{table, visible},
};
use crate::types::{self, CreateAppReply, CreateAppRequest, DeleteAppReply, Org};

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
    /// Delete an application with its API keys
    Delete {
        /// The number of the application
        #[arg(value_parser = value_parser!(i64).range(1..))]
        id: i64,
        /// Delete without asking for confirmation
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Args)]
pub(super) struct OrgChoice {
    /// The organization, by number or name [default: yours, if you are in only one]
    #[arg(long, value_hint = ValueHint::Other)]
    org: Option<String>,
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
            Self::Delete { id, yes } => delete(cli, id, yes).await,
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

async fn delete(cli: Cli<'_>, id: i64, yes: bool) -> Result<(), Failure> {
    let client = cli.logged_in()?;
    if !yes {
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "Standard input is not a terminal, so the deletion cannot be confirmed.\nAdd --yes \
                 to delete without asking."
                    .to_owned(),
            ));
        }
        let question = match find_app(&cli, id).await? {
            Some((app, org)) => format!(
                "Delete {} of {} with its API keys? Events sent with them will be refused.",
                visible(&app.name),
                visible(&org.name)
            ),
            None => format!("Delete application {id}, which is not in any of your organizations?"),
        };
        let confirmed = cli.output.confirm(&question);
        let confirmed = confirmed
            .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
        if !confirmed {
            return Err(Failure::Failed("Nothing is deleted.".to_owned()));
        }
    }
    let reply = cli.reply(client.delete_app().app_id(id).send().await)?;
    let deleted = Deleted { app_id: id, reply };
    Ok(cli
        .output
        .result(&deleted, |_| format!("Application {id} is deleted."))?)
}

/// Finds an application in the user's organizations, with its organization.
async fn find_app(cli: &Cli<'_>, id: i64) -> Result<Option<(types::App, Org)>, Failure> {
    let user = cli.reply(cli.client.get_user().send().await)?;
    for org in user.org_list {
        let apps = cli.reply(cli.client.list_apps().org_id(org.org_id).send().await)?;
        if let Some(app) = apps.app_list.into_iter().find(|app| app.app_id == id) {
            return Ok(Some((app, org)));
        }
    }
    Ok(None)
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

impl OrgChoice {
    /// Finds the chosen organization: by its number or name, or the user's only one by default.
    async fn find(self, cli: &Cli<'_>) -> Result<Org, Failure> {
        let orgs = cli
            .reply(cli.logged_in()?.get_user().send().await)?
            .org_list;
        let listed = orgs
            .iter()
            .map(|org| format!("\n  {} {}", org.org_id, visible(&org.name)))
            .collect::<String>();
        let wanted = self.org.as_deref().map(str::trim);
        let meant: Vec<Org> = match wanted {
            None => orgs,
            Some(wanted) => {
                let by_id = |org: &&Org| org.org_id.to_string() == wanted;
                match orgs.iter().find(by_id) {
                    Some(org) => vec![org.clone()],
                    None => {
                        let wanted = wanted.to_lowercase();
                        let by_name = |org: &Org| org.name.to_lowercase() == wanted;
                        orgs.into_iter().filter(by_name).collect()
                    }
                }
            }
        };
        match (meant.as_slice(), wanted) {
            ([org], _) => Ok(org.clone()),
            ([], None) => Err(Failure::Failed(
                "You are not in any organization. Ask the operator of the service to add you to \
                 one."
                    .to_owned(),
            )),
            ([], Some(wanted)) => Err(Failure::Failed(format!(
                "You are not in the organization {wanted}. Your organizations are:{listed}"
            ))),
            (_, None) => Err(Failure::Usage(format!(
                "You are in several organizations. Choose one with --org:{listed}"
            ))),
            (_, Some(name)) => Err(Failure::Usage(format!(
                "Several organizations are called {name}. Choose one by its number with \
                 --org:{listed}"
            ))),
        }
    }
}
