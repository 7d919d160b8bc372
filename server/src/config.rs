//! Settings: each with its flag, its variable and its default, in one place.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{Args, ValueEnum};
use poem::http::{Uri, uri::Scheme};

/// Where the database and the server's key are: what every command needs.
#[derive(Args, Clone, Debug)]
pub struct StoreSettings {
    /// The database; an SQLite file is made if it is not there.
    #[arg(
        long,
        env = "CORTEX_REPORT_DATABASE_URL",
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://cortex-report.db",
        global = true
    )]
    pub database_url: String,

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

    /// The folder that login mails are written to; made if it is not there.
    #[arg(
        long,
        env = "CORTEX_REPORT_MAIL_DIR",
        value_name = "FOLDER",
        default_value = "mail"
    )]
    pub mail_dir: PathBuf,

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
    /// How many login mails are sent.
    pub mail_limits: MailLimits,
}

/// What is logged, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogSettings {
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
}

/// How many login mails are sent: `20/5m` is 20 at once, then one every 5 minutes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail limits (20/5m: 20 at once, then one every 5 minutes)")]
pub struct MailLimits {
    /// For one address, asked for by one client.
    #[arg(
        long = "mail-limit-address-client",
        env = "CORTEX_REPORT_MAIL_LIMIT_ADDRESS_CLIENT",
        value_name = "LIMIT",
        default_value = "5/10m"
    )]
    pub address_client: Limit,

    /// For one address, whoever asks.
    #[arg(
        long = "mail-limit-address",
        env = "CORTEX_REPORT_MAIL_LIMIT_ADDRESS",
        value_name = "LIMIT",
        default_value = "20/5m"
    )]
    pub address: Limit,

    /// For one client, whatever the address. An IPv6 client is its /64.
    #[arg(
        long = "mail-limit-client",
        env = "CORTEX_REPORT_MAIL_LIMIT_CLIENT",
        value_name = "LIMIT",
        default_value = "20/30s"
    )]
    pub client: Limit,

    /// For everybody together.
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

/// So many at once, then one for each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many at once, at least one.
    pub burst: u32,
    /// How long until there is another.
    pub interval: Duration,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (burst, interval) = text.split_once('/')?;
            let (number, unit) = interval.split_at_checked(interval.len().checked_sub(1)?)?;
            let unit = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 60 * 60,
                _ => return None,
            };
            let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
            let burst = burst.parse().ok().filter(|burst| *burst > 0)?;
            Some(Self {
                burst,
                interval: Duration::from_secs(seconds.into()),
            })
        };
        parse().ok_or_else(|| {
            "write it like 20/5m: 20 at once, then one every 5 minutes (s, m or h)".to_owned()
        })
    }
}

/// The origin under which the service is reached: a scheme, a host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL of a service that is reached where it listens.
    pub fn of_address(address: SocketAddr) -> Self {
        match address.port() {
            80 => Self(format!("http://{}", host(address.ip()))),
            port => Self(format!("http://{}:{port}", host(address.ip()))),
        }
    }

    /// The origin, as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached by HTTPS alone.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it like https://report.example.com, without a path".to_owned();
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = uri
            .scheme()
            .filter(|scheme| [&Scheme::HTTP, &Scheme::HTTPS].contains(scheme))
            .ok_or_else(wrong)?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        let host_and_port = uri.authority().map(|it| it.as_str()).unwrap_or_default();
        // A port that is none is passed over in silence.
        let wrong_port = uri.port_u16().is_none() && host_and_port != host;
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        if has_user || wrong_port || uri.path() != "/" || uri.query().is_some() {
            return Err(wrong());
        }
        // A browser leaves out the port that the scheme implies.
        let implied = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        let port = match uri.port_u16() {
            Some(port) if port != implied => format!(":{port}"),
            _ => String::new(),
        };
        Ok(Self(format!("{scheme}://{}{port}", host.to_lowercase())))
    }
}

/// An IP address as a URL has it.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        for (text, origin) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://Report.Example.com/", "https://report.example.com"),
            (
                "https://report.example.com:443",
                "https://report.example.com",
            ),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.as_str(), origin);
        }
        for text in [
            "",
            "report.example.com",
            "ftp://report.example.com",
            "https://report.example.com/api",
            "https://report.example.com/?a=b",
            "https://user@report.example.com",
            "https://report.example.com:99999",
            "https://report.example.com:x",
            "https://report.example.com:",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text:?} is no origin");
        }
    }

    #[test]
    fn a_limit_is_a_burst_and_an_interval() {
        let limit: Limit = "20/5m".parse().unwrap();
        assert_eq!((limit.burst, limit.interval.as_secs()), (20, 300));
        for text in [
            "", "20", "20/", "20/5", "0/5m", "-1/5m", "20/5d", "a/5m", "5/é",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text:?} is no limit");
        }
    }
}
