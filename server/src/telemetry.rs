//! Logging, and traces for an OpenTelemetry collector.

use std::{
    fmt,
    io::{self, BufWriter, IsTerminal, Write},
    panic,
    sync::OnceLock,
    thread,
    time::Duration,
};

use arrayvec::ArrayString;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use poem::http::HeaderValue;
use tokio::task::futures::TaskLocalFuture;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    field::RecordFields,
    filter::{self, ParseError},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::{
    config::{LogFormat, SettingError, TelemetrySettings},
    random::Random,
};

/// Log filters for libraries that report at every start, command and batch of events that there is
/// nothing to do. The operator's filter overrides them.
const QUIET: &str = "sea_orm_migration=warn,sqlx::postgres::notice=warn,opentelemetry=warn,\
    opentelemetry_sdk=warn,opentelemetry_otlp=warn,opentelemetry-otlp=warn,buoyant_kernel=warn,\
    buoyant_kernel::snapshot::builder=off,deltalake_core=warn";
/// Target of the spans that are traces. They are not logged: requests have log lines of their own.
pub(crate) const TRACE: &str = "cortex_report_trace";
/// Time limit for sending the last traces when the service ends.
const LAST_TRACES: Duration = Duration::from_secs(1);

/// Maximum number of log lines, of about 150 bytes each, that wait to be written. If the reader of
/// the log stalls, further lines are dropped, so that no request waits for one.
const WAITING_LINES: usize = 16_384;

/// Pause of the log thread, in which lines gather: the longest that a line waits. The end of the
/// program waits up to twice as long. With [`WAITING_LINES`], 3 million lines a second are written
/// without loss.
const BETWEEN_WRITES: Duration = Duration::from_millis(5);

/// Counter of dropped log lines.
static DROPPED_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// Number of log lines that were dropped because the reader of the log stalled.
pub(crate) fn dropped_lines() -> u64 {
    let dropped = DROPPED_LINES.get().map(ErrorCounter::dropped_lines);
    dropped.unwrap_or_default() as u64
}

tokio::task_local! {
    static REQUEST_ID: RequestId;
}

/// Id of a request: up to 64 letters, digits and `-_.`, which need no escaping in a log or a
/// header.
#[derive(Clone, Copy)]
pub(crate) struct RequestId(ArrayString<64>);

impl RequestId {
    /// Parses an id; returns `None` if the text is not one.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let is_id = is_plain(text);
        ArrayString::from(text).ok().filter(|_| is_id).map(Self)
    }

    /// Random id, for a request without one.
    pub(crate) fn random(random: &Random) -> Self {
        let mut id = ArrayString::new();
        for letter in random.id() {
            id.push(char::from(letter));
        }
        Self(id)
    }

    /// Id of the request that the current task handles.
    pub(crate) fn current() -> Option<Self> {
        REQUEST_ID.try_with(|id| *id).ok()
    }

    /// Runs a future whose log lines have the id.
    pub(crate) fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        REQUEST_ID.scope(self, work)
    }

    /// Runs a function whose log lines have the id.
    pub(crate) fn sync_scope<T>(self, log: impl FnOnce() -> T) -> T {
        REQUEST_ID.sync_scope(self, log)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        // An id has only characters that are allowed in a header.
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("none"))
    }
}

/// Returns true if the text has only letters, digits and `-_.`, and at least one of them.
pub(crate) fn is_plain(text: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Writer that collects log lines and writes them together.
///
/// The log thread asks for the next line only after [`BETWEEN_WRITES`]: waking it for each line
/// would take longer than answering a request.
struct Collecting<W>(W);

impl<W: Write> Write for Collecting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.0.flush();
        thread::sleep(BETWEEN_WRITES);
        flushed
    }
}

/// Format of log lines that adds the id of the request. A span for each request could add it too,
/// but takes a tenth of the request's time.
struct WithRequestId<F>(F);

/// Adds the id as a field of a text line.
impl<'a, F: for<'b> FormatFields<'b>> FormatFields<'a> for WithRequestId<F> {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'a>, fields: R) -> fmt::Result {
        self.0.format_fields(writer.by_ref(), fields)?;
        match RequestId::current() {
            Some(id) => write!(writer, " request_id={}", id.as_str()),
            None => Ok(()),
        }
    }
}

/// Adds the id as a member of a JSON line.
impl<S, N> FormatEvent<S, N> for WithRequestId<Format<Json>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = RequestId::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let members = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, "{{\"request_id\":\"{}\",{members}", id.as_str())
    }
}

/// Guard for logging and tracing: dropping it writes the last log lines, `stop` also sends the last
/// traces.
pub(crate) struct Telemetry {
    log_filter: reload::Handle<EnvFilter, Registry>,
    traces: Option<SdkTracerProvider>,
    /// Writes the last log lines when dropped.
    _log: WorkerGuard,
}

impl Telemetry {
    /// Starts logging, and sending traces if a collector is set.
    pub(crate) fn start(settings: &TelemetrySettings) -> Result<Self, SettingError> {
        let (filter, log_filter) = reload::Layer::new(log_filter(settings)?);
        // The log thread writes many lines at once.
        let (lines, written) = NonBlockingBuilder::default()
            .thread_name("log")
            .buffered_lines_limit(WAITING_LINES)
            .finish(Collecting(BufWriter::new(io::stderr())));
        DROPPED_LINES.get_or_init(|| lines.error_counter());
        let log = tracing_subscriber::fmt::layer()
            .with_writer(lines)
            // Standard error may be full or closed; reporting that there would panic.
            .log_internal_errors(false);
        let log = match settings.log_format {
            LogFormat::Text => log
                .with_ansi(io::stderr().is_terminal())
                .map_fmt_fields(WithRequestId)
                .boxed(),
            LogFormat::Json => log.json().map_event_format(WithRequestId).boxed(),
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
            .map_err(|error| SettingError::Otlp(error.to_string()))?;
        let layer = traces.as_ref().map(|traces| {
            tracing_opentelemetry::layer()
                .with_tracer(traces.tracer("cortex-reportd"))
                .with_filter(filter::filter_fn(is_ours))
        });
        tracing_subscriber::registry()
            .with(log.with_filter(filter))
            .with(layer)
            .init();
        panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            // Only static texts are logged: a formatted message may contain secrets.
            let reason = panic.payload().downcast_ref::<&str>();
            tracing::error!(place, reason, "a panic");
        }));
        Ok(Self {
            log_filter,
            traces,
            _log: written,
        })
    }

    /// Applies the log level of new settings.
    pub(crate) fn reload(&self, settings: &TelemetrySettings) -> Result<(), SettingError> {
        let reloaded = self.log_filter.reload(log_filter(settings)?);
        reloaded.map_err(SettingError::Log)
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

/// Returns true for the parts of a trace: spans of requests, and events of this project's code at
/// level info or more severe.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    match metadata.is_span() {
        true => metadata.target() == TRACE,
        false => *metadata.level() <= Level::INFO && metadata.target().starts_with("cortex_report"),
    }
}
