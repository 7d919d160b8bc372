//! Service tokens.

use clap::{Subcommand, ValueHint};

use super::{
    Cli, Failure,
    choice::{End, OrgChoice, Role, only, pages, word},
    output::{bold, table, visible},
};
use crate::types::{CreateTokenRequest, Token};

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// List the service tokens of an organization: all of them for owners, else your own
    List {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Create a service token, with which a program calls the service
    Create {
        /// Name for people, such as the program that has it
        #[arg(value_hint = ValueHint::Other)]
        label: String,
        /// Its role, which is not above yours
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
        /// Time at which it ends: 2027-01-31 (at 0:00 UTC) or 2027-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        ends: Option<End>,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// End a service token
    Revoke {
        /// The service token, by number or label
        #[arg(value_hint = ValueHint::Other)]
        token: String,
        /// Revoke without asking for confirmation
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        org: OrgChoice,
    },
}

impl TokenCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List { org } => {
                let org = org.find(&cli).await?;
                let tokens = tokens(&cli, org.org_id).await?;
                Ok(cli.output.result(&tokens, |tokens| {
                    let rows = tokens.iter().map(|token| {
                        [
                            token.token_id.to_string(),
                            token.label.clone(),
                            word(&token.role),
                            token.email.clone(),
                            word(&token.used_at),
                            word(&token.ends_at),
                        ]
                    });
                    table(["TOKEN", "LABEL", "ROLE", "BY", "LAST USE", "END"], rows)
                })?)
            }
            Self::Create {
                label,
                role,
                ends,
                org,
            } => {
                let org = org.find(&cli).await?;
                let request = CreateTokenRequest {
                    label,
                    role: role.into(),
                    ends_at: ends.map(|end| end.0),
                };
                let created = cli.client.create_token().org_id(org.org_id);
                let created = cli.reply(created.body(request).send().await)?;
                Ok(cli.output.result(&created, |created| {
                    format!(
                        "{}\n\nThe token is not shown again. Programs send it as Authorization: \
                         Bearer; cortex-report reads it from CORTEX_REPORT_SESSION_KEY.",
                        bold(&visible(created.token.reveal()))
                    )
                })?)
            }
            Self::Revoke { token, yes, org } => {
                let org = org.find(&cli).await?;
                let tokens = tokens(&cli, org.org_id).await?;
                let kind = ["service token", "cortex-report token list"];
                let token = only(tokens, &token, |it| it.token_id, |it| &it.label, kind)?;
                let label = visible(&token.label);
                cli.confirm(yes, &format!("Revoke the service token {label}?"))?;
                let revoked = cli.client.revoke_token().org_id(org.org_id);
                let revoked = cli.reply(revoked.token_id(token.token_id).send().await)?;
                Ok(cli.output.result(&revoked, |_| {
                    format!("The service token {label} is revoked.")
                })?)
            }
        }
    }
}

async fn tokens(cli: &Cli<'_>, org_id: i64) -> Result<Vec<Token>, Failure> {
    let page = async |after: Option<i64>| {
        let list = cli.client.list_tokens().org_id(org_id);
        let list = match after {
            Some(after) => list.after(after),
            None => list,
        };
        Ok(cli.reply(list.send().await)?.token_list)
    };
    pages(page, |token| token.token_id).await
}
