//! Settings of the log and the traces.

use clap::{Args, ValueEnum};
use url::Url;

use super::Redacted;

/// What is told of what the program does, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log and traces")]
pub struct TelemetrySettings {
    /// The least that is logged: error, warn, info, debug or trace, or a filter such as
    /// `info,sea_orm=debug`.
    #[arg(long, value_name = "LEVEL", default_value = "info", global = true)]
    pub log_level: String,

    /// How it is logged: text for people, json for programs.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        global = true
    )]
    pub log_format: LogFormat,

    /// The OpenTelemetry collector that traces are sent to by OTLP over HTTP, such as
    /// http://127.0.0.1:4318; by default they are not.
    #[arg(
        long,
        value_name = "URL",
        hide_env_values = true,
        value_parser = Redacted(collector)
    )]
    pub otlp_url: Option<Url>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The URL of a collector, to which paths are added.
fn collector(text: &str) -> Result<Url, String> {
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
