//! Settings: for each section its flags, defaults and checks, and the parts built from it.

mod check;
mod error;
#[cfg(feature = "events")]
mod events;
mod file;
mod mail;
mod serve;
pub(crate) mod sources;
mod store;
mod telemetry;
mod tls;
mod warnings;

use std::ffi::OsStr;

use clap::{
    Arg, Args, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};

pub(crate) use check::{Check, checks};
pub use error::SettingError;
#[cfg(feature = "events")]
pub use events::EventSettings;
#[cfg(feature = "events")]
pub(crate) use events::{instance, lake};
pub(crate) use mail::transport;
pub use mail::{MailLimits, MailSettings};
pub use serve::{Registration, ServeSettings};
pub(crate) use serve::{listen, public_url};
pub use store::StoreSettings;
pub(crate) use store::{open, replace_key};
pub use telemetry::{LogFormat, TelemetrySettings};
pub use tls::TlsSettings;
pub(crate) use tls::acceptor;
pub(crate) use warnings::warnings;

/// All settings.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) store: StoreSettings,
    #[command(flatten)]
    pub(crate) serve: ServeSettings,
    #[command(flatten)]
    pub(crate) telemetry: TelemetrySettings,
}

/// Gives each flag its environment variable: `--key-file` is CORTEX_REPORT_KEY_FILE.
pub(crate) fn with_variables(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_long() {
        Some(long) => {
            let name = long.replace('-', "_").to_uppercase();
            arg.env(format!("CORTEX_REPORT_{name}"))
        }
        None => arg,
    })
}

/// Value parser whose errors do not show the value, which may hold a password.
#[derive(Clone)]
struct Redacted<T>(fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Redacted<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        self.0(&value.to_string_lossy()).map_err(|error| {
            let arg = arg.map(ToString::to_string).unwrap_or_default();
            let text = format!("invalid value for '{arg}': {error}\n");
            Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}
