//! Clock of the service, which tests can set.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, Utc};
use sea_orm::DeriveValueType;

/// A point in time: milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeriveValueType)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the time that is later by a duration.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// Returns the time that is earlier by a duration.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Converts the time to the type of the standard library.
    pub fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + self.since(Self(0))
    }
}

/// Form that is shown to people, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        httpdate::HttpDate::from(self.to_system_time()).fmt(formatter)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        Self::from_timestamp_millis(time.0).unwrap_or(match time.0 {
            ..0 => Self::MIN_UTC,
            0.. => Self::MAX_UTC,
        })
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(millis(since))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A source of time.
pub trait TimeSource: Send + Sync + 'static {
    /// Returns the time now, which can be set.
    fn now(&self) -> SystemTime;

    /// Returns the time since a fixed point, which cannot be set.
    fn monotonic(&self) -> Duration;
}

/// Time of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemTimeSource(Instant);

impl Default for SystemTimeSource {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl TimeSource for SystemTimeSource {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the time; elsewhere it is passed in"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Clock that never runs backwards and never stands still: when the machine's time is set back, it
/// continues from the time it had. So nothing that has expired becomes valid again, and nothing is
/// valid for longer.
pub struct Clock {
    source: Box<dyn TimeSource>,
    /// Maximum, in milliseconds, by which the machine's time was seen ahead of the monotonic one.
    ahead: AtomicI64,
    is_set_back: AtomicBool,
}

/// Smallest step back that is reported, since a machine's time is corrected a little all the time.
const REPORTED_STEP: Duration = Duration::from_secs(60);

impl Clock {
    /// Creates a clock that follows `source`.
    pub fn new(source: impl TimeSource) -> Self {
        Self {
            source: Box::new(source),
            ahead: AtomicI64::new(i64::MIN),
            is_set_back: AtomicBool::new(false),
        }
    }

    /// Returns the time now.
    pub fn now(&self) -> Timestamp {
        let monotonic = millis(self.source.monotonic());
        let machine = Timestamp::from(self.source.now());
        let ahead = machine.0.saturating_sub(monotonic);
        let mut most = self.ahead.load(Ordering::Relaxed);
        // Written only when it grows: threads that only read it do not wait for each other.
        if ahead > most {
            most = self.ahead.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        }
        let time = Timestamp(monotonic.saturating_add(most));
        let step = time.since(machine);
        if self.is_first_report(step >= REPORTED_STEP) {
            tracing::warn!(
                seconds = step.as_secs(),
                "the system clock was set back; the service continues from the time it had, and \
                 follows the system clock again after a restart"
            );
        }
        time
    }

    /// Returns true if the clock is set back and was not the last time.
    fn is_first_report(&self, is_set_back: bool) -> bool {
        // Written only where it changes, since each request reads the clock.
        is_set_back != self.is_set_back.load(Ordering::Relaxed)
            && is_set_back != self.is_set_back.swap(is_set_back, Ordering::Relaxed)
            && is_set_back
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicU64};

    use super::*;

    #[derive(Clone, Default)]
    struct Source {
        now: Arc<AtomicU64>,
        monotonic: Arc<AtomicU64>,
    }

    impl TimeSource for Source {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.now.load(Ordering::Relaxed))
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.monotonic.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_step_back_neither_turns_the_clock_back_nor_stops_it() {
        let source = Source::default();
        let clock = Clock::new(source.clone());
        let at = |now: u64, monotonic: u64| {
            source.now.store(now, Ordering::Relaxed);
            source.monotonic.store(monotonic, Ordering::Relaxed);
            clock.now().0 / 1000
        };
        assert_eq!(at(1000, 10), 1000);
        assert_eq!(at(400, 11), 1001, "it goes on from the time it had");
        assert_eq!(at(460, 71), 1061, "a minute has passed");
        assert_eq!(at(2000, 72), 2000, "it follows the machine's time again");
    }

    #[test]
    fn a_clock_that_is_set_back_is_reported_once() {
        let clock = Clock::new(Source::default());
        let reports = [false, true, true, false, false, true].map(|it| clock.is_first_report(it));
        assert_eq!(reports, [false, true, false, false, false, true]);
    }
}
