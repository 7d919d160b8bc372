//! Errors of settings.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::error::Error;
use tokio_rustls::rustls;
use tracing_subscriber::{filter::ParseError, reload};

use super::file::FileError;
use crate::{mail::MailError, store::StoreError};

/// Why a setting cannot be used, with the place where it was given.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A flag has a value that it cannot have.
    #[error("{}", sentence(.0))]
    Flag(Error),
    /// A variable has a value that it cannot have.
    #[error("{name}: {reason}")]
    Variable {
        /// The variable.
        name: String,
        /// Reason that its value is refused.
        reason: String,
    },
    /// The settings file cannot be used.
    #[error("CORTEX_REPORT_CONFIG: {}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Reason that the file cannot be used.
        error: FileError,
    },
    /// Nothing can listen there.
    #[error("{setting}: cannot listen on {address}: {error}")]
    Listen {
        /// The setting that says so.
        setting: &'static str,
        /// Address to listen on.
        address: SocketAddr,
        /// Error of the operating system.
        error: io::Error,
    },
    /// Nobody can say under which URL the service is reached.
    #[error("CORTEX_REPORT_PUBLIC_URL: set it, since {0} is no address to reach the service at")]
    PublicUrl(SocketAddr),
    /// The database cannot be opened or brought up to date.
    #[error("CORTEX_REPORT_DATABASE_URL: {0}")]
    Database(#[from] StoreError),
    /// A file or folder cannot be read or made, or holds nothing of use.
    #[error("{setting}: cannot use {}: {reason}", path.display())]
    Unusable {
        /// The setting that names it.
        setting: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Reason that it cannot be used.
        reason: String,
    },
    /// The key is not there, but the database was used with one.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} is not there, but the database was used with a key; put the file \
         back. If it is lost, stop all instances and run: cortex-reportd replace-key. Then only the \
         logins that are under way have to be started anew", file.display()
    )]
    KeyLost {
        /// The file.
        file: PathBuf,
    },
    /// The key is not the one that the database was used with.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} holds another key than the database was used with: codes and \
         links of logins that are under way would be refused; name the right file, or stop all \
         instances and run: cortex-reportd replace-key", file.display()
    )]
    KeyDiffers {
        /// The file.
        file: PathBuf,
    },
    /// Of who sends by the SMTP server only half is known.
    #[error(
        "CORTEX_REPORT_SMTP_URL: a user and a password go together; set \
         CORTEX_REPORT_SMTP_PASSWORD_FILE for the user of the URL"
    )]
    SmtpCredentials,
    /// A certificate without a key, or the other way round.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE and CORTEX_REPORT_TLS_KEY_FILE go together; set both \
         or none"
    )]
    HalfTls,
    /// The certificate and the key are not of each other, or of no use.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: they are of no use: {0}"
    )]
    TlsPair(rustls::Error),
    /// A service that runs is to begin to encrypt, or to cease.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: restart the service to \
         change between http and https"
    )]
    TlsChanges,
    /// The SMTP server was tried, and sends no mail.
    #[error("CORTEX_REPORT_SMTP_URL: {0}")]
    Smtp(MailError),
    /// No traces can be sent there.
    #[error("CORTEX_REPORT_OTLP_URL: {0}")]
    Otlp(String),
    /// The log filter cannot be changed while the service runs.
    #[error("the log filter cannot be changed: {0}")]
    Log(reload::Error),
    /// The log level is none.
    #[error("CORTEX_REPORT_LOG_LEVEL: {0}")]
    LogLevel(#[from] ParseError),
}

/// Message of an error about a value, without clap's advice on how to use the command line.
pub(super) fn sentence(error: &Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = first.lines().map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

/// Returns a function that turns an error of a file or folder into [`SettingError::Unusable`].
pub(super) fn unusable<E: ToString>(
    setting: &'static str,
    path: &Path,
) -> impl Fn(E) -> SettingError {
    move |error| SettingError::Unusable {
        setting,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
