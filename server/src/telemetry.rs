//! The log, and the traces that go to an OpenTelemetry collector.

use std::{
    io::{self, BufWriter, IsTerminal},
    panic,
    sync::OnceLock,
    time::Duration,
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{self, ParseError},
    layer::SubscriberExt,
    registry, reload,
    util::SubscriberInitExt,
};

use crate::{
    config::{LogFormat, TelemetrySettings},
    start::StartError,
};

/// At each start, and each command, these say that there is nothing to do. What the operator wants
/// to know of them goes before.
const QUIET: &str = "sea_orm_migration=warn,sqlx::postgres::notice=warn,opentelemetry=warn,\
    opentelemetry_sdk=warn,opentelemetry_otlp=warn,opentelemetry-otlp=warn";
/// The target of the spans that are traces. They are no part of the log, which has its own.
pub(crate) const TRACE: &str = "cortex_report_trace";
/// How long the last traces may take to be sent when the service ends.
const LAST_TRACES: Duration = Duration::from_secs(1);

/// The most lines of the log that wait to be written, each of some 150 bytes. Where whoever reads the
/// log stalls, more are dropped: no request waits for a line.
const WAITING_LINES: usize = 16_384;

/// Counts the lines of the log that were dropped.
static DROPPED_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines of the log were dropped, since whoever reads it stalled.
pub(crate) fn dropped_lines() -> u64 {
    let dropped = DROPPED_LINES.get().map(ErrorCounter::dropped_lines);
    dropped.unwrap_or_default() as u64
}

/// What is told of the program while this lives.
pub(crate) struct Telemetry {
    log_filter: reload::Handle<EnvFilter, Registry>,
    traces: Option<SdkTracerProvider>,
    /// Writes the last lines when it is dropped.
    _log: WorkerGuard,
}

impl Telemetry {
    /// Starts to log, and to send traces if there is whom to.
    pub(crate) fn start(settings: &TelemetrySettings) -> Result<Self, StartError> {
        let (filter, log_filter) = reload::Layer::new(log_filter(settings)?);
        // The thread that writes does so for many lines at once.
        let (lines, written) = NonBlockingBuilder::default()
            .thread_name("log")
            .buffered_lines_limit(WAITING_LINES)
            .finish(BufWriter::new(io::stderr()));
        DROPPED_LINES.get_or_init(|| lines.error_counter());
        let log = tracing_subscriber::fmt::layer()
            .with_writer(lines)
            // Standard error may be full or closed. To say so there would panic.
            .log_internal_errors(false);
        let log = match settings.log_format {
            LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).boxed(),
            LogFormat::Json => log.json().boxed(),
        };
        let traces = settings.otlp_url.as_ref().map(|url| {
            let url = url.as_str().trim_end_matches('/');
            let exporter = SpanExporter::builder()
                .with_http()
                .with_endpoint(format!("{url}/v1/traces"))
                .build();
            let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
            let resource = Resource::builder()
                .with_service_name("cortex-reportd")
                .with_attribute(version);
            exporter.map(|exporter| {
                SdkTracerProvider::builder()
                    .with_batch_exporter(exporter)
                    .with_resource(resource.build())
                    .build()
            })
        });
        let traces = traces
            .transpose()
            .map_err(|error| StartError::Otlp(error.to_string()))?;
        let layer = traces.as_ref().map(|traces| {
            tracing_opentelemetry::layer()
                .with_tracer(traces.tracer("cortex-reportd"))
                .with_filter(filter::filter_fn(is_ours))
        });
        registry().with(log.with_filter(filter)).with(layer).init();
        panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            // What was put together at run time may hold anything.
            let reason = panic.payload().downcast_ref::<&str>();
            tracing::error!(place, reason, "a panic");
        }));
        Ok(Self {
            log_filter,
            traces,
            _log: written,
        })
    }

    /// Logs what the settings of now ask for.
    pub(crate) fn reload(&self, settings: &TelemetrySettings) -> Result<(), StartError> {
        let reloaded = self.log_filter.reload(log_filter(settings)?);
        reloaded.map_err(|error| StartError::System(error.to_string()))
    }

    /// Sends the last traces.
    pub(crate) async fn stop(self) {
        let Some(traces) = self.traces else {
            return;
        };
        let sent = tokio::task::spawn_blocking(move || traces.shutdown_with_timeout(LAST_TRACES));
        if let Ok(Err(error)) = sent.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

fn log_filter(settings: &TelemetrySettings) -> Result<EnvFilter, ParseError> {
    let level = &settings.log_level;
    EnvFilter::try_new(format!("{QUIET},{level},{TRACE}=off"))
}

/// Whether something is part of a trace: its span, and what our code says within.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    match metadata.is_span() {
        true => metadata.target() == TRACE,
        false => *metadata.level() <= Level::INFO && metadata.target().starts_with("cortex_report"),
    }
}
