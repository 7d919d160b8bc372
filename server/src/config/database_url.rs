//! The URL of the database, read strictly: sqlx passes over parameters that it does not know, some
//! of which decide whether a connection is encrypted or where the tables are.

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::{
    self, ConnectOptions, mysql::MySqlConnectOptions, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use url::{Url, form_urlencoded};

/// The URL of a database. It may hold a password, which neither `Debug` nor `Display` shows.
#[derive(Clone)]
pub struct DatabaseUrl {
    options: DatabaseOptions,
    may_create: bool,
    has_password: bool,
    search_path: Option<String>,
    tls_files: Vec<(&'static str, PathBuf)>,
    /// The URL without its password.
    shown: String,
}

/// The options of sqlx for each kind of database.
#[derive(Clone)]
pub(crate) enum DatabaseOptions {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
    MariaDb(Box<MySqlConnectOptions>),
}

impl DatabaseUrl {
    pub(crate) fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// The options of a pool of connections, for those of the pool itself to be added.
    pub(crate) fn connect_options(&self) -> sea_orm::ConnectOptions {
        match &self.options {
            // It has no password.
            DatabaseOptions::Sqlite(_) => sea_orm::ConnectOptions::new(&self.shown),
            DatabaseOptions::Postgres(options) => {
                let options = options.clone();
                let mut all = sea_orm::ConnectOptions::new("postgres://localhost");
                all.map_sqlx_postgres_opts(move |_| (*options).clone());
                all
            }
            DatabaseOptions::MariaDb(options) => {
                let options = options.clone();
                let mut all = sea_orm::ConnectOptions::new("mysql://localhost");
                all.map_sqlx_mysql_opts(move |_| (*options).clone());
                all
            }
        }
    }

    /// The file of an SQLite database.
    pub(crate) fn sqlite_file(&self) -> Option<&Path> {
        match &self.options {
            DatabaseOptions::Sqlite(options) => Some(options.get_filename()),
            _ => None,
        }
    }

    /// Returns true if a missing SQLite file is to be created.
    pub(crate) fn may_create(&self) -> bool {
        self.may_create
    }

    pub(crate) fn has_password(&self) -> bool {
        self.has_password
    }

    /// The schemas of PostgreSQL that tables are looked for in. A statement sets them, since
    /// connection poolers refuse them among the parameters that open a connection.
    pub(crate) fn search_path(&self) -> Option<&str> {
        self.search_path.as_deref()
    }

    /// The files with certificates and keys for TLS, each with the parameter that names it.
    pub(crate) fn tls_files(&self) -> &[(&'static str, PathBuf)] {
        &self.tls_files
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// Every error leaves out what the URL says, but for the name of a parameter.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong_form = || {
            "write it like sqlite://cortex-report.db, postgres://user:password@host/database or \
             mariadb://user:password@host/database"
                .to_owned()
        };
        if text.contains(char::is_control) {
            return Err("the URL has a line break or another control character in it".to_owned());
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong_form)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => {
                let rest = rest.strip_prefix("//").ok_or_else(wrong_form)?;
                ServerUrl::parse(&POSTGRES, rest)?.postgres()
            }
            "mysql" | "mariadb" => {
                let rest = rest.strip_prefix("//").ok_or_else(wrong_form)?;
                ServerUrl::parse(&MARIADB, rest)?.mariadb()
            }
            _ => Err(wrong_form()),
        }
    }
}

/// A kind of database and the parameters that its URL takes.
struct Kind {
    name: &'static str,
    scheme: &'static str,
    parameters: &'static [Parameter],
    /// Other programs' names, in lower case without punctuation, and the parameter to write.
    synonyms: &'static [(&'static str, &'static str)],
    tls: Option<TlsParameters>,
}

/// The parameters about TLS, and values of the first of them.
struct TlsParameters {
    mode: &'static str,
    authority: &'static str,
    certificate: &'static str,
    key: &'static str,
    /// The modes in which the server's certificate is verified, the best one first.
    verifying: [&'static str; 2],
    /// The modes without TLS.
    off: &'static [&'static str],
}

/// A parameter of a URL.
struct Parameter {
    name: &'static str,
    aliases: &'static [&'static str],
    is_valid: fn(&str) -> bool,
    /// The values that it takes, as a person reads them.
    values: &'static str,
}

const fn parameter(
    name: &'static str,
    aliases: &'static [&'static str],
    is_valid: fn(&str) -> bool,
    values: &'static str,
) -> Parameter {
    Parameter {
        name,
        aliases,
        is_valid,
        values,
    }
}

fn is_given(value: &str) -> bool {
    !value.is_empty()
}

fn is_count(value: &str) -> bool {
    value.parse::<u16>().is_ok()
}

fn is_port(value: &str) -> bool {
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && value.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_path(value: &str) -> bool {
    value.starts_with('/')
}

const A_PORT: &str = "a number from 1 to 65535";
const A_FILE: &str = "the path of a file in PEM";
const A_COUNT: &str = "a number from 0 to 65535";

static SQLITE: Kind = Kind {
    name: "SQLite",
    scheme: "sqlite",
    parameters: &[
        parameter("mode", &[], |it| ["rwc", "rw"].contains(&it), "rwc or rw"),
        parameter(
            "cache",
            &[],
            |it| ["private", "shared"].contains(&it),
            "private or shared",
        ),
        parameter(
            "immutable",
            &[],
            |it| ["false", "0"].contains(&it),
            "false, since the service writes",
        ),
        parameter("vfs", &[], is_given, "the name of a VFS"),
    ],
    synonyms: &[],
    tls: None,
};

const POSTGRES_TLS: TlsParameters = TlsParameters {
    mode: "sslmode",
    authority: "sslrootcert",
    certificate: "sslcert",
    key: "sslkey",
    verifying: ["verify-full", "verify-ca"],
    off: &["disable", "allow"],
};

const MARIADB_TLS: TlsParameters = TlsParameters {
    mode: "ssl-mode",
    authority: "ssl-ca",
    certificate: "ssl-cert",
    key: "ssl-key",
    verifying: ["VERIFY_IDENTITY", "VERIFY_CA"],
    off: &["DISABLED"],
};

static POSTGRES: Kind = Kind {
    name: "PostgreSQL",
    scheme: "postgres",
    parameters: &[
        parameter(
            "sslmode",
            &["ssl-mode"],
            |it| it.parse::<sqlx::postgres::PgSslMode>().is_ok(),
            "disable, allow, prefer, require, verify-ca or verify-full",
        ),
        parameter(
            "sslrootcert",
            &["ssl-root-cert", "ssl-ca"],
            is_given,
            A_FILE,
        ),
        parameter("sslcert", &["ssl-cert"], is_given, A_FILE),
        parameter("sslkey", &["ssl-key"], is_given, A_FILE),
        parameter(
            "host",
            &[],
            |it| is_given(it) && !it.contains(','),
            "one host, or the folder of a socket",
        ),
        parameter(
            "hostaddr",
            &[],
            |it| it.parse::<IpAddr>().is_ok(),
            "an IP address",
        ),
        parameter("port", &[], is_port, A_PORT),
        parameter("dbname", &[], is_given, "the name of a database"),
        parameter("user", &[], is_given, "the name of a user"),
        parameter("password", &[], is_given, "a password"),
        parameter("application_name", &[], is_given, "a name"),
        parameter("search_path", &[], is_given, "the name of a schema"),
        parameter("options", &[], is_given, "settings such as -c name=value"),
        parameter("statement-cache-capacity", &[], is_count, A_COUNT),
    ],
    synonyms: &[
        ("schema", "search_path"),
        ("currentschema", "search_path"),
        ("schemas", "search_path"),
        ("ssl", "sslmode"),
        ("tls", "sslmode"),
        ("tlsmode", "sslmode"),
        ("usessl", "sslmode"),
        ("requiressl", "sslmode"),
        ("sslverify", "sslmode"),
        ("sslca", "sslrootcert"),
        ("sslrootca", "sslrootcert"),
        ("cafile", "sslrootcert"),
        ("rootcert", "sslrootcert"),
        ("username", "user"),
        ("pass", "password"),
        ("passwd", "password"),
        ("pwd", "password"),
        ("db", "dbname"),
        ("database", "dbname"),
        ("databasename", "dbname"),
        ("server", "host"),
        ("hostname", "host"),
        ("socket", "host"),
        ("unixsocket", "host"),
        ("appname", "application_name"),
        ("fallbackapplicationname", "application_name"),
        ("statementcachesize", "statement-cache-capacity"),
        ("preparedstatementcachesize", "statement-cache-capacity"),
    ],
    tls: Some(POSTGRES_TLS),
};

static MARIADB: Kind = Kind {
    name: "MariaDB",
    scheme: "mysql",
    parameters: &[
        parameter(
            "ssl-mode",
            &["sslmode"],
            |it| it.parse::<sqlx::mysql::MySqlSslMode>().is_ok(),
            "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
        ),
        parameter("ssl-ca", &["sslca"], is_given, A_FILE),
        parameter("ssl-cert", &["sslcert"], is_given, A_FILE),
        parameter("ssl-key", &["sslkey"], is_given, A_FILE),
        parameter(
            "charset",
            &[],
            |it| it == "utf8mb4",
            "utf8mb4, since names may have any character",
        ),
        parameter(
            "collation",
            &[],
            |it| is_word(it) && it.starts_with("utf8mb4_"),
            "a collation of utf8mb4",
        ),
        parameter("socket", &[], is_path, "the path of a socket"),
        parameter(
            "timezone",
            &["time-zone"],
            is_timezone,
            "a time zone such as +00:00",
        ),
        parameter("statement-cache-capacity", &[], is_count, A_COUNT),
    ],
    synonyms: &[
        ("ssl", "ssl-mode"),
        ("tls", "ssl-mode"),
        ("tlsmode", "ssl-mode"),
        ("usessl", "ssl-mode"),
        ("requiressl", "ssl-mode"),
        ("sslrootcert", "ssl-ca"),
        ("sslrootca", "ssl-ca"),
        ("ca", "ssl-ca"),
        ("cafile", "ssl-ca"),
        ("characterset", "charset"),
        ("characterencoding", "charset"),
        ("encoding", "charset"),
        ("clientencoding", "charset"),
        ("unixsocket", "socket"),
        ("host", "socket"),
        ("tz", "timezone"),
        ("servertimezone", "timezone"),
        ("statementcachesize", "statement-cache-capacity"),
    ],
    tls: Some(MARIADB_TLS),
};

/// Names of other programs for the size of the pool, in lower case without punctuation.
const POOL_SIZES: [&str; 8] = [
    "maxconnections",
    "connectionlimit",
    "poolsize",
    "pool",
    "maxpoolsize",
    "minconnections",
    "poolmaxconns",
    "maximumpoolsize",
];

fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

fn is_timezone(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+:/-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// A name in the form in which spellings are compared.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Kind {
    /// The parameter of a name or alias.
    fn find(&self, name: &str) -> Option<&'static Parameter> {
        let is_it = |it: &&Parameter| it.name == name || it.aliases.contains(&name);
        self.parameters.iter().find(is_it)
    }

    /// The sentence about a parameter that there is not, with the one that is likely meant.
    fn unknown(&self, name: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte);
        // It may be a part of a password that was not encoded.
        if name.len() > 40 || !name.bytes().all(is_plain) {
            return format!(
                "the URL has a parameter that {} connections do not take; it is not shown here, \
                 since it may be part of a password: {}",
                self.name,
                encode("?", "%3F")
            );
        }
        let folded_name = folded(name);
        let synonym = self.synonyms.iter().find(|(it, _)| *it == folded_name);
        let nearest = || {
            let distance =
                |it: &Parameter| strsim::damerau_levenshtein(&folded(it.name), &folded_name);
            let nearest = self.parameters.iter().min_by_key(|it| distance(it))?;
            (distance(nearest) <= 2).then_some(nearest.name)
        };
        let remedy = match synonym.map(|(_, name)| *name).or_else(nearest) {
            Some(name) => format!("write {name}"),
            None if POOL_SIZES.contains(&folded_name.as_str()) => {
                "take it out and set CORTEX_REPORT_DATABASE_CONNECTIONS".to_owned()
            }
            None => {
                let names: Vec<&str> = self.parameters.iter().map(|it| it.name).collect();
                format!("take it out, or write one of {}", names.join(", "))
            }
        };
        format!(
            "the URL has the parameter {name}, which {} connections do not take: {remedy}",
            self.name
        )
    }
}

fn encode(character: &str, encoded: &str) -> String {
    format!("in a user name or password write {encoded} for {character}")
}

/// The parameters of a URL, each known and given once.
struct Parameters {
    kind: &'static Kind,
    values: Vec<(String, String)>,
}

impl Parameters {
    fn parse(kind: &'static Kind, query: &str) -> Result<Self, String> {
        let mut parameters = Self {
            kind,
            values: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters.add(&name, &value)?;
        }
        Ok(parameters)
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let inner = name
            .strip_prefix("options[")
            .and_then(|it| it.strip_suffix(']'));
        let name = match (self.kind.find(name), inner) {
            (Some(parameter), _) if !(parameter.is_valid)(value) => {
                return Err(format!(
                    "the parameter {name} of the URL takes {}",
                    parameter.values
                ));
            }
            (Some(parameter), _) => parameter.name.to_owned(),
            (None, Some("search_path")) => return self.add("search_path", value),
            (None, Some(inner)) if self.kind.find("options").is_some() && is_word(inner) => {
                name.to_owned()
            }
            (None, _) => return Err(self.kind.unknown(name)),
        };
        if self.get(&name).is_some() {
            return Err(format!("the URL gives {name} twice: take one out"));
        }
        self.values.push((name, value.to_owned()));
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(it, _)| it == name);
        value.map(|(_, value)| value.as_str())
    }

    /// Takes a parameter out that sqlx does not have.
    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.values.iter().position(|(it, _)| it == name)?;
        Some(self.values.remove(place).1)
    }

    /// The parameters as a query for sqlx.
    fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.values)
            .finish()
    }

    /// The parameters for people: without the password, and without keys that stand in the URL.
    fn shown(&self) -> String {
        let is_shown = |(name, value): &&(String, String)| {
            name != "password" && name != "options" && !value.contains("-----BEGIN")
        };
        let shown = self.values.iter().filter(is_shown);
        let shown: Vec<String> = shown
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        match shown.is_empty() {
            true => String::new(),
            false => format!("?{}", shown.join("&")),
        }
    }

    /// The files with certificates and keys that the parameters name.
    fn tls_files(&self) -> Vec<(&'static str, PathBuf)> {
        let names = self.kind.tls.iter();
        let names = names.flat_map(|tls| [tls.authority, tls.certificate, tls.key]);
        let file = |name: &'static str| {
            let value = self.get(name)?;
            let is_inline = value.trim_start().starts_with("-----BEGIN");
            (!is_inline).then(|| (name, PathBuf::from(value)))
        };
        names.filter_map(file).collect()
    }

    /// Refuses certificates that sqlx would not look at.
    fn check_tls(&self) -> Result<(), String> {
        let Some(tls) = &self.kind.tls else {
            return Ok(());
        };
        let TlsParameters {
            mode,
            authority,
            certificate,
            key,
            verifying,
            off,
        } = tls;
        let value = self.get(mode).unwrap_or_default();
        let is_one = |modes: &[&str]| modes.iter().any(|it| it.eq_ignore_ascii_case(value));
        if self.get(authority).is_some() && !is_one(verifying) {
            return Err(format!(
                "the URL has {authority}, which is looked at only if the server's certificate is \
                 verified: add {mode}={}",
                verifying[0]
            ));
        }
        if self.get(certificate).is_some() != self.get(key).is_some() {
            return Err(format!(
                "the parameters {certificate} and {key} of the URL go together"
            ));
        }
        if self.get(key).is_some() && is_one(off) {
            return Err(format!(
                "the URL has {certificate}, but {mode} is a mode without TLS"
            ));
        }
        Ok(())
    }
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path.is_empty() {
        return Err(
            "the URL names no file: write it like sqlite://cortex-report.db or \
             sqlite:///var/lib/cortex-report/cortex-report.db"
                .to_owned(),
        );
    }
    let in_memory = form_urlencoded::parse(query.as_bytes()).any(|it| it.1 == "memory");
    if path == ":memory:" || in_memory {
        return Err("a database in memory is lost when the service ends: name a file".to_owned());
    }
    let parameters = Parameters::parse(&SQLITE, query)?;
    let options: SqliteConnectOptions =
        format!("sqlite://{path}?{}", parameters.query())
            .parse()
            .map_err(|_| "the path of the database is not UTF-8".to_owned())?;
    Ok(DatabaseUrl {
        options: DatabaseOptions::Sqlite(Box::new(options.disable_statement_logging())),
        may_create: parameters.get("mode") != Some("rw"),
        has_password: false,
        search_path: None,
        tls_files: Vec::new(),
        shown: format!("sqlite://{path}{}", parameters.shown()),
    })
}

/// The parts of a URL of a database on a server.
struct ServerUrl {
    kind: &'static Kind,
    user: Option<String>,
    password: Option<String>,
    /// The host as the URL has it, or nothing.
    host: String,
    port: Option<u16>,
    /// The name of the database, still encoded.
    database: String,
    parameters: Parameters,
}

impl ServerUrl {
    /// Reads what stands behind `//`. What is read in the wrong place because a password was not
    /// encoded is told apart from other mistakes.
    fn parse(kind: &'static Kind, rest: &str) -> Result<Self, String> {
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
                "the URL has more than the name of one database behind the host: write it like \
                 {}://user:password@host/database",
                kind.scheme
            ));
        }
        let parameters = Parameters::parse(kind, query)?;
        // Each stands in one place.
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

    fn postgres(mut self) -> Result<DatabaseUrl, String> {
        let shown = self.shown();
        let has_password = self.password.is_some() || self.parameters.get("password").is_some();
        let search_path = self.parameters.take("search_path");
        let tls_files = self.parameters.tls_files();
        if self.parameters.get("application_name").is_none() {
            self.parameters.add("application_name", "cortex-reportd")?;
        }
        // A URL with a user and no host, whose socket a parameter names, is none for sqlx.
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
            // The service sends no text of a floating-point number, and poolers refuse this one.
            options: DatabaseOptions::Postgres(Box::new(options.extra_float_digits(None))),
            may_create: false,
            has_password,
            search_path,
            tls_files,
            shown,
        })
    }

    fn mariadb(mut self) -> Result<DatabaseUrl, String> {
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

    /// The host, the database and the parameters as sqlx reads them.
    fn for_sqlx(&self) -> Result<String, String> {
        let (scheme, host, database) = (self.kind.scheme, &self.host, &self.database);
        let url = format!("{scheme}://{host}/{database}?{}", self.parameters.query());
        Url::parse(&url).map_err(|_| self.unreadable())?;
        Ok(url)
    }

    fn unreadable(&self) -> String {
        format!(
            "the host or the name of the database cannot be read: write it like \
             {}://user:password@host/database",
            self.kind.scheme
        )
    }

    fn shown(&self) -> String {
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

/// The host and the port of `host:port`.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
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

fn bracketed(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

fn decoded(text: &str) -> Result<Option<String>, String> {
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| "the user name or password in the URL is not UTF-8".to_owned())?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

fn is_percent_encoded(text: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, String> {
        text.parse()
    }

    #[test]
    fn an_unknown_parameter_is_refused_and_the_right_one_is_named() {
        for (url, given, right) in [
            (
                "postgres://a@h/d?sslmod=verify-full",
                "sslmod",
                "write sslmode",
            ),
            (
                "postgres://a@h/d?ssl_mode=require",
                "ssl_mode",
                "write sslmode",
            ),
            (
                "postgres://a@h/d?SSLMODE=require",
                "SSLMODE",
                "write sslmode",
            ),
            ("postgres://a@h/d?ssl=true", "ssl", "write sslmode"),
            ("postgres://a@h/d?schema=app", "schema", "write search_path"),
            (
                "postgres://a@h/d?currentSchema=app",
                "currentSchema",
                "write search_path",
            ),
            (
                "postgres://a@h/d?search-path=app",
                "search-path",
                "write search_path",
            ),
            (
                "postgres://a@h/d?application-name=x",
                "application-name",
                "write application_name",
            ),
            (
                "postgres://a@h/d?applicationName=x",
                "applicationName",
                "write application_name",
            ),
            ("postgres://a@h/d?sslca=x", "sslca", "write sslrootcert"),
            (
                "postgres://a@h/d?ssl_root_cert=x",
                "ssl_root_cert",
                "write sslrootcert",
            ),
            ("postgres://a@h/d?socket=/x", "socket", "write host"),
            (
                "postgres://a@h/d?connection_limit=5",
                "connection_limit",
                "DATABASE_CONNECTIONS",
            ),
            ("postgres://a@h/d?charset=utf8", "charset", "take it out"),
            (
                "postgres://a@h/d?options[search_path=app",
                "options[search_path",
                "take it out",
            ),
            (
                "mysql://a@h/d?ssl_mode=REQUIRED",
                "ssl_mode",
                "write ssl-mode",
            ),
            (
                "mariadb://a@h/d?sslrootcert=x",
                "sslrootcert",
                "write ssl-ca",
            ),
            (
                "mariadb://a@h/d?characterEncoding=utf8",
                "characterEncoding",
                "write charset",
            ),
            (
                "mariadb://a@h/d?char-set=utf8mb4",
                "char-set",
                "write charset",
            ),
            (
                "mariadb://a@h/d?unix_socket=/x",
                "unix_socket",
                "write socket",
            ),
            ("mariadb://a@h/d?options[x]=1", "options[x]", "take it out"),
            ("sqlite://a.db?mod=rw", "mod", "write mode"),
            ("sqlite://a.db?sslmode=x", "sslmode", "take it out"),
        ] {
            let error = parse(url).unwrap_err();
            let shown = format!("the parameter {given}, which");
            assert!(
                error.contains(&shown) && error.contains(right),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn a_value_that_a_parameter_does_not_take_is_refused() {
        for (url, reason) in [
            (
                "postgres://a@h/d?sslmode=verify_full",
                "sslmode of the URL takes disable",
            ),
            ("postgres://a@h/d?port=0", "port of the URL takes a number"),
            (
                "postgres://a@h/d?hostaddr=h",
                "hostaddr of the URL takes an IP address",
            ),
            (
                "postgres://a@h/d?host=h1,h2",
                "host of the URL takes one host",
            ),
            (
                "postgres://a@h/d?search_path=",
                "search_path of the URL takes",
            ),
            (
                "postgres://a@h/d?statement-cache-capacity=x",
                "takes a number",
            ),
            (
                "postgres://a@h/d?sslmode=require&ssl-mode=disable",
                "gives sslmode twice",
            ),
            (
                "postgres://a@h/d?search_path=a&options[search_path]=b",
                "gives search_path twice",
            ),
            ("postgres://a@h/d?user=b", "gives user twice"),
            ("postgres://a@h/d?dbname=b", "gives dbname twice"),
            (
                "postgres://a@h/d?sslmode=require&sslrootcert=x",
                "add sslmode=verify-full",
            ),
            ("postgres://a@h/d?sslrootcert=x", "add sslmode=verify-full"),
            (
                "postgres://a@h/d?sslcert=x",
                "sslcert and sslkey of the URL go together",
            ),
            (
                "mariadb://a@h/d?ssl-mode=verify-full",
                "ssl-mode of the URL takes DISABLED",
            ),
            ("mariadb://a@h/d?ssl-ca=x", "add ssl-mode=VERIFY_IDENTITY"),
            (
                "mariadb://a@h/d?charset=latin1",
                "charset of the URL takes utf8mb4",
            ),
            ("mariadb://a@h/d?timezone=a'b", "timezone of the URL takes"),
            (
                "mariadb://a@h/d?socket=x",
                "socket of the URL takes the path",
            ),
            ("sqlite://a.db?mode=ro", "mode of the URL takes rwc or rw"),
            (
                "sqlite://a.db?immutable=1",
                "immutable of the URL takes false",
            ),
            ("sqlite://a.db?mode=memory", "in memory is lost"),
            ("sqlite::memory:", "in memory is lost"),
            ("sqlite://", "names no file"),
            ("postgres://a@h", "names no database"),
            ("postgres://a@h/", "names no database"),
            ("mariadb://a@h", "names no database"),
            ("postgres://a@h/d/e", "more than the name of one database"),
            ("postgres://a@h:0/d", "the port in the URL is not"),
            ("postgres://a@h:/d", "the port in the URL is not"),
            ("postgres://a@::1/d", "stands in brackets"),
            ("mariadb://a@%2Frun%2Fmysqld/d", "write ?socket="),
            ("postgres://a@h/\nd", "a control character"),
            ("postgres:a@h/d", "write it like"),
            ("pg://a@h/d", "write it like"),
            ("cortex-report.db", "write it like"),
            ("", "write it like"),
        ] {
            let error = parse(url).unwrap_err();
            let reason = reason.replace("a control character", "control character");
            assert!(error.contains(&reason), "{url}: {error}");
        }
    }

    /// Neither where it is refused nor where it is shown.
    #[test]
    fn a_password_is_never_shown() {
        for scheme in ["postgres", "mariadb"] {
            for (password, encoded) in [
                ("hun/ter2", "%2F"),
                ("hun?ter2", "%3F"),
                ("hun#ter2", "%23"),
                ("hun%ter2", "%25"),
                ("12/hunter2", "%2F"),
                ("12#hunter2", "%23"),
                ("hun?sslmode=ter2", "%3F"),
                ("hun?hunter2=ter2", "%3F"),
                ("h@un/hunter2", "%2F"),
            ] {
                let error = parse(&format!("{scheme}://ann:{password}@h/d")).unwrap_err();
                assert!(error.contains(encoded), "{password}: {error}");
                assert!(!error.contains("hun") && !error.contains("ter2"), "{error}");
            }
            for password in [
                "hunter2@x",
                "hunter2:x",
                "hunter2%2F%3F%23%25",
                "hunter2 x",
                "hunter2[]",
            ] {
                let url = parse(&format!("{scheme}://ann:{password}@h/d")).unwrap();
                assert!(url.has_password());
                let shown = format!("{url} {url:?}");
                assert!(
                    shown.contains("ann@h/d") && !shown.contains("hunter2"),
                    "{shown}"
                );
            }
        }
        let url = parse("postgres://ann@h/d?password=hunter2&sslmode=require").unwrap();
        assert_eq!(url.to_string(), "postgres://ann@h/d?sslmode=require");
        assert!(url.has_password());
    }

    #[test]
    fn a_url_reaches_sqlx_as_it_is_meant() {
        let postgres = |text: &str| match parse(text).unwrap().options {
            DatabaseOptions::Postgres(options) => options,
            _ => panic!("{text} is of PostgreSQL"),
        };
        let options = postgres("POSTGRESQL://ann@/d?host=/run/postgresql&port=5433");
        assert_eq!(options.get_socket(), Some(&"/run/postgresql".into()));
        assert_eq!((options.get_username(), options.get_port()), ("ann", 5433));
        let options = postgres("postgres://a%40b:p%25w@[::1]:5433/my%20d");
        assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
        assert_eq!(options.get_username(), "a@b");
        assert_eq!(options.get_database(), Some("my d"));
        assert_eq!(options.get_application_name(), Some("cortex-reportd"));
        assert!(format!("{options:?}").contains("p%w"));
        let options =
            postgres("postgres://ann@%2Frun%2Fpostgresql/d?options[statement_timeout]=5s");
        assert_eq!(options.get_socket(), Some(&"/run/postgresql".into()));
        assert_eq!(options.get_options(), Some("-c statement_timeout=5s"));
        for url in [
            "?search_path=app,public",
            "?options[search_path]=app,public",
        ] {
            let url = parse(&format!("postgres://ann@h/d{url}")).unwrap();
            assert_eq!(url.search_path(), Some("app,public"));
        }
        let mariadb = |text: &str| match parse(text).unwrap().options {
            DatabaseOptions::MariaDb(options) => options,
            _ => panic!("{text} is of MariaDB"),
        };
        let options = mariadb("mariadb://ann:p%40w@/d?socket=/run/mysqld.sock");
        assert_eq!(options.get_socket(), Some(&"/run/mysqld.sock".into()));
        assert_eq!(options.get_username(), "ann");
        let options = mariadb("mysql://ann@[::1]:3307/d");
        assert_eq!((options.get_host(), options.get_port()), ("::1", 3307));
        assert_eq!(options.get_database(), Some("d"));
        let url = parse("sqlite:///a%20b.db?mode=rw").unwrap();
        assert_eq!(url.sqlite_file(), Some(Path::new("/a b.db")));
        assert!(!url.may_create());
        assert!(parse("sqlite:a.db").unwrap().may_create());
    }
}
