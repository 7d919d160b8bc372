//! Command line `cortex-report`.

mod api;
mod app;
mod audit;
mod auth;
mod choice;
mod context;
mod failure;
mod key;
mod login;
mod member;
mod org;
mod output;
mod session;
mod sessions;
mod token;

use std::{ffi::OsString, io, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use self::{
    context::{Cli, is_session_key},
    failure::Failure,
    output::{Format, Output},
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
