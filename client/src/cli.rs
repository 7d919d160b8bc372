//! Command line `cortex-report`.

mod api;
mod app;
mod audit;
mod auth;
mod choice;
mod key;
mod login;
mod member;
mod org;
mod output;
mod session;
mod sessions;
mod token;

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use self::{
    output::{Format, Output, visible},
    sessions::Sessions,
};
use crate::{
    CallError, Client, Error, ResponseValue, Secret,
    error::cause,
    types::{Problem, ProblemCode},
};

/// Default URL of the service: the address on which it listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
const KEY_VARIABLE: &str = "CORTEX_REPORT_SESSION_KEY";
/// Maximum length of a session_key in the document.
const MAX_KEY_LENGTH: usize = 128;

/// Manage your organizations in Data Cortex: their people, applications and keys.
#[derive(Parser)]
#[command(
    name = "cortex-report",
    bin_name = "cortex-report",
    version,
    max_term_width = 100,
    after_help = "The session_key of a login is stored in your configuration folder. \
                  CORTEX_REPORT_SESSION_KEY overrides it.\n\n\
                  With --output json, each result is one line of JSON on standard output; login \
                  first prints a line with the manual_code. Errors are text on standard error.\n\n\
                  Exit codes: 0 success, 1 refused or failed, 2 wrong usage, 4 not logged in. If a \
                  logout does not reach the service, the session_key is deleted here all the same, \
                  and the exit code is 1."
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
    /// URL of the service [default: that of your last login, or http://127.0.0.1:8080]
    #[arg(long, global = true, env = "CORTEX_REPORT_URL", hide_env_values = true,
          value_hint = ValueHint::Url)]
    url: Option<String>,
    /// PEM file of certificate authorities to trust in addition to those of this computer
    #[arg(long, global = true, env = "CORTEX_REPORT_CA_FILE", hide_env_values = true,
          value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca_file: Option<OsString>,
    /// Account of the service, by its address [default: that of the last login, or of `auth switch`]
    #[arg(long, global = true, env = "CORTEX_REPORT_ACCOUNT", hide_env_values = true,
          value_name = "ADDRESS", value_hint = ValueHint::EmailAddress)]
    account: Option<String>,
    /// Output format
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// Time limit for each answer of the service
    #[arg(long, global = true, default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Log in: open the link that is mailed to you, and type the code that is shown here
    Login(login::Login),
    /// Log out, and delete the stored session_key
    Logout,
    /// Show who is logged in
    Whoami,
    /// List, create, rename, delete and leave organizations
    #[command(subcommand)]
    Org(org::OrgCommand),
    /// List, invite and remove the people of an organization
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// List, create, rename and delete applications
    #[command(subcommand)]
    App(app::App),
    /// List, add, label and revoke the API keys of an application
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// List, create and revoke service tokens, with which programs call the service
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// List and end your sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// List or export the audit log of an organization
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Show and switch accounts, and print the session_key
    #[command(subcommand)]
    Auth(auth::AuthCommand),
    /// Call any operation of the service, and print its answer
    Api(api::Api),
    /// Open the documentation of the service in a browser
    Open,
    /// Print the completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Runs the command line, and returns its exit code.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let output = Output::new(line.global.output);
    match run(line.command, &line.global, &output) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has closed the pipe, since it needs no more.
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
            Command::Org(command) => command.run(cli()?).await,
            Command::Member(command) => command.run(cli()?).await,
            Command::App(app) => app.run(cli()?).await,
            Command::Key(command) => command.run(cli()?).await,
            Command::Token(command) => command.run(cli()?).await,
            Command::Session(command) => command.run(cli()?).await,
            Command::Audit(command) => command.run(cli()?).await,
            Command::Auth(command) => command.run(cli()?).await,
            Command::Api(api) => api.run(cli()?).await,
            Command::Open => open_docs(&cli()?),
            Command::Completions { shell } => completions(shell, output),
        }
    })
}

/// Opens the documentation in a browser. Its URL is printed too, for where there is none.
fn open_docs(cli: &Cli<'_>) -> Result<(), Failure> {
    let url = format!("{}/docs/", cli.client.baseurl);
    cli.output.result(&url, Clone::clone)?;
    open::that_detached(&url)
        .map_err(|error| Failure::Failed(format!("No browser can be started: {error}")))
}

fn completions(shell: Shell, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(shell, &mut command, "cortex-report", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    // Corrections of the scripts of clap_complete 4.6.
    match shell {
        // It spells a name with a hyphen in two ways, so that the cases of the subcommands are
        // never reached.
        Shell::Bash => script = script.replace("cortex__subcmd__report", "cortex__report"),
        // It does not complete the values of positional arguments.
        Shell::Fish => {
            let shells: Vec<String> = Shell::value_variants()
                .iter()
                .map(Shell::to_string)
                .collect();
            script.push_str(&format!(
                "complete -c cortex-report -n \"__fish_cortex_report_using_subcommand completions\" \
                 -f -a \"{}\"\n",
                shells.join(" ")
            ));
        }
        _ => {}
    }
    Ok(output.raw(script.as_bytes())?)
}

/// Context of the commands that call the service.
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
        // An empty variable counts as not set: compose files pass unset variables as empty ones.
        let url = global.url.as_deref().map(str::trim);
        let url = url
            .filter(|url| !url.is_empty())
            .or(sessions.last_url())
            .unwrap_or(DEFAULT_URL);
        let ca_file = global.ca_file.as_ref().filter(|file| !file.is_empty());
        let authorities = match ca_file {
            Some(file) => read_authorities(Path::new(file))?,
            None => Vec::new(),
        };
        let client = Client::builder(url)
            .timeout(Duration::from_secs(global.timeout))
            .connection(|connection| connection.tls_certs_merge(authorities))
            .build()
            .map_err(|error| match error {
                error @ Error::InvalidUrl(_) => Failure::Usage(format!(
                    "{error}.\nGive the URL of the service with --url or CORTEX_REPORT_URL, such \
                     as {DEFAULT_URL}."
                )),
                Error::InvalidRequest(reason) => Failure::Failed(format!(
                    "No connection can be made: {reason}.\nFor https, install certificate \
                     authorities (the package ca-certificates), or give a PEM file of them with \
                     --ca-file or CORTEX_REPORT_CA_FILE."
                )),
                error => Failure::Failed(error.to_string()),
            })?;
        let of_variable = key_of_variable()?;
        let has_key_of_variable = of_variable.is_some();
        let url = &client.baseurl;
        let account = global.account.as_deref().map(str::trim);
        let key = match account.filter(|account| !account.is_empty()) {
            _ if has_key_of_variable => of_variable,
            Some(account) => sessions.key_of(url, account),
            None => sessions.key(url),
        };
        Ok(Self {
            client: client.with_session_key(key),
            sessions,
            output,
            timeout: global.timeout,
            has_key_of_variable,
        })
    }

    /// Asks whether to do something that cannot be undone.
    ///
    /// # Errors
    ///
    /// The answer is no, or nobody can be asked.
    fn confirm(&self, yes: bool, question: &str) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "Standard input is not a terminal, so that cannot be confirmed.\nAdd --yes to do \
                 it without asking."
                    .to_owned(),
            ));
        }
        let confirmed = self.output.confirm(question);
        let confirmed = confirmed
            .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
        match confirmed {
            true => Ok(()),
            false => Err(Failure::Failed("Nothing is changed.".to_owned())),
        }
    }

    /// Returns the client, or an error that asks the user to log in if it has no session_key.
    fn logged_in(&self) -> Result<&Client, Failure> {
        match self.client.session_key() {
            Some(_) => Ok(&self.client),
            None => Err(self.not_logged_in()),
        }
    }

    fn not_logged_in(&self) -> Failure {
        if self.has_key_of_variable {
            return Failure::NotLoggedIn(format!(
                "You are not logged in at {}: the session of {KEY_VARIABLE} has ended, or \
                 belongs to another service.\nUnset it, and log in with: cortex-report login \
                 ADDRESS",
                self.client.baseurl
            ));
        }
        Failure::NotLoggedIn(format!(
            "You are not logged in at {}.\nLog in with: cortex-report login ADDRESS",
            self.client.baseurl
        ))
    }

    /// Returns the reply to a call, or the failure to report.
    fn reply<T>(&self, result: Result<ResponseValue<T>, CallError>) -> Result<T, Failure> {
        match result {
            Ok(reply) => Ok(reply.into_inner()),
            Err(error) => Err(self.failure(error.into())),
        }
    }

    /// Converts the error of a call into a failure with a message for the user.
    fn failure(&self, error: Error) -> Failure {
        let url = &self.client.baseurl;
        let message = match &error {
            Error::Refused { problem, .. } => match problem.code {
                ProblemCode::NotLoggedIn => return self.not_logged_in(),
                _ => refusal(problem),
            },
            Error::Unreachable(reason) => {
                let cause = visible(&cause(reason).to_string());
                let hint = match cause.contains("UnknownIssuer") {
                    true => {
                        "If its certificate was issued by an authority of your own, give the PEM \
                         file of that authority with --ca-file or CORTEX_REPORT_CA_FILE."
                    }
                    false => {
                        "Check that the service is running there, or give its URL with --url or \
                         CORTEX_REPORT_URL."
                    }
                };
                format!("{url} cannot be reached: {cause}.\n{hint}")
            }
            Error::TimedOut(_) => format!(
                "{url} did not answer within {} s.\nTry again, or wait longer with --timeout.",
                self.timeout
            ),
            Error::Unexpected { reason, .. } => format!(
                "{url} does not answer as the Report API does: {}.\nGive the URL of the service \
                 with --url or CORTEX_REPORT_URL.",
                visible(reason)
            ),
            _ => visible(&error.to_string()),
        };
        Failure::Failed(message)
    }
}

/// Reads the certificates of a file, at least one.
fn read_authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let wrong = |reason: &str| {
        Failure::Usage(format!(
            "--ca-file or CORTEX_REPORT_CA_FILE: {} {reason}",
            file.display()
        ))
    };
    let text = fs::read(file).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    match reqwest::Certificate::from_pem_bundle(&text) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        _ => Err(wrong(
            "has no certificate in PEM (-----BEGIN CERTIFICATE-----)",
        )),
    }
}

/// Reads the session_key of the environment variable, if it is set and not empty.
fn key_of_variable() -> Result<Option<Secret>, Failure> {
    let Some(value) = env::var_os(KEY_VARIABLE) else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Some("") => Ok(None),
        Some(key) if is_session_key(key) => Ok(Some(Secret::from(key))),
        _ => Err(Failure::Usage(format!(
            "{KEY_VARIABLE} is not a session_key: it is too long, or contains a space, a line \
             break or another character that a session_key never has.\nSet it to exactly the \
             session_key of a login, or unset it."
        ))),
    }
}

/// Returns true if the text can be a session_key: at most [`MAX_KEY_LENGTH`] printable ASCII
/// characters without a space, which can be sent as they are.
fn is_session_key(text: &str) -> bool {
    (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Message for a request that the service refused, with the names of the command's arguments.
fn refusal(problem: &Problem) -> String {
    let failures = problem.errors.as_deref().unwrap_or_default();
    if failures.is_empty() {
        let detail = visible(&problem.detail);
        return match &problem.request_id {
            Some(id) if problem.code == ProblemCode::InternalError => {
                format!("{detail} The id of the request is {}.", visible(id))
            }
            _ => detail,
        };
    }
    let failures = failures.iter().map(|failure| {
        let argument = match failure.pointer.as_str() {
            "/body/email" => "ADDRESS",
            "/body/app_name" | "/body/org_name" => "NAME",
            "/body/label" => "label",
            "/body/ends_at" => "--ends",
            "/query/kind" => "--kind",
            "/body/org_id" | "/query/org_id" => "--org",
            "/path/app_id" => "ID",
            other => other,
        };
        visible(&format!("{argument} {}", failure.detail.trim_end()))
    });
    failures.collect::<Vec<_>>().join("\n")
}

/// Error of a command: the reason, and what to do next.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The service refused the request, or the command failed.
    #[error("{0}")]
    Failed(String),
    /// Wrong arguments.
    #[error("{0}")]
    Usage(String),
    /// There is no valid session.
    #[error("{0}")]
    NotLoggedIn(String),
    /// The result cannot be printed.
    #[error("cannot print the result: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Appends a sentence to the message.
    fn with(self, sentence: &str) -> Self {
        let more = |message| format!("{message}\n{sentence}");
        match self {
            Self::Failed(message) => Self::Failed(more(message)),
            Self::Usage(message) => Self::Usage(more(message)),
            Self::NotLoggedIn(message) => Self::NotLoggedIn(more(message)),
            Self::Output(error) => Self::Output(error),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NotLoggedIn(_) => 4,
        }
    }
}
