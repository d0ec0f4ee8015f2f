//! Time and randomness that tests hold in their hands.

use std::sync::atomic::{AtomicU64, Ordering};

use enroll_oauth_types::{Clock, Random, Timestamp};

/// A clock that moves only when it is told to. It starts at 2027-01-15T08:00:00Z.
#[derive(Debug)]
pub struct StandingClock(AtomicU64);

impl Default for StandingClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_800_000_000))
    }
}

impl StandingClock {
    /// Moves the clock forward.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes that count up: different at every call, the same in every run.
#[derive(Debug, Default)]
pub struct RepeatableRandom(AtomicU64);

impl Random for RepeatableRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = count.to_le_bytes()[index % 8];
        }
    }
}
