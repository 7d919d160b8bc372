//! Metrics in the OpenMetrics text format, for Prometheus.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[cfg(feature = "events")]
use crate::store::inbox;
use crate::{
    clock::Timestamp,
    store::{Result, Store, dead_letter, outbox, session},
    telemetry,
};

const PREFIX: &str = "cortex_report";
/// Time limit for the database to report its state. Prometheus gives up after 10 seconds.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Counters kept while the service runs. Numbers from the database are queried at each scrape.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram>,
    mails: Family<Mail, Counter>,
    #[cfg(feature = "events")]
    events: Family<Event, Counter>,
    successes: Family<Worker, Gauge>,
    /// The metrics of requests, by status and operation: a lookup in the families would allocate
    /// the labels each time.
    counted: RwLock<BTreeMap<u16, BTreeMap<Box<str>, Counted>>>,
}

/// The metrics of requests with one status and operation.
struct Counted {
    requests: Counter,
    durations: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mail {
    outcome: &'static str,
}

/// The outcome of an attempt to send a mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MailOutcome {
    /// The mail was accepted.
    Sent,
    /// The attempt failed and will be repeated.
    Postponed,
    /// The mail will not be sent.
    GivenUp,
}

impl From<MailOutcome> for Mail {
    fn from(outcome: MailOutcome) -> Self {
        let outcome = match outcome {
            MailOutcome::Sent => "sent",
            MailOutcome::Postponed => "postponed",
            MailOutcome::GivenUp => "given_up",
        };
        Self { outcome }
    }
}

#[cfg(feature = "events")]
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    outcome: &'static str,
}

/// Outcome of an event.
#[cfg(feature = "events")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    /// It is stored.
    Accepted,
    /// It is stored, but for members that were cut or left out.
    Cleaned,
    /// It cannot be stored, and is recorded in the table of errors.
    Skipped,
    /// Its bundle cannot be used.
    Refused,
}

#[cfg(feature = "events")]
impl EventOutcome {
    const ALL: [Self; 4] = [Self::Accepted, Self::Cleaned, Self::Skipped, Self::Refused];
}

#[cfg(feature = "events")]
impl From<EventOutcome> for Event {
    fn from(outcome: EventOutcome) -> Self {
        let outcome = match outcome {
            EventOutcome::Accepted => "accepted",
            EventOutcome::Cleaned => "cleaned",
            EventOutcome::Skipped => "skipped",
            EventOutcome::Refused => "refused",
        };
        Self { outcome }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Worker {
    worker: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Registers the counters of events.
#[cfg(feature = "events")]
fn events(registry: &mut Registry) -> Family<Event, Counter> {
    let events = Family::<Event, Counter>::default();
    for outcome in EventOutcome::ALL {
        drop(events.get_or_create(&outcome.into()));
    }
    registry.register(
        "events",
        "Events that applications sent, by outcome; a bundle that cannot be used is one",
        events.clone(),
    );
    events
}

impl Counted {
    fn count(&self, took: Duration) {
        self.durations.observe(took.as_secs_f64());
        self.requests.inc();
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests answered, by operationId (for pages, the route) and status",
            requests.clone(),
        );
        // From a millisecond to the deadline of a request.
        let buckets = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let durations = Family::new_with_constructor(buckets as fn() -> Histogram);
        registry.register(
            "request_duration_seconds",
            "Duration of requests, from the request line to the response",
            durations.clone(),
        );
        let mails = Family::<Mail, Counter>::default();
        // Start at 0, so that the first mail of an outcome is seen as an increase.
        for outcome in [
            MailOutcome::Sent,
            MailOutcome::Postponed,
            MailOutcome::GivenUp,
        ] {
            drop(mails.get_or_create(&outcome.into()));
        }
        registry.register(
            "mails",
            "Attempts to send a mail, by outcome",
            mails.clone(),
        );
        #[cfg(feature = "events")]
        let events = events(&mut registry);
        let successes = Family::default();
        registry.register(
            "worker_last_success_timestamp_seconds",
            "Time of the last successful round of a background worker",
            successes.clone(),
        );
        Self {
            registry,
            requests,
            durations,
            mails,
            #[cfg(feature = "events")]
            events,
            successes,
            counted: RwLock::default(),
        }
    }

    pub(crate) fn count_request(&self, operation: &str, status: u16, took: Duration) {
        // Nothing panics while it is locked.
        let counted = self.counted.read().unwrap_or_else(PoisonError::into_inner);
        let of_status = counted.get(&status);
        if let Some(counted) = of_status.and_then(|it| it.get(operation)) {
            counted.count(took);
            return;
        }
        drop(counted);
        let counted = self.counted(operation, status);
        counted.count(took);
        let mut all = self.counted.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(status)
            .or_default()
            .insert(operation.into(), counted);
    }

    fn counted(&self, operation: &str, status: u16) -> Counted {
        let operation = operation.to_owned();
        let answered = Answered {
            operation: operation.clone(),
            status,
        };
        Counted {
            requests: self.requests.get_or_create_owned(&answered),
            durations: self.durations.get_or_create_owned(&Asked { operation }),
        }
    }

    pub(crate) fn count_mail(&self, outcome: MailOutcome) {
        self.mails.get_or_create(&outcome.into()).inc();
    }

    #[cfg(feature = "events")]
    pub(crate) fn count_events(&self, outcome: EventOutcome, count: u64) {
        if count > 0 {
            self.events.get_or_create(&outcome.into()).inc_by(count);
        }
    }

    /// Records a successful round of a background worker.
    pub(crate) fn note_success(&self, worker: &'static str, now: Timestamp) {
        let success = self.successes.get_or_create(&Worker { worker });
        success.set(now.0 / 1000);
    }

    /// All metrics in the OpenMetrics text format. If the database does not answer, the metrics
    /// that are queried from it are left out.
    pub(crate) async fn text(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<String, std::fmt::Error> {
        let mut now_registry = Registry::with_prefix(PREFIX);
        let pool = Family::<State, Gauge>::default();
        let (open, idle) = store.connections();
        for (state, count) in [("idle", idle), ("used", open.saturating_sub(idle))] {
            set(&pool, state, count as u64);
        }
        now_registry.register(
            "database_connections",
            "Database connections that this instance holds, by state",
            pool,
        );
        let dropped = ConstCounter::new(telemetry::dropped_lines());
        now_registry.register(
            "log_lines_dropped",
            "Log lines dropped because the reader of the log stalled",
            dropped,
        );
        let is_up = Gauge::<i64>::default();
        let store = store.clone();
        // A task of its own, which is not cancelled by the timeout.
        let counts = tokio::spawn(async move { Counts::of(&store, now).await });
        match tokio::time::timeout(TIMEOUT, counts).await {
            Ok(Ok(Ok(counts))) => {
                is_up.set(1);
                counts.register(&mut now_registry);
            }
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the database failed to report its state"),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("the database did not report its state in time");
            }
        }
        now_registry.register("database_up", "1 if the database answers, 0 if not", is_up);
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now_registry)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// Counts of rows that all instances share, so that each instance reports the same.
struct Counts {
    active: u64,
    pending: u64,
    owed: u64,
    given_up: u64,
    /// Age in seconds of the oldest events that are not in the lake yet.
    #[cfg(feature = "events")]
    oldest: u64,
}

impl Counts {
    async fn of(store: &Store, now: Timestamp) -> Result<Self> {
        let db = store.reader();
        Ok(Self {
            active: session::count_active(db, now).await?,
            pending: session::count_pending(db, now).await?,
            owed: outbox::count(db).await?,
            given_up: dead_letter::count(db).await?,
            #[cfg(feature = "events")]
            oldest: {
                let waiting = inbox::waiting(db).await?.into_iter();
                let oldest = waiting.map(|of_org| of_org.oldest).min();
                oldest.map_or(0, |oldest| now.since(oldest).as_secs())
            },
        })
    }

    fn register(&self, registry: &mut Registry) {
        let sessions = Family::<State, Gauge>::default();
        set(&sessions, "active", self.active);
        set(&sessions, "pending", self.pending);
        let mails = Family::<State, Gauge>::default();
        set(&mails, "owed", self.owed);
        set(&mails, "given_up", self.given_up);
        registry.register(
            "sessions",
            "Sessions that are active, or pending until the login is verified",
            sessions,
        );
        registry.register(
            "mail_queue",
            "Login mails that are queued (owed), and those that were given up",
            mails,
        );
        #[cfg(feature = "events")]
        {
            let oldest = Gauge::<i64>::default();
            oldest.set(i64::try_from(self.oldest).unwrap_or(i64::MAX));
            registry.register(
                "inbox_oldest_seconds",
                "Age of the oldest events that are not in the lake yet; 0 if there are none",
                oldest,
            );
        }
    }
}

fn set(family: &Family<State, Gauge>, state: &'static str, value: u64) {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    family.get_or_create(&State { state }).set(value);
}
