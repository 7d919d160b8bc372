//! Sessions of one's own.

use clap::{Subcommand, value_parser};

use super::{Cli, Failure, choice::word, output::table};

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List your sessions: when each began, from where, and with what
    List,
    /// End one of your sessions
    End {
        /// The number of the session
        #[arg(value_parser = value_parser!(i64).range(1..))]
        id: i64,
    },
    /// End all your sessions but this one
    EndOthers,
}

impl SessionCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        let client = cli.logged_in()?;
        match self {
            Self::List => {
                let list = cli.reply(client.list_sessions().send().await)?;
                Ok(cli.output.result(&list.session_list, |sessions| {
                    let rows = sessions.iter().map(|session| {
                        let mark = if session.is_current { "this one" } else { "" };
                        [
                            session.session_id.to_string(),
                            word(&session.created_at),
                            word(&session.used_at),
                            session.client.clone(),
                            session.user_agent.clone(),
                            mark.to_owned(),
                        ]
                    });
                    table(["SESSION", "BEGAN", "LAST USE", "FROM", "WITH", ""], rows)
                })?)
            }
            Self::End { id } => {
                let ended = cli.reply(client.end_session().session_id(id).send().await)?;
                Ok(cli
                    .output
                    .result(&ended, |_| format!("Session {id} is ended."))?)
            }
            Self::EndOthers => {
                let ended = cli.reply(client.end_other_sessions().send().await)?;
                Ok(cli.output.result(&ended, |ended| {
                    format!("Ended {} other sessions.", ended.session_count)
                })?)
            }
        }
    }
}
