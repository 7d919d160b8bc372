//! Time, as a service that a test can move.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sea_orm::DeriveValueType;

/// A point in time: milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeriveValueType)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// So much later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// So much earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this is; nothing if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same as the standard library has it.
    pub fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + self.since(Self(0))
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

/// Where the time comes from.
pub trait TimeSource: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The time of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTimeSource;

impl TimeSource for SystemTimeSource {
    #[expect(
        clippy::disallowed_methods,
        reason = "here the time is taken that is passed in elsewhere"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that never runs backwards, so that nothing that expired comes back to life when the
/// machine's time is set back.
pub struct Clock {
    source: Box<dyn TimeSource>,
    latest: AtomicI64,
}

impl Clock {
    /// A clock that follows `source`.
    pub fn new(source: impl TimeSource) -> Self {
        Self {
            source: Box::new(source),
            latest: AtomicI64::new(0),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::from(self.source.now()).0;
        Timestamp(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}
