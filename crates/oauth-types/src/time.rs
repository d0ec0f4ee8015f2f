//! Time as an argument: whole seconds, and a clock that tests can hold still.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, as RFC 7591 §3.2.1 counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Seconds since the epoch.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH.checked_add(Duration::from_secs(timestamp.0)).unwrap_or(UNIX_EPOCH)
    }
}

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Milliseconds since 1970-01-01T00:00:00Z, for identifiers that sort by time. A clock of whole seconds need not
    /// say more.
    fn unix_millis(&self) -> u64 {
        self.now().seconds().saturating_mul(1000)
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    fn unix_millis(&self) -> u64 {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX)
    }
}

/// A length of time in a member of client metadata: 0 to 2147483647 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Seconds(u32);

impl Seconds {
    /// The longest that a member can say: what fits a signed number of 32 bits.
    pub const MAX: Self = Self(i32::MAX.unsigned_abs());

    /// `None` above [`Seconds::MAX`].
    pub fn new(seconds: u32) -> Option<Self> {
        (seconds <= Self::MAX.0).then_some(Self(seconds))
    }

    /// The number as it stands in JSON.
    pub fn get(self) -> u32 {
        self.0
    }
}

described!(Seconds, { "type": "integer", "minimum": 0, "maximum": Seconds::MAX });

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
