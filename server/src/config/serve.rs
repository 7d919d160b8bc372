//! Settings of the service: where it listens, under which URL it is reached, and who may log in.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::{MailLimits, MailSettings, SettingError, TlsSettings};
use crate::{network::Network, public_url::PublicUrl};

/// What the service needs besides.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The URL under which people and programs reach the service; stands in mails, and decides
    /// whether cookies need HTTPS. Else it is http:// and the address it listens on.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The networks of the proxies in front of the service, whose X-Forwarded-For or Forwarded,
    /// X-Request-Id and traceparent are believed; by default nobody's.
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// How long /readyz answers 503 before the service, told to stop, accepts no more connections,
    /// in seconds: as long as a load balancer needs to notice.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        value_parser = clap::value_parser!(u16).range(0..=600)
    )]
    pub drain: u16,

    /// The address and port where Prometheus finds /metrics; by default nowhere.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Who may log in: open, whoever has an address, or closed, whom the operator added.
    #[arg(
        long,
        value_name = "MODE",
        default_value = "open",
        hide_possible_values = true
    )]
    pub registration: Registration,

    #[command(flatten)]
    /// How connections are encrypted.
    pub tls: TlsSettings,

    #[command(flatten)]
    /// How login mails are sent.
    pub mail: MailSettings,

    #[command(flatten)]
    /// How many login mails are sent.
    pub mail_limits: MailLimits,
}

/// Who may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Whoever has an address: the first verified login makes the user.
    Open,
    /// Whom the operator added.
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
