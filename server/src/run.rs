//! Entry point of the binary: its command line and its commands.

use std::{
    env,
    io::{self, Write},
    iter,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, builder::EnumValueParser};
use serde_json::json;

use crate::{
    clock::{Clock, SystemTimeSource},
    commands::{Command, CommandError, Format, Output},
    config::{
        self, Check, SettingError, Settings,
        sources::{self, Sources},
        warnings, with_variables,
    },
    random::Random,
    signals::{Asked, Signals},
    start::{Running, StartError, start},
    store::{Store, backup},
    telemetry::Telemetry,
};

/// Serves the Data Cortex Report API: people log in by e-mail and manage the applications of
/// their organizations.
///
/// Without a command it starts the service, by default with an SQLite file and a folder for mails
/// in the current folder. Each setting is a flag, the environment variable shown beside it, or a
/// key in the settings file: the name of the flag with _ instead of -.
#[derive(Parser)]
#[command(name = "cortex-reportd", version, max_term_width = 100)]
struct CommandLine {
    /// Settings file, in TOML. Flags and variables override it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    action: Option<Action>,
}

/// Commands that run instead of the service.
#[derive(Subcommand)]
enum Action {
    /// List each setting with its value and source, then check the database, the key, the
    /// certificate and the mail server. All checks run even if one fails; nothing is created.
    CheckConfig,
    /// Copy the SQLite database into a new file; the service may be running.
    Backup {
        /// File to create.
        file: PathBuf,
    },
    /// Replace the SQLite database with a backup; the service must not be running.
    Restore {
        /// Backup file.
        file: PathBuf,
    },
    /// Use the key of the key file for the database after the old key was lost; the file is created
    /// if it does not exist. No instance may be running. Logins in progress have to be started
    /// again.
    ReplaceKey,
    #[command(flatten)]
    Operate(Command),
}

/// Entry point of the binary: serves or runs a command, and prints an error to standard error.
#[tokio::main]
pub async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nowhere else to report that.
            let _ = writeln!(io::stderr(), "cortex-reportd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let ParsedArgs {
        sources,
        settings,
        action,
        format,
    } = ParsedArgs::read().unwrap_or_else(|error| error.exit());
    let mut results = Output::new(format, io::stdout());
    if let Some(Action::CheckConfig) = action {
        return check_config(&sources, &settings, &mut results).await;
    }
    let warnings = warnings_of(&sources, &settings);
    match sources.checked() {
        Ok(()) => {}
        Err(SettingError::Flag(error)) => error.exit(),
        Err(error) => return Err(error.into()),
    }
    let Settings {
        store,
        serve,
        telemetry,
    } = settings;
    let failed = |error: io::Error| StartError::System(error.to_string());
    let random = Random::from_system().map_err(|error| StartError::System(error.to_string()))?;
    let clock = Clock::new(SystemTimeSource::default());
    let telemetry = Telemetry::start(&telemetry)?;
    match action {
        Some(Action::Backup { file }) => {
            backup::backup(&store.database_url, &file).await?;
            let text = format!("backed up to {}", file.display());
            let said = results.result(&json!({ "backup": file }), &text);
            said.map_err(CommandError::Output)?;
        }
        Some(Action::Restore { file }) => {
            let kept = backup::restore(&store.database_url, &file, &store.key_file).await?;
            let before = match kept {
                true => "; the old database is kept beside it, with the suffix .before-restore",
                false => "",
            };
            let text = format!("restored {}{before}", file.display());
            let said = results.result(&json!({ "restored": file, "is_old_kept": kept }), &text);
            said.map_err(CommandError::Output)?;
        }
        Some(Action::ReplaceKey) => {
            let ended = config::replace_key(&store, &random).await?;
            let text = format!(
                "the database now uses the key of {}; logins in progress that were ended: {ended}",
                store.key_file.display()
            );
            let replaced = json!({ "key_file": store.key_file, "ended_login_count": ended });
            let said = results.result(&replaced, &text);
            said.map_err(CommandError::Output)?;
        }
        Some(Action::Operate(command)) => {
            let store = Store::open_ready(&store.database_url, store.database_connections).await?;
            command.run(&store, &serve, &clock, &mut results).await?;
            store.close().await;
        }
        Some(Action::CheckConfig) | None => {
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            let mut signals = Signals::take().map_err(failed)?;
            let running = tokio::select! {
                running = start(&store, &serve, clock, random) => running?,
                // For example while it waits for another instance.
                () = signals.stop() => return Ok(()),
            };
            tracing::info!(
                address = %running.address(),
                metrics = running.metrics_address().map(tracing::field::display),
                mails = %serve.mail,
                "serving; open {} in a browser",
                running.public_url()
            );
            while let Asked::Reload = signals.next().await {
                reload(&running, &telemetry);
            }
            tracing::info!("stopping; a second signal stops at once");
            tokio::select! {
                () = running.stop() => {}
                () = signals.stop() => {}
            }
        }
    }
    telemetry.stop().await;
    Ok(())
}

/// Reads the settings again, and applies the log level and the certificate. If the settings have an
/// error, nothing changes; a log level or certificate that cannot be used leaves the old one.
fn reload(running: &Running, telemetry: &Telemetry) {
    let given = ParsedArgs::read().map_err(SettingError::Flag);
    let settings = match given.and_then(|it| it.sources.checked().map(|()| it.settings)) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(%error, "the settings were not reloaded");
            return;
        }
    };
    match telemetry.reload(&settings.telemetry) {
        Ok(()) => tracing::info!(
            log_level = settings.telemetry.log_level,
            "reloaded the log filter"
        ),
        Err(error) => tracing::error!(%error, "the old log filter stays in use"),
    }
    match running.reload(&settings.serve.tls) {
        Ok(()) => tracing::info!("reloaded the certificate"),
        Err(error) => tracing::error!(%error, "the old certificate stays in use"),
    }
}

/// The settings and the command, as given by flags, variables and the settings file.
struct ParsedArgs {
    sources: Sources,
    /// The settings, without those that cannot be used.
    settings: Settings,
    action: Option<Action>,
    /// Format of the results of commands.
    format: Format,
}

impl ParsedArgs {
    /// # Errors
    ///
    /// The command line has an unknown word, or asks for help.
    fn read() -> Result<Self, clap::Error> {
        let whole = |command| with_output(with_flags_of_check(command));
        let command = whole(with_variables(CommandLine::command()));
        let unchecked = whole(sources::unchecked(with_variables(CommandLine::command())));
        let matches = unchecked.try_get_matches().map_err(|error| {
            // The help shows defaults and variables, which the unchecked command does not know.
            let matches = command.clone().try_get_matches();
            matches.err().unwrap_or(error)
        })?;
        let action = matches.subcommand_name().map(|_| {
            let action = Action::from_arg_matches(&matches);
            action.map_err(|error| error.with_cmd(&command))
        });
        let action = action.transpose()?;
        let of_action = matches.subcommand().map(|(_, matches)| matches);
        let format = of_action.and_then(|matches| matches.get_one("output").copied());
        let sources = Sources::read(&command, &matches, |name| env::var_os(name));
        let without_variables = command.mut_args(|arg| arg.env(None::<&str>));
        let flags = without_variables
            .no_binary_name(true)
            .try_get_matches_from(sources.flags())?;
        let CommandLine {
            config: _,
            settings,
            action: _,
        } = CommandLine::from_arg_matches(&flags)?;
        Ok(Self {
            sources,
            settings,
            action,
            format: format.unwrap_or_default(),
        })
    }
}

/// Lets `check-config` take every flag after its name too.
fn with_flags_of_check(command: clap::Command) -> clap::Command {
    let flags = command.get_arguments().filter(|arg| !arg.is_global_set());
    let flags: Vec<Arg> = flags.cloned().collect();
    command.mut_subcommand("check-config", |check| check.args(flags))
}

/// Lets each command take the format of its results.
fn with_output(command: clap::Command) -> clap::Command {
    let output = Arg::new("output")
        .long("output")
        .value_name("FORMAT")
        .value_parser(EnumValueParser::<Format>::new())
        .default_value("text")
        .global(true)
        .help("Format of the result: text for people, or lines of JSON for programs");
    command.mut_subcommands(|command| command.arg(output.clone()))
}

fn warnings_of(sources: &Sources, settings: &Settings) -> Vec<String> {
    let has_password = [
        ("database_url", settings.store.database_url.has_password()),
        (
            "smtp_url",
            settings
                .serve
                .mail
                .smtp_url
                .as_ref()
                .is_some_and(|url| url.password.is_some()),
        ),
    ];
    let with_password: Vec<&str> = has_password
        .into_iter()
        .filter_map(|(key, has_password)| has_password.then_some(key))
        .collect();
    let config = sources.file_with(&with_password);
    warnings(&settings.store, &settings.serve, config)
}

/// Lists the settings, then runs each check whose settings are valid.
async fn check_config(
    sources: &Sources,
    settings: &Settings,
    output: &mut Output<impl Write>,
) -> Result<(), StartError> {
    let failed = report(output, sources, settings).await;
    match failed.map_err(CommandError::Output)? {
        0 => {
            let good = output.text("\nThe service can start with these settings.");
            Ok(good.map_err(CommandError::Output)?)
        }
        failed => Err(StartError::Checks(failed)),
    }
}

/// Writes the results of [`check_config`]. Returns the number of failed checks.
async fn report(
    output: &mut Output<impl Write>,
    sources: &Sources,
    settings: &Settings,
) -> io::Result<usize> {
    for setting in sources.list() {
        output.result(&setting, &setting.to_string())?;
    }
    output.text("")?;
    let mut failed = sources.errors.len();
    let fail = |output: &mut Output<_>, error: &SettingError| {
        let text = format!("failed: {error}");
        output.result(&json!({ "failed": error.to_string() }), &text)
    };
    for error in &sources.errors {
        fail(output, error)?;
    }
    let mut telemetry = None;
    let logging = Check::new(
        "log and traces",
        &["log_level", "log_format", "otlp_url"],
        async {
            telemetry = Some(Telemetry::start(&settings.telemetry)?);
            Ok(())
        },
    );
    let others = config::checks(&settings.store, &settings.serve);
    for check in iter::once(logging).chain(others) {
        if !sources.are_usable(check.settings) {
            continue;
        }
        match check.result.await {
            Ok(()) => {
                let text = format!("ok: {}", check.what);
                output.result(&json!({ "ok": check.what }), &text)?;
            }
            Err(error) => {
                failed += 1;
                fail(output, &error)?;
            }
        }
    }
    for warning in warnings_of(sources, settings) {
        let text = format!("warning: {warning}");
        output.result(&json!({ "warning": warning }), &text)?;
    }
    if let Some(telemetry) = telemetry {
        telemetry.stop().await;
    }
    Ok(failed)
}
