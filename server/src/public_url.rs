//! URL under which people and programs reach the service.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use poem::http::{Uri, uri::Scheme};

/// First segments of the service's own paths. If the path of the public URL began with one of them,
/// it could not be distinguished from a path that the proxy has shortened already.
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
    /// Other origins of the same service.
    aliases: Vec<String>,
    /// Empty, or a path without a slash at its end, such as `/cortex`.
    path: String,
}

impl PublicUrl {
    /// Returns the URL of a service that is reached at the address where it listens. If that is on
    /// the loopback interface, each of its names is an origin of the service.
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

    /// Returns the path in front of the service's own paths, such as `/cortex`, or an empty text.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the name or address of the host.
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
        // `Uri` silently ignores an invalid port.
        let wrong_port = uri.port_u16().is_none() && host_and_port != host;
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        let path = uri.path().trim_end_matches('/');
        // Characters that need no encoding in HTML, a cookie, YAML or a URL.
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
                "its path cannot begin with /{first}, where the service has paths of its own"
            ));
        }
        Ok(Self {
            origin: origin(scheme, &host.to_lowercase(), uri.port_u16()),
            aliases: Vec::new(),
            path: path.to_owned(),
        })
    }
}

/// Returns an origin as browsers write it, without the port that the scheme implies.
fn origin(scheme: &Scheme, host: &str, port: Option<u16>) -> String {
    let implied = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    match port {
        Some(port) if port != implied => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    }
}

/// Returns an IP address as it is written in a URL.
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
}
