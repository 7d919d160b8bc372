//! Organizations.

use clap::{Args, Subcommand, ValueHint};

use super::{
    Cli, Failure,
    choice::{OrgChoice, find_org, word},
    output::{table, visible},
};
use crate::types::{CreateOrgRequest, Org, OrgOverview, UpdateOrgRequest};

#[derive(Subcommand)]
pub(super) enum OrgCommand {
    /// List your organizations with your role in each
    List,
    /// Show how much an organization has
    Show {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Create an organization, of which you are the owner
    Create {
        /// The name of the organization, 1 to 64 characters
        #[arg(value_hint = ValueHint::Other)]
        name: String,
        #[command(flatten)]
        short: ShortName,
    },
    /// Give an organization another name
    Rename {
        /// The name of the organization, 1 to 64 characters
        #[arg(value_hint = ValueHint::Other)]
        name: String,
        #[command(flatten)]
        short: ShortName,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Delete an organization with all that it has
    Delete {
        /// The organization, by number or name
        #[arg(value_hint = ValueHint::Other)]
        org: String,
        /// Delete without asking for confirmation
        #[arg(long, short)]
        yes: bool,
    },
    /// Leave an organization
    Leave {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Use an organization where --org is not given, until you use another one
    Use {
        /// The organization, by number or name
        #[arg(value_hint = ValueHint::Other)]
        org: String,
    },
}

#[derive(Args)]
pub(super) struct ShortName {
    /// The name in the paths that events are sent to: 1 to 32 lower-case letters, digits, - and _
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    short_name: Option<String>,
}

impl OrgCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List => {
                let user = cli.reply(cli.logged_in()?.get_user().send().await)?;
                Ok(cli.output.result(&user.org_list, |orgs| orgs_table(orgs))?)
            }
            Self::Show { org } => {
                let org = org.find(&cli).await?;
                let org = cli.reply(cli.client.get_org().org_id(org.org_id).send().await)?;
                Ok(cli.output.result(&org, overview)?)
            }
            Self::Create { name, short } => {
                let request = CreateOrgRequest {
                    org_name: name,
                    short_name: short.short_name,
                };
                let created = cli.logged_in()?.create_org().body(request).send().await;
                let created = cli.reply(created)?;
                Ok(cli.output.result(&created, |created| {
                    format!("Organization {} is created.", created.org_id)
                })?)
            }
            Self::Rename { name, short, org } => {
                let org = org.find(&cli).await?;
                let request = UpdateOrgRequest {
                    org_name: name,
                    short_name: short.short_name,
                };
                let renamed = cli.client.update_org().org_id(org.org_id).body(request);
                let renamed = cli.reply(renamed.send().await)?;
                Ok(cli.output.result(&renamed, |renamed| {
                    let name = visible(&renamed.name);
                    format!("Organization {} is called {name} now.", renamed.org_id)
                })?)
            }
            Self::Delete { org, yes } => delete(cli, &org, yes).await,
            Self::Leave { org } => {
                let org = org.find(&cli).await?;
                let user = cli.reply(cli.client.get_user().send().await)?;
                let left = cli.client.remove_member().org_id(org.org_id);
                let left = cli.reply(left.user_id(user.user_id).send().await)?;
                Ok(cli.output.result(&left, |_| {
                    format!("You are not in {} any more.", visible(&org.name))
                })?)
            }
            Self::Use { org } => {
                let orgs = cli
                    .reply(cli.logged_in()?.get_user().send().await)?
                    .org_list;
                let org = find_org(orgs, Some(org.trim()))?;
                cli.sessions.use_org(&cli.client.baseurl, org.org_id)?;
                Ok(cli.output.result(&org, |org| {
                    format!("{} is used where --org is not given.", visible(&org.name))
                })?)
            }
        }
    }
}

/// The organizations of a user as a table.
pub(super) fn orgs_table(orgs: &[Org]) -> String {
    let rows = orgs.iter().map(|org| {
        let short_name = org.short_name.clone().unwrap_or_default();
        [
            org.org_id.to_string(),
            org.name.clone(),
            word(&org.role),
            short_name,
        ]
    });
    table(["ORG", "NAME", "ROLE", "SHORT NAME"], rows)
}

async fn delete(cli: Cli<'_>, wanted: &str, yes: bool) -> Result<(), Failure> {
    let orgs = cli
        .reply(cli.logged_in()?.get_user().send().await)?
        .org_list;
    let org = find_org(orgs, Some(wanted.trim()))?;
    let has = cli.reply(cli.client.get_org().org_id(org.org_id).send().await)?;
    cli.confirm(
        yes,
        &format!(
            "{}\nDelete {} with all of that?",
            overview(&has),
            visible(&org.name)
        ),
    )?;
    let delete = cli.client.delete_org().org_id(org.org_id);
    let deleted = cli.reply(delete.org_name(org.name.clone()).send().await)?;
    Ok(cli.output.result(&deleted, |_| {
        format!("Organization {} is deleted.", org.org_id)
    })?)
}

fn overview(org: &OrgOverview) -> String {
    let counts = [
        ("members", org.member_count),
        ("invitations", org.invitation_count),
        ("applications", org.app_count),
        ("API keys", org.api_key_count),
        ("service tokens", org.token_count),
    ];
    let counts = counts.map(|(name, count)| format!("\n  {name}: {count}"));
    format!(
        "{} {}, created {}, your role: {}{}",
        org.org_id,
        visible(&org.name),
        word(&org.created_at),
        word(&org.role),
        counts.concat()
    )
}
