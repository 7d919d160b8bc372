//! Settings: each with its flag, its variable and its default, in one place.

mod database_url;
mod file;
pub(crate) mod sources;
mod values;
mod warnings;

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};
use lettre::message::Mailbox;
use url::Url;

pub(crate) use database_url::DatabaseOptions;
pub use database_url::DatabaseUrl;
pub use sources::SettingError;
pub use values::{Limit, Network, PublicUrl, SmtpTls, SmtpUrl};
use values::{Unshown, collector};
pub(crate) use warnings::warnings;

/// Every setting.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) store: StoreSettings,
    #[command(flatten)]
    pub(crate) serve: ServeSettings,
    #[command(flatten)]
    pub(crate) telemetry: TelemetrySettings,
}

/// Where the database and the server's key are: what every command needs.
#[derive(Args, Clone, Debug)]
pub struct StoreSettings {
    /// The database: sqlite://FILE, which is made if it is not there, or
    /// postgres://USER:PASSWORD@HOST/DATABASE, or mariadb:// and the same.
    #[arg(
        long,
        env = "CORTEX_REPORT_DATABASE_URL",
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL",
        value_parser = Unshown(DatabaseUrl::from_str),
        default_value = "sqlite://cortex-report.db",
        global = true
    )]
    pub database_url: DatabaseUrl,

    /// How many connections to the database are held at most. Two are left to those who only read.
    #[arg(
        long,
        env = "CORTEX_REPORT_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "8",
        value_parser = clap::value_parser!(u32).range(3..=1000),
        global = true
    )]
    pub database_connections: u32,

    /// The file of the server's key, which secrets in the database depend on; made if it is not
    /// there. Keep it apart from the database's backups.
    #[arg(
        long,
        env = "CORTEX_REPORT_KEY_FILE",
        value_name = "FILE",
        default_value = "cortex-report.key",
        global = true
    )]
    pub key_file: PathBuf,
}

/// What the service needs besides.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// The address and port to listen on.
    #[arg(
        long,
        env = "CORTEX_REPORT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// The URL under which people and programs reach the service; stands in mails, and decides
    /// whether cookies need HTTPS. Else it is http:// and the address it listens on.
    #[arg(long, env = "CORTEX_REPORT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The networks of the proxies in front of the service, whose X-Forwarded-For or Forwarded,
    /// X-Request-Id and traceparent are believed; by default nobody's.
    #[arg(
        long,
        env = "CORTEX_REPORT_TRUSTED_PROXIES",
        value_name = "NETWORK,...",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<Network>,

    /// How long /readyz answers 503 before the service, told to stop, accepts no more connections,
    /// in seconds: as long as a load balancer needs to notice.
    #[arg(
        long,
        env = "CORTEX_REPORT_DRAIN",
        value_name = "SECONDS",
        default_value = "0",
        value_parser = clap::value_parser!(u16).range(0..=600)
    )]
    pub drain: u16,

    /// The address and port where Prometheus finds /metrics; by default nowhere.
    #[arg(long, env = "CORTEX_REPORT_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Who may log in: open, whoever has an address, or closed, whom the operator added.
    #[arg(
        long,
        env = "CORTEX_REPORT_REGISTRATION",
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

/// How connections are encrypted.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub struct TlsSettings {
    /// The file with the certificate and those that it was signed with, in PEM; then only HTTPS is
    /// served. Read at the start.
    #[arg(long, env = "CORTEX_REPORT_TLS_CERTIFICATE_FILE", value_name = "FILE")]
    pub tls_certificate_file: Option<PathBuf>,

    /// The file with its private key, in PEM.
    #[arg(long, env = "CORTEX_REPORT_TLS_KEY_FILE", value_name = "FILE")]
    pub tls_key_file: Option<PathBuf>,
}

/// How login mails are sent.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// The server that sends login mails: smtp://USER@HOST:587, with STARTTLS unless ?tls=off is
    /// added, or smtps://USER@HOST:465. Else they are written into a folder.
    #[arg(
        long,
        env = "CORTEX_REPORT_SMTP_URL",
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL",
        value_parser = Unshown(SmtpUrl::from_str)
    )]
    pub smtp_url: Option<SmtpUrl>,

    /// The file with the password for that server, if the URL has a user and no password.
    #[arg(long, env = "CORTEX_REPORT_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// How long that server may take for each of its answers, in seconds.
    #[arg(
        long,
        env = "CORTEX_REPORT_SMTP_TIMEOUT",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = clap::value_parser!(u16).range(1..=60)
    )]
    pub smtp_timeout: u16,

    /// Whom login mails come from: an address, or a name and an address.
    #[arg(
        long,
        env = "CORTEX_REPORT_MAIL_FROM",
        value_name = "ADDRESS",
        default_value = "Data Cortex <noreply@localhost>"
    )]
    pub mail_from: Mailbox,

    /// The folder that login mails are written to without such a server; made if it is not there.
    #[arg(
        long,
        env = "CORTEX_REPORT_MAIL_DIR",
        value_name = "FOLDER",
        default_value = "mail"
    )]
    pub mail_dir: PathBuf,
}

impl fmt::Display for MailSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.smtp_url {
            Some(url) => write!(formatter, "by {}:{}", url.host, url.port),
            None => write!(formatter, "into {}", self.mail_dir.display()),
        }
    }
}

/// What is told of what the program does, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log and traces")]
pub struct TelemetrySettings {
    /// The least that is logged: error, warn, info, debug or trace, or a filter such as
    /// `info,sea_orm=debug`.
    #[arg(
        long,
        env = "CORTEX_REPORT_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info",
        global = true
    )]
    pub log_level: String,

    /// How it is logged: text for people, json for programs.
    #[arg(
        long,
        env = "CORTEX_REPORT_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        global = true
    )]
    pub log_format: LogFormat,

    /// The OpenTelemetry collector that traces are sent to by OTLP over HTTP, such as
    /// http://127.0.0.1:4318; by default they are not.
    #[arg(
        long,
        env = "CORTEX_REPORT_OTLP_URL",
        value_name = "URL",
        hide_env_values = true,
        value_parser = Unshown(collector)
    )]
    pub otlp_url: Option<Url>,
}

/// How many login mails are sent: `20/5m` is 20 at once, then one every 5 minutes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail limits (20/5m: 20 at once, then one every 5 minutes)")]
pub struct MailLimits {
    /// For one address, asked for by one network: an IPv4 /24 or an IPv6 /48.
    #[arg(
        long = "mail-limit-address-client",
        env = "CORTEX_REPORT_MAIL_LIMIT_ADDRESS_CLIENT",
        value_name = "LIMIT",
        default_value = "5/10m"
    )]
    pub address_client: Limit,

    /// For one address, asked for by strangers, and as much again for clients from which it has
    /// logged in before. Addresses of one mailbox, such as ann+a@ and a.nn@, are one here.
    #[arg(
        long = "mail-limit-address",
        env = "CORTEX_REPORT_MAIL_LIMIT_ADDRESS",
        value_name = "LIMIT",
        default_value = "10/1h"
    )]
    pub address: Limit,

    /// For one client, whatever the address. An IPv6 client is its /64. Whoever has used up a part of
    /// this has to leave as large a part of the network's limit, and of the total, to others.
    #[arg(
        long = "mail-limit-client",
        env = "CORTEX_REPORT_MAIL_LIMIT_CLIENT",
        value_name = "LIMIT",
        default_value = "20/30s"
    )]
    pub client: Limit,

    /// For one network, whatever the address: an IPv4 /24 or an IPv6 /48.
    #[arg(
        long = "mail-limit-network",
        env = "CORTEX_REPORT_MAIL_LIMIT_NETWORK",
        value_name = "LIMIT",
        default_value = "60/10s"
    )]
    pub network: Limit,

    /// For all strangers together, and as much again for clients from which an address has logged in
    /// before.
    #[arg(
        long = "mail-limit-total",
        env = "CORTEX_REPORT_MAIL_LIMIT_TOTAL",
        value_name = "LIMIT",
        default_value = "1000/1s"
    )]
    pub total: Limit,
}

/// Who may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Whoever has an address: the first verified login makes the user.
    Open,
    /// Whom the operator added.
    Closed,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}
