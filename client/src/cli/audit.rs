//! The audit log of an organization.

use clap::{Subcommand, ValueHint, value_parser};

use super::{
    Cli, Failure,
    choice::{OrgChoice, word},
    output::table,
};
use crate::types::Audit;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// List who did what, the newest first
    List {
        /// Only entries of this kind, such as app_created
        #[arg(long, value_hint = ValueHint::Other)]
        kind: Option<String>,
        /// Maximum number of entries
        #[arg(long, default_value_t = 100, value_parser = value_parser!(i32).range(1..=1000))]
        limit: i32,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Print all entries as lines of JSON, the newest first
    Export {
        /// Only entries of this kind, such as app_created
        #[arg(long, value_hint = ValueHint::Other)]
        kind: Option<String>,
        #[command(flatten)]
        org: OrgChoice,
    },
}

impl AuditCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List { kind, limit, org } => {
                let org = org.find(&cli).await?;
                let entries = page(&cli, org.org_id, kind.as_deref(), limit, None).await?;
                Ok(cli
                    .output
                    .result(&entries, |entries| audit_table(entries))?)
            }
            Self::Export { kind, org } => {
                const LIMIT: i32 = 1000;
                let org = org.find(&cli).await?;
                let mut before = None;
                loop {
                    let entries = page(&cli, org.org_id, kind.as_deref(), LIMIT, before).await?;
                    for entry in &entries {
                        cli.output.line(entry)?;
                    }
                    before = entries.last().map(|entry| entry.audit_id);
                    if entries.len() < LIMIT as usize {
                        return Ok(());
                    }
                }
            }
        }
    }
}

async fn page(
    cli: &Cli<'_>,
    org_id: i64,
    kind: Option<&str>,
    limit: i32,
    before: Option<i64>,
) -> Result<Vec<Audit>, Failure> {
    let mut list = cli.client.list_audit().org_id(org_id).limit(limit);
    if let Some(kind) = kind {
        list = list.kind(kind);
    }
    if let Some(before) = before {
        list = list.before(before);
    }
    Ok(cli.reply(list.send().await)?.audit_list)
}

fn audit_table(entries: &[Audit]) -> String {
    let rows = entries.iter().map(|entry| {
        [
            word(&entry.at),
            entry.kind.clone(),
            word(&entry.email),
            entry.client.clone(),
            word(&entry.subject),
            word(&entry.role),
        ]
    });
    table(["AT", "KIND", "BY", "FROM", "WHAT", "ROLE"], rows)
}
