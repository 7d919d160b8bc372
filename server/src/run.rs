//! The binary: its command line, and what it does.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    clock::{Clock, SystemTimeSource},
    commands::{Command, CommandError},
    config::{ServeSettings, StoreSettings, TelemetrySettings, file},
    random::Random,
    start::{self, StartError, start},
    store::{Store, backup},
    telemetry::Telemetry,
};

/// Serves the Data Cortex Report API: people log in by e-mail and manage the applications of
/// their organizations.
///
/// Without a command it serves, with an SQLite file and a folder for mails beside where it is
/// started. Every setting is a flag, or the variable that is shown beside it, or stands in the
/// settings file under the name of its flag, with _ for -.
#[derive(Parser)]
#[command(name = "cortex-reportd", version, max_term_width = 100)]
struct CommandLine {
    /// The settings file, in TOML; flags and variables go before what stands there.
    #[arg(long, env = "CORTEX_REPORT_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    serve: ServeSettings,
    #[command(flatten)]
    telemetry: TelemetrySettings,
    #[command(subcommand)]
    action: Option<Action>,
}

/// What is done instead of serving.
#[derive(Subcommand)]
enum Action {
    /// List every setting with its value and where that comes from, and try the database, the key,
    /// the certificate and the mail server; nothing is made.
    CheckConfig,
    /// Copy the SQLite database into a new file, also while the service runs.
    Backup {
        /// The file to make.
        file: PathBuf,
    },
    /// Put a backup in the place of the SQLite database; the service must not run.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Use the database with the key of the key file, which is made if it is not there, after the key
    /// before was lost; no instance may run. Logins under way have to be started anew.
    ReplaceKey,
    #[command(flatten)]
    Operate(Command),
}

/// What the binary does.
#[tokio::main]
pub async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nowhere else to say it.
            let _ = writeln!(io::stderr(), "cortex-reportd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let given = Given::read()?;
    let CommandLine {
        config: _,
        store,
        serve,
        telemetry,
        action,
    } = CommandLine::from_arg_matches(&given.matches).unwrap_or_else(|error| error.exit());
    let failed = |error: io::Error| StartError::System(error.to_string());
    let random = Random::from_system().map_err(|error| StartError::System(error.to_string()))?;
    let clock = Clock::new(SystemTimeSource::default());
    let telemetry = Telemetry::start(&telemetry)?;
    match action {
        Some(Action::CheckConfig) => {
            let listed = given.list(&mut io::stdout());
            listed.map_err(CommandError::Output)?;
            start::check(&store, &serve).await?;
            writeln!(
                io::stdout(),
                "\nThe service could start with these settings."
            )
            .map_err(CommandError::Output)?;
        }
        Some(Action::Backup { file }) => {
            backup::backup(&store.database_url, &file).await?;
            let said = writeln!(io::stdout(), "backed up to {}", file.display());
            said.map_err(CommandError::Output)?;
        }
        Some(Action::Restore { file }) => {
            let kept = backup::restore(&store.database_url, &file, &store.key_file).await?;
            let before = match kept {
                true => "; what was there before is kept beside it, as .before-restore",
                false => "",
            };
            let said = writeln!(io::stdout(), "restored {}{before}", file.display());
            said.map_err(CommandError::Output)?;
        }
        Some(Action::ReplaceKey) => {
            let ended = start::replace_key(&store, &random).await?;
            let said = writeln!(
                io::stdout(),
                "the database uses the key of {}; ended {ended} logins that were under way",
                store.key_file.display()
            );
            said.map_err(CommandError::Output)?;
        }
        Some(Action::Operate(command)) => {
            let store = Store::open_ready(&store.database_url, store.database_connections).await?;
            command.run(&store, &clock, &mut io::stdout()).await?;
            store.close().await;
        }
        None => {
            let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
            let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
            let running = tokio::select! {
                running = start(&store, &serve, clock, random) => running?,
                // While it waits for another instance, say.
                () = either(&mut terminate, &mut interrupt) => return Ok(()),
            };
            tracing::info!(
                address = %running.address(),
                metrics = running.metrics_address().map(tracing::field::display),
                mails = %serve.mail,
                "serving; open {} in a browser",
                running.public_url()
            );
            either(&mut terminate, &mut interrupt).await;
            tracing::info!("stopping; a second signal ends at once");
            tokio::select! {
                () = running.stop() => {}
                () = either(&mut terminate, &mut interrupt) => {}
            }
        }
    }
    telemetry.stop().await;
    Ok(())
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// What was given: by flags, by variables, and in the settings file.
struct Given {
    command: clap::Command,
    matches: ArgMatches,
    /// What of it stands in the settings file.
    in_file: BTreeSet<String>,
}

impl Given {
    fn read() -> Result<Self, StartError> {
        let command = CommandLine::command();
        // Nothing but where the file is; what is wrong otherwise is told below.
        let first = command.clone().ignore_errors(true).try_get_matches();
        let first = first.unwrap_or_else(|error| error.exit());
        let (mut command, in_file) = match first.get_one::<PathBuf>("config") {
            Some(file) => file::apply(file, command).map_err(|error| StartError::Config {
                file: file.clone(),
                error,
            })?,
            None => (command, BTreeSet::new()),
        };
        let matches = command.get_matches_mut();
        Ok(Self {
            command,
            matches,
            in_file,
        })
    }

    /// Writes every setting, its value and where that comes from.
    fn list(&self, output: &mut impl Write) -> io::Result<()> {
        for arg in self.command.get_arguments() {
            let Some(key) = file::key(arg) else {
                continue;
            };
            let id = arg.get_id().as_str();
            let source = match self.matches.value_source(id) {
                Some(ValueSource::CommandLine) => "flag",
                Some(ValueSource::EnvVariable) => "variable",
                _ if self.in_file.contains(&key) => "file",
                Some(_) => "default",
                None => {
                    writeln!(output, "{key}: not set")?;
                    continue;
                }
            };
            let values = self.matches.get_raw(id).into_iter().flatten();
            let value = values.collect::<Vec<_>>().join(OsStr::new(","));
            // It may hold a password.
            let is_secret = arg.is_hide_env_values_set() && source != "default";
            let value = match value.to_string_lossy() {
                _ if is_secret => "not shown".into(),
                value => value,
            };
            writeln!(output, "{key}: {value} ({source})")?;
        }
        Ok(())
    }
}
