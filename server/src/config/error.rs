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

/// Error of a setting: why it cannot be used, and where it was given.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A flag has an invalid value.
    #[error("{}", sentence(.0))]
    Flag(Error),
    /// An environment variable has an invalid value.
    #[error("{name}: {reason}")]
    Variable {
        /// Name of the variable.
        name: String,
        /// Reason that its value is invalid.
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
    /// The address cannot be listened on.
    #[error("{setting}: cannot listen on {address}: {error}")]
    Listen {
        /// The setting with the address.
        setting: &'static str,
        /// Address to listen on.
        address: SocketAddr,
        /// Error of the operating system.
        error: io::Error,
    },
    /// The public URL is not set, and cannot be derived from the address to listen on.
    #[error(
        "CORTEX_REPORT_PUBLIC_URL: not set, and the service cannot be reached at {0}; set it to \
         the URL that browsers open, such as https://report.example.com"
    )]
    PublicUrl(SocketAddr),
    /// The database cannot be opened or brought up to date.
    #[error("CORTEX_REPORT_DATABASE_URL: {0}")]
    Database(#[from] StoreError),
    /// A file or folder cannot be read or created, or has invalid content.
    #[error("{setting}: cannot use {}: {reason}", path.display())]
    Unusable {
        /// The setting with its path.
        setting: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Reason that it cannot be used.
        reason: String,
    },
    /// The key file does not exist, but the database was used with a key.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} does not exist, but the database was used with a key; restore \
         the file. If it is lost, stop all instances and run: cortex-reportd replace-key. Only \
         logins in progress then have to be started again", file.display()
    )]
    KeyLost {
        /// The file.
        file: PathBuf,
    },
    /// The key file holds a different key from the one that the database was used with.
    #[error(
        "CORTEX_REPORT_KEY_FILE: {} holds a different key from the one that the database was used \
         with, so codes and links of logins in progress would be rejected; set the path of the \
         right file, or stop all instances and run: cortex-reportd replace-key", file.display()
    )]
    KeyDiffers {
        /// The file.
        file: PathBuf,
    },
    /// The SMTP user is set without a password, or the password without a user.
    #[error(
        "CORTEX_REPORT_SMTP_URL: user and password go together: put the user into the URL, and the \
         password into the URL or into the file named by CORTEX_REPORT_SMTP_PASSWORD_FILE"
    )]
    SmtpCredentials,
    /// Only one of the certificate and the key is set.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE and CORTEX_REPORT_TLS_KEY_FILE go together; set both \
         or neither"
    )]
    HalfTls,
    /// The certificate and the key do not match, or are invalid.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: the certificate and the \
         key cannot be used: {0}"
    )]
    TlsPair(rustls::Error),
    /// A reload would switch between HTTP and HTTPS, which needs a restart.
    #[error(
        "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: restart the service to \
         change between http and https"
    )]
    TlsChanges,
    /// The SMTP server cannot be used.
    #[error("CORTEX_REPORT_SMTP_URL: {0}")]
    Smtp(MailError),
    /// Traces cannot be sent to the collector.
    #[error("CORTEX_REPORT_OTLP_URL: {0}")]
    Otlp(String),
    /// The log filter cannot be changed while the service runs.
    #[error("the log filter cannot be changed: {0}")]
    Log(reload::Error),
    /// The log level is invalid.
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
