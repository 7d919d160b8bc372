//! Errors of the connection to a server, as sentences with what to change.

use std::io;

use sea_orm::sqlx::{
    self,
    error::DatabaseError,
    mysql::{MySqlConnectOptions, MySqlDatabaseError},
    postgres::PgConnectOptions,
};
use tokio::{net::lookup_host, time::timeout};
use tokio_rustls::rustls;

use super::{ConnectError, Result};
use crate::store::connection::ACQUIRE_TIMEOUT;

/// Database server, as error messages name it.
pub(super) struct Server {
    kind: &'static str,
    host: Option<(String, u16)>,
    pub(super) place: String,
    pub(super) user: String,
    pub(super) database: String,
}

impl Server {
    pub(super) fn postgres(options: &PgConnectOptions) -> Self {
        let socket = options
            .get_socket()
            .map(|folder| folder.display().to_string());
        let folder = socket.or_else(|| Some(options.get_host().to_owned()));
        let folder = folder.filter(|folder| folder.starts_with('/'));
        let port = options.get_port();
        let socket = folder.map(|folder| format!("{folder}/.s.PGSQL.{port}"));
        let database = options.get_database().unwrap_or_default();
        Self::new(
            "PostgreSQL",
            socket,
            (options.get_host(), port),
            options.get_username(),
            database,
        )
    }

    pub(super) fn mariadb(options: &MySqlConnectOptions) -> Self {
        let socket = options.get_socket().map(|file| file.display().to_string());
        let address = (options.get_host(), options.get_port());
        let database = options.get_database().unwrap_or_default();
        Self::new("MariaDB", socket, address, options.get_username(), database)
    }

    fn new(
        kind: &'static str,
        socket: Option<String>,
        (host, port): (&str, u16),
        user: &str,
        database: &str,
    ) -> Self {
        let is_address = host.contains(':');
        let place = match (&socket, is_address) {
            (Some(socket), _) => socket.clone(),
            (None, true) => format!("[{host}]:{port}"),
            (None, false) => format!("{host}:{port}"),
        };
        Self {
            kind,
            host: socket.is_none().then(|| (host.to_owned(), port)),
            place,
            user: user.to_owned(),
            database: database.to_owned(),
        }
    }

    pub(super) async fn within_time(&self, work: impl Future<Output = Result<()>>) -> Result<()> {
        let late = |_| {
            let seconds = ACQUIRE_TIMEOUT.as_secs();
            ConnectError(format!(
                "{} does not answer as {} within {seconds} seconds: check the port, firewalls, and \
                 the free connections of a connection pooler",
                self.place, self.kind
            ))
        };
        timeout(ACQUIRE_TIMEOUT, work).await.map_err(late)?
    }

    /// Looks the host up, to distinguish a wrong name from a server that cannot be reached.
    pub(super) async fn resolve(&self) -> Result<()> {
        let Some((host, port)) = &self.host else {
            return Ok(());
        };
        match lookup_host((host.as_str(), *port)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(ConnectError(format!(
                "the host {host} is not found: {error}; correct the host of the URL. If this is \
                 part of a password, write %40 for @ and %2F for / in the password"
            ))),
        }
    }

    pub(super) fn explain(&self, error: &sqlx::Error) -> ConnectError {
        let (kind, place) = (self.kind, &self.place);
        ConnectError(match error {
            sqlx::Error::Io(error) => self.explain_io(error),
            sqlx::Error::Tls(error) if error.to_string().contains("not support TLS") => format!(
                "the URL demands TLS, which the server at {place} does not offer: enable it \
                 there, or take the parameter {} out of the URL",
                if kind == "MariaDB" {
                    "ssl-mode"
                } else {
                    "sslmode"
                }
            ),
            sqlx::Error::Tls(error) => format!("TLS with the server at {place} failed: {error}"),
            sqlx::Error::Protocol(error) => {
                format!("the server at {place} does not speak the protocol of {kind}: {error}")
            }
            sqlx::Error::Database(error) => self.explain_refusal(error.as_ref()),
            error => format!("the server at {place} cannot be used: {error}"),
        })
    }

    fn explain_io(&self, error: &io::Error) -> String {
        let (kind, place) = (self.kind, &self.place);
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|it| it.downcast_ref::<rustls::Error>()) {
            return format!(
                "the certificate of the server at {place} is not trusted: {error}; give the \
                 PEM file of the authority that signed it in the parameter {}",
                if kind == "MariaDB" {
                    "ssl-ca"
                } else {
                    "sslrootcert"
                }
            );
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => format!(
                "connection refused: no {kind} listens at {place}; start it, or correct host and \
                 port"
            ),
            io::ErrorKind::NotFound => {
                format!("there is no socket {place}: start {kind}, or correct the path")
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => format!(
                "the connection to {place} was closed before it was usable: {error}; check \
                 that this is the port of {kind}"
            ),
            _ => format!("{place} cannot be reached: {error}"),
        }
    }

    /// Explains an error that the server itself returned.
    fn explain_refusal(&self, error: &dyn DatabaseError) -> String {
        let Self {
            kind,
            place,
            user,
            database,
            ..
        } = self;
        let message = error.message();
        let remedy = match refusal(error) {
            Some(Refusal::Credentials) => {
                "correct user and password; in a password write %40 for @, %3A for :, %2F for /, \
                 %3F for ?, %23 for # and %25 for %"
                    .to_owned()
            }
            Some(Refusal::Place) => format!(
                "allow the user {user} in pg_hba.conf to connect from here, or add sslmode=require \
                 to the URL if it requires encryption"
            ),
            Some(Refusal::NoDatabase) => format!("CREATE DATABASE {database}, or correct its name"),
            Some(Refusal::NotAllowed) => {
                format!("give the user {user} rights in the database {database}")
            }
            Some(Refusal::Busy) => "the server takes no more connections or is starting or \
                 stopping: try again, or raise its limit of connections"
                .to_owned(),
            Some(Refusal::Parameter) if message.contains("options") => {
                "the connection pooler does not take the parameter options: take it out of the \
                 URL, and make these settings with ALTER ROLE"
                    .to_owned()
            }
            Some(Refusal::Parameter) => {
                "add it to ignore_startup_parameters of the connection pooler".to_owned()
            }
            None => String::new(),
        };
        let colon = if remedy.is_empty() { "" } else { ": " };
        format!("{kind} at {place} refused the user {user}: {message}{colon}{remedy}")
    }
}

/// Kinds of a server's errors for which there is a remedy.
pub(super) enum Refusal {
    Credentials,
    Place,
    NoDatabase,
    NotAllowed,
    Busy,
    Parameter,
}

pub(super) fn refusal(error: &dyn DatabaseError) -> Option<Refusal> {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return match error.number() {
            1045 | 1698 => Some(Refusal::Credentials),
            1049 => Some(Refusal::NoDatabase),
            1044 | 1130 | 1142 | 1227 => Some(Refusal::NotAllowed),
            1040 | 1053 | 1203 | 1226 => Some(Refusal::Busy),
            _ => None,
        };
    }
    match error.code()?.as_ref() {
        "28000" if error.message().contains("pg_hba.conf") => Some(Refusal::Place),
        "28P01" | "28000" => Some(Refusal::Credentials),
        "3D000" => Some(Refusal::NoDatabase),
        "42501" => Some(Refusal::NotAllowed),
        "53300" | "57P03" => Some(Refusal::Busy),
        "08P01" if error.message().contains("startup parameter") => Some(Refusal::Parameter),
        // Errors of PgBouncer with the same meaning.
        "08P01" if error.message().starts_with("no such database") => Some(Refusal::NoDatabase),
        "08P01" if error.message().contains("password") => Some(Refusal::Credentials),
        _ => None,
    }
}
