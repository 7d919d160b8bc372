//! Starting: from the settings to a service that runs.

use std::{
    future, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use openapi_lockstep_runtime::ContractError;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tracing_subscriber::filter::ParseError;

use crate::{
    auth::{self, Sessions},
    cleanup,
    clock::Clock,
    commands::CommandError,
    config::{MailSettings, PublicUrl, ServeSettings, SettingError, StoreSettings, TlsSettings},
    http::{self, Readiness, TrustedProxies},
    mail::{MailDir, MailError, Outbox, Smtp, Transport},
    metrics::Metrics,
    random::Random,
    secret::{Secret, ServerKey},
    service::{Parts, Service},
    store::{Store, StoreError, backup::BackupError},
};

/// Why the service does not start, with the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting, or the settings file, cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The settings were checked, and the service could not start with them.
    #[error("the service cannot start with these settings: {0} of the checks failed")]
    Checks(usize),
    /// Nothing can listen there.
    #[error("{setting}: cannot listen on {address}: {error}")]
    Listen {
        /// The setting that says so.
        setting: &'static str,
        /// Address to listen on.
        address: SocketAddr,
        /// Error of the operating system.
        error: io::Error,
    },
    /// Nobody can say under which URL the service is reached.
    #[error("CORTEX_REPORT_PUBLIC_URL: set it, since {0} is no address to reach the service at")]
    PublicUrl(SocketAddr),
    /// The database cannot be opened or brought up to date.
    #[error("CORTEX_REPORT_DATABASE_URL: {0}")]
    Database(#[from] StoreError),
    /// A file or folder cannot be read or made, or holds nothing of use.
    #[error("{setting}: cannot use {}: {reason}", path.display())]
    Unusable {
        /// The setting that names it.
        setting: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Reason that it cannot be used.
        reason: String,
    },
    /// The key is not there, but the database was used with one.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} is not there, but the database was used with a key; put the file \
         back. If it is lost, stop all instances and run: cortex-reportd replace-key. Then only the \
         logins that are under way have to be started anew", file.display()
    )]
    KeyLost {
        /// The file.
        file: PathBuf,
    },
    /// The key is not the one that the database was used with.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} holds another key than the database was used with: codes and \
         links of logins that are under way would be refused; name the right file, or stop all \
         instances and run: cortex-reportd replace-key", file.display()
    )]
    KeyDiffers {
        /// The file.
        file: PathBuf,
    },
    /// Of who sends by the SMTP server only half is known.
    #[error(
        "CORTEX_REPORT_SMTP_URL: a user and a password go together; set \
         CORTEX_REPORT_SMTP_PASSWORD_FILE for the user of the URL"
    )]
    SmtpCredentials,
    /// A certificate without a key, or the other way round.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE and CORTEX_REPORT_TLS_KEY_FILE go together; set both \
         or none"
    )]
    HalfTls,
    /// The certificate and the key are not of each other, or of no use.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: they are of no use: {0}"
    )]
    TlsPair(rustls::Error),
    /// A service that runs is to begin to encrypt, or to cease.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: restart the service to \
         change between http and https"
    )]
    TlsChanges,
    /// The SMTP server was tried, and sends no mail.
    #[error("CORTEX_REPORT_SMTP_URL: {0}")]
    Smtp(MailError),
    /// No traces can be sent there.
    #[error("CORTEX_REPORT_OTLP_URL: {0}")]
    Otlp(String),
    /// The log level is none.
    #[error("CORTEX_REPORT_LOG_LEVEL: {0}")]
    LogLevel(#[from] ParseError),
    /// The system has no randomness or takes no signal handler.
    #[error("the system does not give what the service needs: {0}")]
    System(String),
    /// The document cannot be used, which the build rules out.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A backup failed, or was not put back.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// Time limit for mails that are being sent when the service stops.
const OUTBOX_GRACE: Duration = Duration::from_secs(5);

/// A service that runs.
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    public_url: PublicUrl,
    tls: watch::Sender<Option<TlsAcceptor>>,
    shutdown: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    /// Address that the service listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Address of the metrics listener, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Under which URL it is reached.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// Uses the certificate of these settings for the connections that come from now on.
    ///
    /// # Errors
    ///
    /// A setting that does not work; the certificate stays as it was.
    pub fn reload(&self, settings: &TlsSettings) -> Result<(), StartError> {
        let tls = tls(settings)?;
        if tls.is_some() != self.tls.borrow().is_some() {
            return Err(StartError::TlsChanges);
        }
        self.tls.send_replace(tls);
        Ok(())
    }

    /// Says that it is no longer ready, stops accepting after a while, lets the requests under way
    /// finish, and closes the database.
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
    let (tls, tls_of_now) = watch::channel(tls(&settings.tls)?);
    let (store, key) = open(store_settings, &random).await?;
    // Whoever is let in wants to write.
    store.probe(clock.now()).await?;
    let (listener, address) = listen("CORTEX_REPORT_LISTEN", settings.listen).await?;
    let public_url = public_url(settings, address)?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(listen("CORTEX_REPORT_METRICS_LISTEN", address).await?),
        None => None,
    };
    let metrics_address = metrics.as_ref().map(|(_, address)| *address);
    let transport = transport(&settings.mail, &public_url)?;
    let service = Service::new(Parts {
        store: store.clone(),
        new_apps: Arc::default(),
        sessions: Sessions::default(),
        clock,
        random,
        key,
        public_url: public_url.clone(),
        registration: settings.registration,
        mail_limits: settings.mail_limits.clone(),
        trusted_proxies: Arc::new(TrustedProxies::new(&settings.trusted_proxies)),
        mail_is_due: Notify::new(),
        metrics: Metrics::new(),
        readiness: Readiness::default(),
        draining: AtomicBool::new(false),
    });
    let endpoint = http::endpoint(service.clone())?;
    cleanup::settle_times(&service).await?;

    let (stop_outbox, outbox_is_told) = oneshot::channel::<()>();
    let outbox = Outbox::new(service.clone(), transport, settings.mail.mail_from.clone());
    let outbox = tokio::spawn(outbox.run(outbox_is_told));
    // Ended by being dropped, at any point.
    let mut others = JoinSet::new();
    others.spawn(cleanup::run(service.clone()));
    others.spawn(auth::follow(service.clone()));
    if let Some((listener, _)) = metrics {
        let endpoint = http::metrics_endpoint(service.clone());
        let proxies = Arc::clone(&service.trusted_proxies);
        others.spawn(http::serve(
            listener,
            watch::channel(None).1,
            endpoint,
            proxies,
            future::pending(),
        ));
    }
    let (shutdown, shut_down) = oneshot::channel::<()>();
    let drain = Duration::from_secs(settings.drain.into());
    let serving = tokio::spawn(async move {
        let stopping = service.clone();
        let proxies = Arc::clone(&service.trusted_proxies);
        let drained = async move {
            let _ = shut_down.await;
            stopping.draining.store(true, Ordering::Relaxed);
            tokio::time::sleep(drain).await;
        };
        http::serve(listener, tls_of_now, endpoint, proxies, drained).await;
        // The mail that is being sent is finished, but a server that hangs holds up nothing.
        drop(stop_outbox);
        let ending = outbox.abort_handle();
        if tokio::time::timeout(OUTBOX_GRACE, outbox).await.is_err() {
            ending.abort();
        }
        others.shutdown().await;
        // The machine's time may be set back before the next start.
        if let Err(error) = cleanup::settle_times(&service).await {
            tracing::warn!(%error, "what has expired is not marked");
        }
        store.close().await;
    });
    Ok(Running {
        address,
        metrics_address,
        public_url,
        tls,
        shutdown,
        serving,
    })
}

/// A part of what [`start`] needs, tried without changing anything.
pub(crate) struct Check<'a> {
    pub(crate) what: &'static str,
    /// The settings without which it cannot be tried.
    pub(crate) settings: &'static [&'static str],
    pub(crate) result: BoxFuture<'a, Result<(), StartError>>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        what: &'static str,
        settings: &'static [&'static str],
        result: impl Future<Output = Result<(), StartError>> + Send + 'a,
    ) -> Self {
        Self {
            what,
            settings,
            result: Box::pin(result),
        }
    }
}

/// The checks of these settings.
pub(crate) fn checks<'a>(store: &'a StoreSettings, settings: &'a ServeSettings) -> Vec<Check<'a>> {
    let certificate: &[_] = &["tls_certificate_file", "tls_key_file"];
    let mail: &[_] = &["smtp_url", "smtp_password_file", "smtp_timeout", "mail_dir"];
    vec![
        Check::new("key", &["key_file"], async {
            let file = &store.key_file;
            match file.exists() {
                true => load_key(file).map(drop),
                false => is_in_folder("CORTEX_REPORT_KEY_FILE", file),
            }
        }),
        Check::new("database", &["database_url"], async {
            Store::check(&store.database_url).await?;
            let recorded = Store::find_key_fingerprint(&store.database_url).await?;
            match check_key(store, recorded) {
                // It has a check of its own.
                Err(StartError::Unusable { .. }) => Ok(()),
                result => result,
            }
        }),
        Check::new("certificate", certificate, async {
            tls(&settings.tls).map(drop)
        }),
        Check::new("address to listen on", &["listen"], async {
            can_listen("CORTEX_REPORT_LISTEN", settings.listen).await
        }),
        Check::new("address of metrics", &["metrics_listen"], async {
            match settings.metrics_listen {
                Some(address) => can_listen("CORTEX_REPORT_METRICS_LISTEN", address).await,
                None => Ok(()),
            }
        }),
        Check::new("public URL", &["public_url", "listen"], async {
            public_url(settings, settings.listen).map(drop)
        }),
        Check::new("mail", mail, async {
            // The name of this host, which a server is told, has a check of its own.
            let public_url = public_url(settings, settings.listen);
            let address = PublicUrl::of_address(settings.listen, false);
            match smtp(&settings.mail, &public_url.unwrap_or(address))? {
                Some(smtp) => smtp.test().await.map_err(StartError::Smtp),
                None => is_folder("CORTEX_REPORT_MAIL_DIR", &settings.mail.mail_dir),
            }
        }),
    ]
}

/// Checks that the address is one of this machine. Tries any free port, since a running service may
/// hold the given one.
async fn can_listen(setting: &'static str, address: SocketAddr) -> Result<(), StartError> {
    let address = SocketAddr::new(address.ip(), 0);
    listen(setting, address).await.map(drop)
}

/// Checks that the folder exists in which a missing file is to be created.
fn is_in_folder(setting: &'static str, file: &Path) -> Result<(), StartError> {
    match file.parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            let reason = format!("there is no folder {}", folder.display());
            Err(unusable(setting, file)(reason))
        }
        _ => Ok(()),
    }
}

/// Checks that the path is a folder, or that its nearest existing ancestor is one to create it in.
fn is_folder(setting: &'static str, folder: &Path) -> Result<(), StartError> {
    match folder.ancestors().find(|it| it.exists()) {
        Some(there) if !there.is_dir() => {
            let reason = format!("{} is not a folder", there.display());
            Err(unusable(setting, folder)(reason))
        }
        _ => Ok(()),
    }
}

/// The database, brought up to date, and the key that belongs to it.
///
/// # Errors
///
/// A setting that does not work.
async fn open(settings: &StoreSettings, random: &Random) -> Result<(Store, ServerKey), StartError> {
    let (url, file) = (&settings.database_url, &settings.key_file);
    if !file.exists() {
        let recorded = Store::find_key_fingerprint(url).await?;
        check_key(settings, recorded)?;
        create_key(file, random)?;
    }
    let key = load_key(file)?;
    let store = Store::open(url, settings.database_connections, file).await?;
    if store.claim_key_fingerprint(&key.fingerprint()).await? {
        Ok((store, key))
    } else {
        store.close().await;
        Err(StartError::KeyDiffers { file: file.clone() })
    }
}

/// Checks that the key file matches the fingerprint that the database has recorded, if any.
fn check_key(settings: &StoreSettings, recorded: Option<String>) -> Result<(), StartError> {
    let file = settings.key_file.clone();
    let is_there = file.exists();
    let key = is_there.then(|| load_key(&file)).transpose()?;
    match (key, recorded) {
        (None, Some(_)) => Err(StartError::KeyLost { file }),
        (Some(key), Some(recorded)) if key.fingerprint() != recorded => {
            Err(StartError::KeyDiffers { file })
        }
        _ => Ok(()),
    }
}

fn load_key(file: &Path) -> Result<ServerKey, StartError> {
    ServerKey::load(file).map_err(unusable("CORTEX_REPORT_KEY_FILE", file))
}

fn create_key(file: &Path, random: &Random) -> Result<(), StartError> {
    ServerKey::create(file, random).map_err(unusable("CORTEX_REPORT_KEY_FILE", file))?;
    tracing::info!(file = %file.display(), "made a new key");
    Ok(())
}

/// Makes the key that the key file holds the database's; the file is made if it is not there. Ends
/// the logins under way, whose codes and links depend on the key before. Answers how many.
///
/// # Errors
///
/// A setting that does not work.
pub(crate) async fn replace_key(
    settings: &StoreSettings,
    random: &Random,
) -> Result<u64, StartError> {
    let (url, file) = (&settings.database_url, &settings.key_file);
    let store = Store::open_ready(url, settings.database_connections).await?;
    if !file.exists() {
        create_key(file, random)?;
    }
    let key = load_key(file)?;
    let ended = store.replace_key_fingerprint(&key.fingerprint()).await?;
    store.close().await;
    Ok(ended)
}

/// Returns a function that turns an error of a file or folder into [`StartError::Unusable`].
fn unusable<E: ToString>(setting: &'static str, path: &Path) -> impl Fn(E) -> StartError {
    move |error| StartError::Unusable {
        setting,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

async fn listen(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen {
        setting,
        address,
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The URL of a service that listens at `address`.
fn public_url(settings: &ServeSettings, address: SocketAddr) -> Result<PublicUrl, StartError> {
    match &settings.public_url {
        Some(public_url) => Ok(public_url.clone()),
        None if address.ip().is_unspecified() => Err(StartError::PublicUrl(address)),
        None => {
            let is_https = settings.tls.tls_certificate_file.is_some();
            Ok(PublicUrl::of_address(address, is_https))
        }
    }
}

/// The TLS acceptor of connections; none if neither a certificate nor a key is set.
fn tls(settings: &TlsSettings) -> Result<Option<TlsAcceptor>, StartError> {
    let (certificate_file, key_file) =
        match (&settings.tls_certificate_file, &settings.tls_key_file) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(StartError::HalfTls),
        };
    let setting = "CORTEX_REPORT_TLS_CERTIFICATE_FILE";
    let certificates = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unusable(setting, certificate_file))?;
    if certificates.is_empty() {
        return Err(unusable(setting, certificate_file)("it has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(unusable("CORTEX_REPORT_TLS_KEY_FILE", key_file))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map_err(StartError::TlsPair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The transport for mails: the SMTP server if one is set, otherwise the mail folder.
fn transport(
    settings: &MailSettings,
    public_url: &PublicUrl,
) -> Result<Arc<dyn Transport>, StartError> {
    if let Some(smtp) = smtp(settings, public_url)? {
        return Ok(Arc::new(smtp));
    }
    let folder = &settings.mail_dir;
    let mail_dir =
        MailDir::open(folder.clone()).map_err(unusable("CORTEX_REPORT_MAIL_DIR", folder))?;
    Ok(Arc::new(mail_dir))
}

/// The SMTP server that sends mails, if one is set.
fn smtp(settings: &MailSettings, public_url: &PublicUrl) -> Result<Option<Smtp>, StartError> {
    let read = |file: &PathBuf| {
        Secret::read(file).map_err(unusable("CORTEX_REPORT_SMTP_PASSWORD_FILE", file))
    };
    let password = settings.smtp_password_file.as_ref().map(read).transpose()?;
    let Some(url) = &settings.smtp_url else {
        return match password {
            Some(_) => Err(StartError::SmtpCredentials),
            None => Ok(None),
        };
    };
    let password = password.or_else(|| url.password.clone());
    if url.user.is_some() != password.is_some() {
        return Err(StartError::SmtpCredentials);
    }
    let timeout = Duration::from_secs(settings.smtp_timeout.into());
    let smtp = Smtp::new(url, password.as_ref(), timeout, public_url.host())
        .map_err(|error| StartError::System(error.to_string()))?;
    Ok(Some(smtp))
}
