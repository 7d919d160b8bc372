//! The API keys of an application.

use clap::{Subcommand, ValueHint};

use super::{
    Cli, Failure,
    choice::{End, OrgChoice, find_app, only, pages, word},
    output::{table, visible},
};
use crate::types::{ApiKey, CreateApiKeyRequest, UpdateApiKeyRequest};

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List the API keys of an application, those that no longer work too
    List {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Add an API key to an application
    Add {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        /// Name for people, such as where it is used
        #[arg(long)]
        label: Option<String>,
        /// Time at which it stops working: 2027-01-31 (at 0:00 UTC) or 2027-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        ends: Option<End>,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Set the label and the end of an API key; one that is not given is removed
    Update {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        /// The API key, or its number
        #[arg(value_hint = ValueHint::Other)]
        key: String,
        /// Name for people, such as where it is used
        #[arg(long)]
        label: Option<String>,
        /// Time at which it stops working: 2027-01-31 (at 0:00 UTC) or 2027-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        ends: Option<End>,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// End an API key for good
    Revoke {
        /// The application, by number or name
        #[arg(value_hint = ValueHint::Other)]
        app: String,
        /// The API key, or its number
        #[arg(value_hint = ValueHint::Other)]
        key: String,
        /// Revoke without asking for confirmation
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        org: OrgChoice,
    },
}

impl KeyCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List { app, org } => {
                let app = find_app(&cli, &app, org).await?;
                let keys = keys(&cli, app.app_id).await?;
                Ok(cli.output.result(&keys, |keys| key_table(keys))?)
            }
            Self::Add {
                app,
                label,
                ends,
                org,
            } => {
                let app = find_app(&cli, &app, org).await?;
                let request = CreateApiKeyRequest {
                    label,
                    ends_at: ends.map(|end| end.0),
                };
                let added = cli.client.create_api_key().app_id(app.app_id);
                let added = cli.reply(added.body(request).send().await)?;
                Ok(cli.output.result(&added, one)?)
            }
            Self::Update {
                app,
                key,
                label,
                ends,
                org,
            } => {
                let app = find_app(&cli, &app, org).await?;
                let key = find_key(&cli, app.app_id, &key).await?;
                let request = UpdateApiKeyRequest {
                    label,
                    ends_at: ends.map(|end| end.0),
                };
                let changed = cli.client.update_api_key().app_id(app.app_id);
                let changed = changed.api_key_id(key.api_key_id).body(request);
                let changed = cli.reply(changed.send().await)?;
                Ok(cli.output.result(&changed, one)?)
            }
            Self::Revoke { app, key, yes, org } => {
                let app = find_app(&cli, &app, org).await?;
                let key = find_key(&cli, app.app_id, &key).await?;
                cli.confirm(
                    yes,
                    &format!(
                        "Revoke {} of {}? Events sent with it will be refused.",
                        visible(&key.api_key),
                        visible(&app.name)
                    ),
                )?;
                let revoked = cli.client.revoke_api_key().app_id(app.app_id);
                let revoked = revoked.api_key_id(key.api_key_id).send().await;
                let revoked = cli.reply(revoked)?;
                Ok(cli.output.result(&revoked, one)?)
            }
        }
    }
}

async fn keys(cli: &Cli<'_>, app_id: i64) -> Result<Vec<ApiKey>, Failure> {
    let page = async |after: Option<i64>| {
        let list = cli.client.list_api_keys().app_id(app_id);
        let list = match after {
            Some(after) => list.after(after),
            None => list,
        };
        Ok(cli.reply(list.send().await)?.api_key_list)
    };
    pages(page, |key| key.api_key_id).await
}

async fn find_key(cli: &Cli<'_>, app_id: i64, wanted: &str) -> Result<ApiKey, Failure> {
    let keys = keys(cli, app_id).await?;
    let kind = ["API key", "cortex-report key list APP"];
    only(keys, wanted, |it| it.api_key_id, |it| &it.api_key, kind)
}

fn one(key: &ApiKey) -> String {
    key_table(std::slice::from_ref(key))
}

fn key_table(keys: &[ApiKey]) -> String {
    let rows = keys.iter().map(|key| {
        [
            key.api_key_id.to_string(),
            key.api_key.clone(),
            word(&key.label),
            word(&key.state),
            word(&key.created_at),
            word(&key.used_at),
            word(&key.ends_at),
        ]
    });
    table(
        [
            "KEY", "API KEY", "LABEL", "STATE", "CREATED", "LAST USE", "END",
        ],
        rows,
    )
}
