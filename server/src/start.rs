//! Start of the service: wiring of its parts.

use std::{future, net::SocketAddr, sync::Arc, time::Duration};

use openapi_lockstep_runtime::ContractError;
use tokio::{
    sync::{Notify, oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

#[cfg(feature = "events")]
use crate::worker::{Sealing, Upkeep};
use crate::{
    clock::Clock,
    commands::CommandError,
    config::{self, ServeSettings, SettingError, StoreSettings, TlsSettings},
    http::{self, Health, TrustedProxies},
    metrics::Metrics,
    public_url::PublicUrl,
    random::Random,
    service::{Parts, Service},
    store::{StoreError, backup::BackupError, org, session_cache::SessionCache},
    worker::{Cleanup, Expiry, Outbox, Workers, settle_times},
};

/// Error of a start or a command, naming the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting, or the settings file, cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Checks of the settings failed.
    #[error("the service cannot start with these settings: {0} of the checks failed")]
    Checks(usize),
    /// The system has no randomness or takes no signal handler.
    #[error("the operating system failed to provide what the service needs: {0}")]
    System(String),
    /// The document cannot be used, which the build rules out.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A backup or its restoration failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Setting(SettingError::Database(error))
    }
}

/// A running service.
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

    /// URL that the service is reached at.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// Uses the certificate of these settings for new connections.
    ///
    /// # Errors
    ///
    /// A setting cannot be used; the old certificate stays in use.
    pub fn reload(&self, settings: &TlsSettings) -> Result<(), StartError> {
        let tls = config::acceptor(settings)?;
        if tls.is_some() != self.tls.borrow().is_some() {
            return Err(SettingError::TlsChanges.into());
        }
        self.tls.send_replace(tls);
        Ok(())
    }

    /// Reports that the service is not ready, stops accepting connections after the drain time,
    /// lets requests in progress finish, and closes the database.
    pub async fn stop(self) {
        // The receiver is dropped only if the service has ended already.
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
/// A setting cannot be used, or the database cannot be written to.
pub async fn start(
    store_settings: &StoreSettings,
    settings: &ServeSettings,
    clock: Clock,
    random: Random,
) -> Result<Running, StartError> {
    let (tls, tls_of_now) = watch::channel(config::acceptor(&settings.tls)?);
    let (store, key) = config::open(store_settings, &random).await?;
    // Every login writes, so the start fails if the database cannot be written to.
    store.probe(clock.now()).await?;
    let (listener, address) = config::listen("CORTEX_REPORT_LISTEN", settings.listen).await?;
    let public_url = config::public_url(settings, address)?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(config::listen("CORTEX_REPORT_METRICS_LISTEN", address).await?),
        None => None,
    };
    let metrics_address = metrics.as_ref().map(|(_, address)| *address);
    let transport = config::transport(&settings.mail, &public_url)?;
    let proxies = Arc::new(TrustedProxies::new(&settings.trusted_proxies));
    let health = Arc::new(Health::default());
    let service = Service::new(Parts {
        store: store.clone(),
        new_apps: Arc::default(),
        events: Default::default(),
        sessions: SessionCache::default(),
        clock,
        random,
        key,
        public_url: public_url.clone(),
        registration: settings.registration,
        mail_limits: settings.mail_limits.clone(),
        mail_is_due: Notify::new(),
        metrics: Metrics::new(),
    });
    #[cfg(feature = "events")]
    let lake = config::lake(&settings.events)?;
    let endpoint = http::endpoint(service.clone(), Arc::clone(&proxies), Arc::clone(&health))?;
    settle_times(&service).await?;
    org::name_all(&service.store).await?;

    let mut workers = Workers::new(service.clone());
    let from = settings.mail.mail_from.clone();
    workers.start(Outbox::new(service.clone(), transport, from));
    workers.start(Cleanup(service.clone()));
    workers.start(Expiry(service.clone()));
    #[cfg(feature = "events")]
    {
        let interval = Duration::from_secs(settings.events.seal_interval.into());
        let instance: Arc<str> = config::instance(settings).into();
        let (sealed, kept) = (Arc::clone(&lake), Arc::clone(&instance));
        workers.start(Sealing::new(service.clone(), sealed, interval, kept));
        workers.start(Upkeep::new(service.clone(), lake, instance));
    }
    // These tasks are aborted at the end, and may be at any point.
    let mut others = JoinSet::new();
    let following = service.clone();
    others.spawn(async move { following.sessions.follow(&following.store).await });
    if let Some((listener, _)) = metrics {
        others.spawn(http::serve(
            listener,
            watch::channel(None).1,
            http::metrics_endpoint(service.clone()),
            Arc::clone(&proxies),
            future::pending(),
        ));
    }
    let (shutdown, shut_down) = oneshot::channel::<()>();
    let drain = Duration::from_secs(settings.drain.into());
    let serving = tokio::spawn(async move {
        let drained = async move {
            let _ = shut_down.await;
            health.drain();
            tokio::time::sleep(drain).await;
        };
        http::serve(listener, tls_of_now, endpoint, proxies, drained).await;
        workers.stop().await;
        others.shutdown().await;
        // The system clock may be set back before the next start.
        if let Err(error) = settle_times(&service).await {
            tracing::warn!(%error, "expired sessions could not be marked");
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
