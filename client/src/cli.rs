//! The command line.

mod app;
mod login;
mod output;
mod sessions;

use std::{env, io, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::{
    output::{Format, Output},
    sessions::Sessions,
};
use crate::{CallError, Client, Error, ResponseValue, Secret, error::cause, types::ProblemCode};

/// Where the service is if nobody says otherwise: where it listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
const KEY_VARIABLE: &str = "CORTEX_REPORT_SESSION_KEY";

/// Manage the applications of your organizations in Data Cortex.
#[derive(Parser)]
#[command(
    name = "cortex-report",
    bin_name = "cortex-report",
    version,
    max_term_width = 100,
    after_help = "The session_key of a login is kept in your configuration folder. \
                  CORTEX_REPORT_SESSION_KEY overrides it.\n\n\
                  Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 4 not logged in."
)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Where the service is [default: where you logged in last, else http://127.0.0.1:8080]
    #[arg(long, global = true, env = "CORTEX_REPORT_URL", hide_env_values = true)]
    url: Option<String>,
    /// What to print: text for people, or the service's own JSON for scripts
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// How long an answer may take
    #[arg(long, global = true, default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Log in: a link is mailed to the address, and the code is typed on its page
    Login(login::Login),
    /// Log out, and forget the session_key
    Logout,
    /// Show who is logged in
    Whoami,
    /// List, create and delete applications
    #[command(subcommand)]
    App(app::App),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Runs the command line, and tells its exit code.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let output = Output::new(line.global.output);
    match run(line.command, &line.global, &output) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            output.error(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: Command, global: &Global, output: &Output) -> Result<(), Failure> {
    let cli = || Cli::new(global, output);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Login(login) => login.run(cli()?).await,
            Command::Logout => login::logout(cli()?).await,
            Command::Whoami => login::whoami(cli()?).await,
            Command::App(app) => app.run(cli()?).await,
            Command::Completions { shell } => completions(shell, output),
        }
    })
}

fn completions(shell: Shell, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(shell, &mut command, "cortex-report", &mut script);
    Ok(output.raw(&script)?)
}

/// What the commands work with that call the service.
struct Cli<'a> {
    client: Client,
    sessions: Sessions,
    output: &'a Output,
    timeout: u64,
    has_key_of_variable: bool,
}

impl<'a> Cli<'a> {
    fn new(global: &Global, output: &'a Output) -> Result<Self, Failure> {
        let sessions = Sessions::load()?;
        let url = global
            .url
            .as_deref()
            .or(sessions.last_url())
            .unwrap_or(DEFAULT_URL);
        let client = Client::builder(url)
            .timeout(Duration::from_secs(global.timeout))
            .build()
            .map_err(|error| match error {
                error @ Error::InvalidUrl(_) => Failure::Usage(format!(
                    "{error}.\nSay where the service is with --url or CORTEX_REPORT_URL, such as \
                     {DEFAULT_URL}."
                )),
                error => Failure::Failed(error.to_string()),
            })?;
        let of_variable = env::var(KEY_VARIABLE).ok().filter(|key| !key.is_empty());
        let has_key_of_variable = of_variable.is_some();
        let key = of_variable
            .map(Secret::from)
            .or_else(|| sessions.key(&client.baseurl));
        Ok(Self {
            client: client.with_session_key(key),
            sessions,
            output,
            timeout: global.timeout,
            has_key_of_variable,
        })
    }

    /// The client, if there is a session to use it with.
    fn logged_in(&self) -> Result<&Client, Failure> {
        match self.client.session_key() {
            Some(_) => Ok(&self.client),
            None => Err(self.not_logged_in()),
        }
    }

    fn not_logged_in(&self) -> Failure {
        if self.has_key_of_variable {
            return Failure::NotLoggedIn(format!(
                "You are not logged in at {}: the session of {KEY_VARIABLE} has ended, or is of \
                 another service.\nUnset it, and log in with: cortex-report login ADDRESS",
                self.client.baseurl
            ));
        }
        Failure::NotLoggedIn(format!(
            "You are not logged in at {}.\nLog in with: cortex-report login ADDRESS",
            self.client.baseurl
        ))
    }

    /// The reply to a call, or what to tell of one that failed.
    fn reply<T>(&self, result: Result<ResponseValue<T>, CallError>) -> Result<T, Failure> {
        match result {
            Ok(reply) => Ok(reply.into_inner()),
            Err(error) => Err(self.failure(error.into())),
        }
    }

    /// What to tell of a call that failed.
    fn failure(&self, error: Error) -> Failure {
        let url = &self.client.baseurl;
        let message = match &error {
            Error::Refused { problem, .. } => match problem.code {
                ProblemCode::NotLoggedIn => return self.not_logged_in(),
                _ => error.to_string(),
            },
            Error::Unreachable(reason) => {
                let cause = cause(reason);
                format!(
                    "{url} cannot be reached: {cause}.\nIs the service running there? Say where it \
                     is with --url or CORTEX_REPORT_URL."
                )
            }
            Error::TimedOut(_) => format!(
                "{url} did not answer within {} s.\nTry again, or wait longer with --timeout.",
                self.timeout
            ),
            Error::Unexpected { reason, .. } => format!(
                "{url} does not answer as the Report API does: {reason}.\nSay where the service is \
                 with --url or CORTEX_REPORT_URL."
            ),
            _ => error.to_string(),
        };
        Failure::Failed(message)
    }
}

/// Why a command did not do what it was asked to, and what to do next.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Refused by the service, or failed.
    #[error("{0}")]
    Failed(String),
    /// Wrong arguments.
    #[error("{0}")]
    Usage(String),
    /// There is no session that is worth anything.
    #[error("{0}")]
    NotLoggedIn(String),
    /// The result cannot be printed.
    #[error("cannot print the result: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NotLoggedIn(_) => 4,
        }
    }
}
