//! Kinds of databases, and the parameters that the URL of each takes.

use std::net::IpAddr;

/// A kind of database and the parameters that its URL takes.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) scheme: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// Names in other programs, in lower case without punctuation, each with the parameter to write
    /// instead.
    pub(super) synonyms: &'static [(&'static str, &'static str)],
    pub(super) tls: Option<TlsParameters>,
}

/// Names of the parameters for TLS, and values of the mode.
pub(super) struct TlsParameters {
    pub(super) mode: &'static str,
    pub(super) authority: &'static str,
    pub(super) certificate: &'static str,
    pub(super) key: &'static str,
    /// The modes in which the server's certificate is verified, the best one first.
    pub(super) verifying: [&'static str; 2],
    /// The modes without TLS.
    pub(super) off: &'static [&'static str],
}

/// A parameter of a URL.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) is_valid: fn(&str) -> bool,
    /// Description of the values that it takes.
    pub(super) values: &'static str,
}

pub(super) const fn parameter(
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

pub(super) fn is_given(value: &str) -> bool {
    !value.is_empty()
}

pub(super) fn is_count(value: &str) -> bool {
    value.parse::<u16>().is_ok()
}

pub(super) fn is_port(value: &str) -> bool {
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && value.parse::<u16>().is_ok_and(|port| port > 0)
}

pub(super) fn is_path(value: &str) -> bool {
    value.starts_with('/')
}

pub(super) const A_PORT: &str = "a number from 1 to 65535";
pub(super) const A_FILE: &str = "the path of a file in PEM";
pub(super) const A_COUNT: &str = "a number from 0 to 65535";

pub(super) static SQLITE: Kind = Kind {
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

pub(super) const POSTGRES_TLS: TlsParameters = TlsParameters {
    mode: "sslmode",
    authority: "sslrootcert",
    certificate: "sslcert",
    key: "sslkey",
    verifying: ["verify-full", "verify-ca"],
    off: &["disable", "allow"],
};

pub(super) const MARIADB_TLS: TlsParameters = TlsParameters {
    mode: "ssl-mode",
    authority: "ssl-ca",
    certificate: "ssl-cert",
    key: "ssl-key",
    verifying: ["VERIFY_IDENTITY", "VERIFY_CA"],
    off: &["DISABLED"],
};

pub(super) static POSTGRES: Kind = Kind {
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

pub(super) static MARIADB: Kind = Kind {
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

/// Names in other programs for the size of the pool, in lower case without punctuation.
pub(super) const POOL_SIZES: [&str; 8] = [
    "maxconnections",
    "connectionlimit",
    "poolsize",
    "pool",
    "maxpoolsize",
    "minconnections",
    "poolmaxconns",
    "maximumpoolsize",
];

pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

pub(super) fn is_timezone(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+:/-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}
