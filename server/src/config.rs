//! Settings: each with its flag, its variable and its default, in one place.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{Args, ValueEnum};
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use poem::http::{Uri, uri::Scheme};
use url::Url;

use crate::secret::Secret;

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
        default_value = "sqlite://cortex-report.db",
        global = true
    )]
    pub database_url: String,

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
    /// How login mails are sent.
    pub mail: MailSettings,

    #[command(flatten)]
    /// How many login mails are sent.
    pub mail_limits: MailLimits,
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
        value_name = "URL"
    )]
    pub smtp_url: Option<SmtpUrl>,

    /// The file with the password for that server, if the URL has a user and no password.
    #[arg(
        long,
        env = "CORTEX_REPORT_SMTP_PASSWORD_FILE",
        value_name = "FILE",
        requires = "smtp_url"
    )]
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

/// How a connection to an SMTP server is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// From its first byte.
    Wrapped,
    /// By STARTTLS, without which nothing is sent.
    Starttls,
    /// Not at all.
    Off,
}

/// An SMTP server, and who sends by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: SmtpTls,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
}

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "write it like smtp://user@mail.example.com:587 or smtps://user@mail.example.com:465"
                .to_owned()
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (SmtpTls::Wrapped, 465),
            ("smtp", None | Some("tls=required")) => (SmtpTls::Starttls, 587),
            ("smtp", Some("tls=off")) => (SmtpTls::Off, 25),
            _ => return Err(wrong()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(wrong());
        }
        let decoded = |text: &str| {
            let text = percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| wrong())?;
            Ok::<_, String>(text.into_owned())
        };
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let password = url.password().map(decoded).transpose()?;
        if user.is_none() && password.is_some() {
            return Err(wrong());
        }
        Ok(Self {
            host: url.host_str().ok_or_else(wrong)?.to_owned(),
            port: url.port().unwrap_or(port),
            tls,
            user: user.map(decoded).transpose()?,
            password: password.map(Secret::new),
        })
    }
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

    /// The name or address of the host.
    pub fn host(&self) -> &str {
        let (_, host) = self.0.split_once("://").unwrap_or_default();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
            _ => host,
        }
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
    fn an_smtp_url_says_how_it_is_kept_private() {
        let parse = |text: &str| text.parse::<SmtpUrl>();
        let url = parse("smtp://ann%40example.com:p%3Aw@mail.example.com").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("mail.example.com", 587));
        assert_eq!(url.tls, SmtpTls::Starttls);
        assert_eq!(url.user.as_deref(), Some("ann@example.com"));
        assert_eq!(url.password.as_ref().map(Secret::reveal), Some("p:w"));
        assert!(!format!("{url:?}").contains("p:w"));
        let url = parse("smtps://mail.example.com").unwrap();
        assert_eq!((url.tls, url.port), (SmtpTls::Wrapped, 465));
        let url = parse("smtp://127.0.0.1:2525?tls=off").unwrap();
        assert_eq!((url.tls, url.port), (SmtpTls::Off, 2525));
        for text in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp:mail.example.com",
            "smtp://",
            "smtp://mail.example.com/path",
            "smtp://mail.example.com?tls=maybe",
            "smtps://mail.example.com?tls=off",
            "smtp://:password@mail.example.com",
            "smtp://mail.example.com:99999",
        ] {
            assert!(parse(text).is_err(), "{text:?} is no SMTP URL");
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
