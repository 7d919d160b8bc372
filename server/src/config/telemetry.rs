//! Settings of the log and the traces.

use clap::{Args, ValueEnum};
use url::Url;

use super::Redacted;

/// Settings of the log and the traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log and traces")]
pub struct TelemetrySettings {
    /// Minimum level to log: error, warn, info, debug or trace, or a filter such as
    /// `info,sea_orm=debug`.
    #[arg(long, value_name = "LEVEL", default_value = "info", global = true)]
    pub log_level: String,

    /// Format of the log: text for people, json for programs.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        global = true
    )]
    pub log_format: LogFormat,

    /// OpenTelemetry collector to send traces to by OTLP over HTTP, such as
    /// http://127.0.0.1:4318; no traces are sent by default.
    #[arg(
        long,
        value_name = "URL",
        hide_env_values = true,
        value_parser = Redacted(collector)
    )]
    pub otlp_url: Option<Url>,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines of text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Parses the URL of a collector, to which paths are added.
fn collector(text: &str) -> Result<Url, String> {
    let is_plain = |url: &Url| {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_http = ["http", "https"].contains(&url.scheme());
        is_http && !has_user && url.query().is_none() && url.fragment().is_none()
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(|| {
        "write it like http://127.0.0.1:4318; credentials go into the variable \
         OTEL_EXPORTER_OTLP_HEADERS"
            .to_owned()
    })
}
