//! Settings of the service: address to listen on, public URL, proxies, registration.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::{MailLimits, MailSettings, SettingError, TlsSettings};
use crate::{network::Network, public_url::PublicUrl};

/// Settings that only the running service needs.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// URL at which people and programs reach the service. Mails link to it, and with https cookies
    /// are sent over HTTPS only. Defaults to the address that the service listens on.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Networks of the proxies in front of the service, whose X-Forwarded-For or Forwarded,
    /// X-Request-Id and traceparent headers are trusted; none by default.
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// Seconds after a stop signal during which /readyz answers 503 and connections are still
    /// accepted (0 to 600): the time that a load balancer needs to notice.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        value_parser = clap::value_parser!(u16).range(0..=600)
    )]
    pub drain: u16,

    /// Address and port of /metrics, for Prometheus; not served by default.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Registration mode: open lets anybody with an e-mail address log in, closed only users that
    /// the operator added, and people who are invited.
    #[arg(
        long,
        value_name = "MODE",
        default_value = "open",
        hide_possible_values = true
    )]
    pub registration: Registration,

    #[command(flatten)]
    /// Encryption of connections.
    pub tls: TlsSettings,

    #[cfg(feature = "events")]
    #[command(flatten)]
    /// Events.
    pub events: super::EventSettings,

    #[command(flatten)]
    /// Delivery of mails.
    pub mail: MailSettings,

    #[command(flatten)]
    /// Limits of mails.
    pub mail_limits: MailLimits,
}

/// Registration mode, which decides who may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Anybody with an e-mail address; the first verified login creates the user.
    Open,
    /// Only users that the operator added, and people who are invited.
    Closed,
}

pub(crate) async fn listen(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), SettingError> {
    let failed = |error| SettingError::Listen {
        setting,
        address,
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The URL of a service that listens at `address`.
pub(crate) fn public_url(
    settings: &ServeSettings,
    address: SocketAddr,
) -> Result<PublicUrl, SettingError> {
    match &settings.public_url {
        Some(public_url) => Ok(public_url.clone()),
        None if address.ip().is_unspecified() => Err(SettingError::PublicUrl(address)),
        None => {
            let is_https = settings.tls.tls_certificate_file.is_some();
            Ok(PublicUrl::of_address(address, is_https))
        }
    }
}

/// Checks that the address is one of this machine. Tries any free port, since a running service may
/// hold the given one.
pub(super) async fn can_listen(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(), SettingError> {
    let address = SocketAddr::new(address.ip(), 0);
    listen(setting, address).await.map(drop)
}
