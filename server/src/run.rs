//! Starting: from the command line to a service that runs.

use std::{
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use openapi_lockstep_runtime::ContractError;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::{
    clock::{Clock, SystemTimeSource},
    commands::{Command, CommandError},
    config::{LogFormat, LogSettings, MailSettings, PublicUrl, ServeSettings, StoreSettings},
    http,
    mail::{MailDir, Outbox, Smtp, Transport},
    random::Random,
    secret::{Secret, ServerKey},
    service::Service,
    store::{Store, StoreError},
};

/// Serves the Data Cortex Report API: people log in by e-mail and manage the applications of
/// their organizations.
///
/// Without a command it serves, with an SQLite file and a folder for mails beside where it is
/// started. Every setting is a flag, or the variable that is shown beside it.
#[derive(Parser)]
#[command(name = "cortex-reportd", version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    serve: ServeSettings,
    #[command(flatten)]
    log: LogSettings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Why the service does not start, with the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can listen there.
    #[error("CORTEX_REPORT_LISTEN: cannot listen on {address}: {error}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// Nobody can say under which URL the service is reached.
    #[error("CORTEX_REPORT_PUBLIC_URL: set it, since {0} is no address to reach the service at")]
    PublicUrl(SocketAddr),
    /// The database cannot be opened or brought up to date.
    #[error("CORTEX_REPORT_DATABASE_URL: {0}")]
    Database(#[from] StoreError),
    /// The key cannot be read or made.
    #[error("CORTEX_REPORT_KEY_FILE: cannot use {}: {error}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The mail folder cannot be made.
    #[error("CORTEX_REPORT_MAIL_DIR: cannot use {}: {error}", folder.display())]
    MailDir {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The password for the SMTP server cannot be read.
    #[error("CORTEX_REPORT_SMTP_PASSWORD_FILE: cannot use {}: {error}", file.display())]
    SmtpPassword {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// Of who sends by the SMTP server only half is known.
    #[error(
        "CORTEX_REPORT_SMTP_URL: a user and a password go together; set \
         CORTEX_REPORT_SMTP_PASSWORD_FILE for the user of the URL"
    )]
    SmtpCredentials,
    /// The log level is none.
    #[error("CORTEX_REPORT_LOG_LEVEL: {0}")]
    LogLevel(#[from] ParseError),
    /// The system has no randomness or takes no signal handler.
    #[error("the system does not give what the service needs: {0}")]
    System(String),
    /// The document cannot be used, which the build rules out.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// How long the mail that is being sent when the service stops may take.
const OUTBOX_GRACE: Duration = Duration::from_secs(5);

/// A service that runs.
pub struct Running {
    address: SocketAddr,
    public_url: PublicUrl,
    shutdown: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Under which URL it is reached.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// Stops accepting, lets the requests under way finish, and closes the database.
    pub async fn stop(self) {
        // The receiver is gone only if it has ended already.
        let _ = self.shutdown.send(());
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the service did not end cleanly");
        }
    }
}

/// Starts the service.
///
/// # Errors
///
/// A setting that does not work.
pub async fn start(
    store_settings: &StoreSettings,
    settings: &ServeSettings,
    clock: Clock,
    random: Random,
) -> Result<Running, StartError> {
    let (store, key) = open(store_settings, &random).await?;
    let listen = |error| StartError::Listen {
        address: settings.listen,
        error,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let public_url = match &settings.public_url {
        Some(public_url) => public_url.clone(),
        None if address.ip().is_unspecified() => return Err(StartError::PublicUrl(address)),
        None => PublicUrl::of_address(address),
    };
    let transport = transport(&settings.mail, &public_url)?;
    let service = Service {
        store: store.clone(),
        clock: Arc::new(clock),
        random: Arc::new(random),
        key,
        public_url: public_url.clone(),
        registration: settings.registration,
        mail_limits: settings.mail_limits.clone(),
        mail_is_due: Arc::new(Notify::new()),
    };
    let endpoint = http::endpoint(service.clone())?;
    let (stop_outbox, outbox_is_told) = oneshot::channel::<()>();
    let outbox = Outbox::new(service, transport, settings.mail.mail_from.clone());
    let outbox = tokio::spawn(outbox.run(outbox_is_told));
    let (shutdown, told) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let told = async {
            let _ = told.await;
        };
        http::serve(listener, endpoint, told).await;
        // The mail that is being sent is finished, but a server that hangs holds up nothing.
        drop(stop_outbox);
        let ending = outbox.abort_handle();
        if tokio::time::timeout(OUTBOX_GRACE, outbox).await.is_err() {
            ending.abort();
        }
        store.close().await;
    });
    Ok(Running {
        address,
        public_url,
        shutdown,
        serving,
    })
}

/// How mails are sent.
fn transport(
    settings: &MailSettings,
    public_url: &PublicUrl,
) -> Result<Arc<dyn Transport>, StartError> {
    let Some(url) = &settings.smtp_url else {
        let folder = settings.mail_dir.clone();
        let mail_dir =
            MailDir::open(folder.clone()).map_err(|error| StartError::MailDir { folder, error })?;
        return Ok(Arc::new(mail_dir));
    };
    let password = match &settings.smtp_password_file {
        Some(file) => Some(
            Secret::read(file).map_err(|error| StartError::SmtpPassword {
                file: file.clone(),
                error,
            })?,
        ),
        None => url.password.clone(),
    };
    if url.user.is_some() != password.is_some() {
        return Err(StartError::SmtpCredentials);
    }
    let timeout = Duration::from_secs(settings.smtp_timeout.into());
    let smtp = Smtp::new(url, password.as_ref(), timeout, public_url.host())
        .map_err(|error| StartError::System(error.to_string()))?;
    Ok(Arc::new(smtp))
}

async fn open(settings: &StoreSettings, random: &Random) -> Result<(Store, ServerKey), StartError> {
    let file = &settings.key_file;
    let key = ServerKey::load(file, random).map_err(|error| StartError::Key {
        file: file.clone(),
        error,
    })?;
    let store = Store::open(&settings.database_url, settings.database_connections).await?;
    store.migrate(file).await?;
    Ok((store, key))
}

/// What the binary does.
#[tokio::main]
pub async fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match run(command_line).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nowhere else to say it.
            let _ = writeln!(io::stderr(), "cortex-reportd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command_line: CommandLine) -> Result<(), StartError> {
    let CommandLine {
        store,
        serve,
        log,
        command,
    } = command_line;
    start_log(&log)?;
    let clock = Clock::new(SystemTimeSource);
    let random = Random::from_system().map_err(|error| StartError::System(error.to_string()))?;
    if let Some(command) = command {
        let (store, _) = open(&store, &random).await?;
        command.run(&store, &clock, &mut io::stdout()).await?;
        store.close().await;
        return Ok(());
    }
    let failed = |error: io::Error| StartError::System(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let running = start(&store, &serve, clock, random).await?;
    tracing::info!(
        address = %running.address(),
        mails = %serve.mail,
        "serving; open {} in a browser",
        running.public_url()
    );
    let mut told = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tracing::info!("stopping; a second signal ends at once");
    tokio::select! {
        () = running.stop() => {}
        () = told() => {}
    }
    Ok(())
}

fn start_log(settings: &LogSettings) -> Result<(), StartError> {
    let filter = match settings.log_level.as_str() {
        // At each start, and each command, they say that there is nothing to do.
        "info" => EnvFilter::try_new("info,sea_orm_migration=warn,sqlx::postgres::notice=warn")?,
        level => EnvFilter::try_new(level)?,
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match settings.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
