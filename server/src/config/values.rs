//! Value types of the settings. Each is parsed from text, and its error shows how to write a valid
//! one.

use std::{
    ffi::OsStr,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use clap::{
    Arg, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use poem::http::{Uri, uri::Scheme};
use url::Url;

use crate::secret::Secret;

/// Encryption of a connection to an SMTP server.
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

impl fmt::Display for SmtpUrl {
    /// Leaves the password out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, query) = match self.tls {
            SmtpTls::Wrapped => ("smtps", ""),
            SmtpTls::Starttls => ("smtp", ""),
            SmtpTls::Off => ("smtp", "?tls=off"),
        };
        let user = self.user.as_deref().map(|user| format!("{user}@"));
        let (user, host, port) = (user.unwrap_or_default(), &self.host, self.port);
        write!(formatter, "{scheme}://{user}{host}:{port}{query}")
    }
}

/// Reads a value of which an error shows nothing: it may hold a password.
#[derive(Clone)]
pub(super) struct Unshown<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Unshown<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        self.0(&value.to_string_lossy()).map_err(|error| {
            let arg = arg.map(ToString::to_string).unwrap_or_default();
            let text = format!("invalid value for '{arg}': {error}\n");
            Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

/// The URL of a collector, to which paths are added.
pub(super) fn collector(text: &str) -> Result<Url, String> {
    let is_plain = |url: &Url| {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_http = ["http", "https"].contains(&url.scheme());
        is_http && !has_user && url.query().is_none() && url.fragment().is_none()
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(|| {
        "write it like http://127.0.0.1:4318; what identifies you goes into the variable \
         OTEL_EXPORTER_OTLP_HEADERS"
            .to_owned()
    })
}

/// So many at once, then one for each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Number allowed at once, at least one.
    pub burst: u32,
    /// Time until one more is allowed.
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

/// The first segments of the service's own paths. A public URL whose path began with one of them
/// could not be told from a path that the proxy has shortened already.
const OWN_SEGMENTS: [&str; 8] = [
    "api",
    "docs",
    "livez",
    "openapi.json",
    "openapi.yaml",
    "readyz",
    "verify",
    "verify.css",
];

/// The URL under which the service is reached: an origin, and perhaps a path in front of the
/// service's own paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// A scheme, a host and perhaps a port, as browsers write it.
    origin: String,
    /// Other origins that are the same service.
    aliases: Vec<String>,
    /// Empty, or a path without a slash at its end, such as `/cortex`.
    path: String,
}

impl PublicUrl {
    /// The URL of a service that is reached where it listens. One that listens on the loopback
    /// interface is reached by each name of it.
    pub fn of_address(address: SocketAddr, is_https: bool) -> Self {
        let scheme = if is_https {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let port = Some(address.port());
        let aliases = match address.ip().is_loopback() {
            true => ["localhost", "127.0.0.1", "[::1]"].map(|host| origin(&scheme, host, port)),
            false => Default::default(),
        };
        Self {
            origin: origin(&scheme, &host(address.ip()), port),
            aliases: aliases.into(),
            path: String::new(),
        }
    }

    /// Returns true if the value of an Origin header names this service.
    pub(crate) fn is_origin(&self, header: &[u8]) -> bool {
        let mut origins = [&self.origin].into_iter().chain(&self.aliases);
        origins.any(|origin| origin.as_bytes() == header)
    }

    /// Empty, or the path in front of the service's own paths, such as `/cortex`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name or address of the host.
    pub fn host(&self) -> &str {
        let (_, host) = self.origin.split_once("://").unwrap_or_default();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// Returns true if the scheme is https: people reach the service by HTTPS alone.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.origin)?;
        formatter.write_str(&self.path)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "write it like https://report.example.com or https://example.com/report".to_owned();
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
        let path = uri.path().trim_end_matches('/');
        // What needs no encoding in HTML, a cookie, YAML or a URL.
        let is_plain = |segment: &str| {
            let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~".contains(&it);
            !["", ".", ".."].contains(&segment) && segment.bytes().all(is_plain)
        };
        let mut segments = path.split('/').skip(1);
        let first = segments.clone().next().unwrap_or_default();
        if has_user || wrong_port || uri.query().is_some() || !segments.all(is_plain) {
            return Err(wrong());
        }
        if OWN_SEGMENTS.contains(&first) {
            return Err(format!(
                "its path cannot begin with /{first}, as paths of the service itself do"
            ));
        }
        Ok(Self {
            origin: origin(scheme, &host.to_lowercase(), uri.port_u16()),
            aliases: Vec::new(),
            path: path.to_owned(),
        })
    }
}

/// An origin as browsers write it, which leave out the port that the scheme implies.
fn origin(scheme: &Scheme, host: &str, port: Option<u16>) -> String {
    let implied = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    match port {
        Some(port) if port != implied => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    }
}

/// An IP address as a URL has it.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// A network: an address, or the first one and the length of the prefix that all have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// The networks that together are most of the internet, such as 0.0.0.0/0 or both its halves.
    pub(crate) fn too_large(networks: &[Self]) -> Vec<IpNet> {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.0).collect();
        let is_too_large = |network: &IpNet| match network {
            // The largest network of one owner has 8 bits.
            IpNet::V4(network) => network.prefix_len() < 8,
            IpNet::V6(network) => network.prefix_len() < 7,
        };
        let aggregated = IpNet::aggregate(&networks);
        aggregated.into_iter().filter(is_too_large).collect()
    }

    /// Returns true if the address belongs to the network.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        network
            .map(Self)
            .map_err(|_| "write it like 10.0.0.7, 10.0.0.0/8 or fd00::/8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_and_perhaps_a_path() {
        for (text, shown) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://Report.Example.com/", "https://report.example.com"),
            (
                "https://report.example.com:443",
                "https://report.example.com",
            ),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://Example.com/Cortex", "https://example.com/Cortex"),
            (
                "https://example.com/a/b_c~1/",
                "https://example.com/a/b_c~1",
            ),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
        }
        for text in [
            "",
            "report.example.com",
            "ftp://report.example.com",
            "https://report.example.com/?a=b",
            "https://example.com/cortex?a=b",
            "https://example.com/a//b",
            "https://example.com/a/../b",
            "https://example.com/%61",
            "https://example.com/a;b",
            "https://example.com/api",
            "https://example.com/docs/cortex",
            "https://user@report.example.com",
            "https://report.example.com:99999",
            "https://report.example.com:x",
            "https://report.example.com:",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text:?} is not usable");
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
    fn a_network_is_an_address_or_has_a_prefix() {
        let contains = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.7", "10.0.0.7") && !contains("10.0.0.7", "10.0.0.8"));
        assert!(contains("10.0.0.0/8", "10.9.8.7") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("fd00::/8", "fd12::1") && !contains("fd00::/8", "10.0.0.1"));
        for text in ["", "10", "10.0.0.0/33", "10.0.0.0/", "proxy", "*"] {
            assert!(text.parse::<Network>().is_err(), "{text:?} is no network");
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
