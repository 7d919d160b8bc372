//! URL of a database on a server.

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::{ConnectOptions, mysql::MySqlConnectOptions, postgres::PgConnectOptions};
use url::Url;

use super::{
    DatabaseOptions, DatabaseUrl,
    known::{A_PORT, Kind, is_port},
    parameters::{Parameters, encode},
};

/// The parts of a URL of a database on a server.
pub(super) struct ServerUrl {
    pub(super) kind: &'static Kind,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Host as written in the URL, or empty.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The name of the database, still encoded.
    pub(super) database: String,
    pub(super) parameters: Parameters,
}

impl ServerUrl {
    /// Parses the part of the URL after `//`. A password that was not encoded is reported as such,
    /// apart from other mistakes.
    pub(super) fn parse(kind: &'static Kind, rest: &str) -> Result<Self, String> {
        if rest.contains('#') {
            return Err(format!("the URL has a #: {}", encode("#", "%23")));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        if path.contains('@') {
            return Err(format!(
                "the URL has a / before an @: {}, and %40 for @",
                encode("/", "%2F")
            ));
        }
        if query.contains('@') {
            return Err(format!(
                "the URL has a ? before an @: {}, and %40 for @",
                encode("?", "%3F")
            ));
        }
        if !is_percent_encoded(rest) {
            return Err(format!(
                "the URL has a % that is not followed by two hexadecimal digits: {}",
                encode("%", "%25")
            ));
        }
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        let (user, password) = match credentials.map(|it| it.split_once(':').unwrap_or((it, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let (host, port) = split_port(host)?;
        let database = path.strip_prefix('/').unwrap_or(path);
        if database.contains('/') {
            return Err(format!(
                "the URL has more than the name of one database after the host: write it like \
                 {}://user:password@host/database",
                kind.scheme
            ));
        }
        let parameters = Parameters::parse(kind, query)?;
        // Each may be given in one place only.
        let parts = [
            ("user", user.is_some()),
            ("password", password.is_some()),
            ("port", port.is_some()),
            ("dbname", !database.is_empty()),
        ];
        for (name, is_there) in parts {
            if is_there && parameters.get(name).is_some() {
                return Err(format!(
                    "the URL gives {name} twice: take the parameter out"
                ));
            }
        }
        if database.is_empty() && parameters.get("dbname").is_none() {
            return Err(format!(
                "the URL names no database: write it like {}://user:password@host/database",
                kind.scheme
            ));
        }
        parameters.check_tls()?;
        Ok(Self {
            kind,
            user,
            password,
            host: host.to_owned(),
            port,
            database: database.to_owned(),
            parameters,
        })
    }

    pub(super) fn postgres(mut self) -> Result<DatabaseUrl, String> {
        let shown = self.shown();
        let has_password = self.password.is_some() || self.parameters.get("password").is_some();
        let search_path = self.parameters.take("search_path");
        let tls_files = self.parameters.tls_files();
        if self.parameters.get("application_name").is_none() {
            self.parameters.add("application_name", "cortex-reportd")?;
        }
        // sqlx cannot parse a URL with a user and no host, whose socket a parameter names.
        for (name, value) in [
            ("user", self.user.take()),
            ("password", self.password.take()),
        ] {
            if let Some(value) = value {
                self.parameters.add(name, &value)?;
            }
        }
        if let Some(port) = self.port.take() {
            self.parameters.add("port", &port.to_string())?;
        }
        // sqlx looks an IPv6 address up with its brackets.
        if let Some(address) = bracketed(&self.host)
            && self.parameters.get("host").is_none()
        {
            self.parameters
                .values
                .insert(0, ("host".to_owned(), address.to_owned()));
            self.host.clear();
        }
        let options: PgConnectOptions = self.for_sqlx()?.parse().map_err(|_| self.unreadable())?;
        let options = options.disable_statement_logging();
        Ok(DatabaseUrl {
            // The service needs no texts of floating-point numbers, and poolers refuse this
            // parameter.
            options: DatabaseOptions::Postgres(Box::new(options.extra_float_digits(None))),
            may_create: false,
            has_password,
            search_path,
            tls_files,
            shown,
        })
    }

    pub(super) fn mariadb(mut self) -> Result<DatabaseUrl, String> {
        if self.host.to_ascii_lowercase().starts_with("%2f") {
            return Err(
                "the host of the URL is a path: write ?socket= and the path of the socket"
                    .to_owned(),
            );
        }
        let shown = self.shown();
        let tls_files = self.parameters.tls_files();
        let address = bracketed(&self.host).map(str::to_owned);
        if self.host.is_empty() {
            self.host = "localhost".to_owned();
        }
        let has_password = self.password.is_some();
        let (user, password) = (self.user.take(), self.password.take());
        let port = self.port.take();
        let options: MySqlConnectOptions =
            self.for_sqlx()?.parse().map_err(|_| self.unreadable())?;
        let mut options = options.disable_statement_logging();
        if let Some(user) = user {
            options = options.username(&user);
        }
        if let Some(password) = password {
            options = options.password(&password);
        }
        if let Some(port) = port {
            options = options.port(port);
        }
        // sqlx looks an IPv6 address up with its brackets.
        if let Some(address) = address {
            options = options.host(&address);
        }
        Ok(DatabaseUrl {
            options: DatabaseOptions::MariaDb(Box::new(options)),
            may_create: false,
            has_password,
            search_path: None,
            tls_files,
            shown,
        })
    }

    /// Returns a URL of the host, the database and the parameters, as sqlx parses it.
    pub(super) fn for_sqlx(&self) -> Result<String, String> {
        let (scheme, host, database) = (self.kind.scheme, &self.host, &self.database);
        let url = format!("{scheme}://{host}/{database}?{}", self.parameters.query());
        Url::parse(&url).map_err(|_| self.unreadable())?;
        Ok(url)
    }

    pub(super) fn unreadable(&self) -> String {
        format!(
            "the host or the name of the database cannot be read: write it like \
             {}://user:password@host/database",
            self.kind.scheme
        )
    }

    pub(super) fn shown(&self) -> String {
        let user = self.user.as_deref().map(|user| format!("{user}@"));
        let port = self.port.map(|port| format!(":{port}"));
        format!(
            "{}://{}{}{}/{}{}",
            self.kind.scheme,
            user.unwrap_or_default(),
            self.host,
            port.unwrap_or_default(),
            self.database,
            self.parameters.shown()
        )
    }
}

/// Splits `host:port`.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let after_address = text.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = text[after_address..].rfind(':') else {
        return Ok((text, None));
    };
    let (host, port) = text.split_at(after_address + colon);
    if host.contains(':') && !host.starts_with('[') {
        return Err(
            "the host of the URL has more than one colon: an IPv6 address stands in brackets, and \
             in a user name or password write %40 for @"
                .to_owned(),
        );
    }
    let port = Some(&port[1..]).filter(|port| is_port(port));
    let port = port.and_then(|port| port.parse().ok()).ok_or_else(|| {
        format!(
            "the port in the URL is not {A_PORT}; if it is part of a password, write %2F for /, \
             %3F for ?, %23 for # and %40 for @ there"
        )
    })?;
    Ok((host, Some(port)))
}

pub(super) fn bracketed(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

pub(super) fn decoded(text: &str) -> Result<Option<String>, String> {
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| "the user name or password in the URL is not UTF-8".to_owned())?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

pub(super) fn is_percent_encoded(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().get(..2);
        if !digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit)) {
            return false;
        }
        rest = after;
    }
    true
}
