//! URL of an SMTP server.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::secret::Secret;

/// Encryption of a connection to an SMTP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// From its first byte.
    Wrapped,
    /// By STARTTLS, without which nothing is sent.
    Starttls,
    /// No encryption.
    Off,
}

/// SMTP server, with the user and the password to send with.
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
            password: password.map(Secret::from),
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
