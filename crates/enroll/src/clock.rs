//! What time it is for whoever deletes what is over. What was deleted does not come back when a clock is set right, so one that
//! jumps ahead is not believed at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use enroll_oauth_types::{Clock, Timestamp};

/// How long a record is kept after it is over. The clocks of the nodes differ: what is over for the one that sweeps is not yet so
/// for all, and one of them would take a revoked token for a good one, if the record that says so were gone. As long as a clock
/// is wrong for less than that, nothing is swept for its sake either.
const GRACE: Duration = Duration::from_mins(10);

/// A clock that follows another, but goes no more than twice as fast as time does: it needs an hour to follow a jump of an hour
/// ahead. Backwards it follows at once.
pub(crate) struct CautiousClock {
    clock: Arc<dyn Clock>,
    /// What it said last that was what the other said, and when that was.
    agreed: Mutex<(Timestamp, Instant)>,
}

impl CautiousClock {
    /// One that believes what the other says now.
    pub(crate) fn following(clock: impl Clock) -> Self {
        let agreed = Mutex::new((clock.now(), Instant::now()));
        Self { clock: Arc::new(clock), agreed }
    }

    /// Up to when what is over may be swept.
    pub(crate) fn long_over(&self) -> Timestamp {
        Timestamp(self.now().seconds().saturating_sub(GRACE.as_secs()))
    }

    fn at(&self, instant: Instant) -> Timestamp {
        let said = self.clock.now();
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, since) = *agreed;
        let most = last + 2 * instant.saturating_duration_since(since);
        if said <= most {
            *agreed = (said, instant);
        }
        said.min(most)
    }
}

impl Clock for CautiousClock {
    fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Wall(Arc<AtomicU64>);

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::SeqCst))
        }
    }

    /// What it says after so many seconds, while the clock on the wall says each of these.
    fn said(steps: &[(u64, u64)]) -> Vec<u64> {
        let wall = Arc::new(AtomicU64::new(10_000));
        let clock = CautiousClock::following(Wall(wall.clone()));
        let begin = clock.agreed.lock().unwrap().1;
        let said = steps.iter().map(|(second, shown)| {
            wall.store(*shown, Ordering::SeqCst);
            clock.at(begin + Duration::from_secs(*second)).seconds()
        });
        said.collect()
    }

    #[test]
    fn a_clock_that_is_right_is_believed() {
        assert_eq!(
            said(&[(2, 10_002), (2, 10_002), (3, 10_003), (9_000, 19_000)]),
            [10_002, 10_002, 10_003, 19_000]
        );
    }

    #[test]
    fn one_that_jumps_ahead_is_believed_as_time_goes_by() {
        let day = 86_400;
        assert_eq!(said(&[(2, 10_002 + day), (602, 10_602 + day), (602, 10_602)]), [10_004, 11_204, 10_602]);
        assert_eq!(
            said(&[(1, 10_001 + day), (day + 1, 10_001 + 2 * day), (day + 2, 10_002 + 2 * day)]),
            [10_002, 10_001 + 2 * day, 10_002 + 2 * day]
        );
    }

    #[test]
    fn one_that_is_put_back_is_believed_at_once_and_then_ahead_as_any_other() {
        assert_eq!(said(&[(2, 5_000), (4, 10_004)]), [5_000, 5_004]);
    }

    #[test]
    fn what_is_over_is_swept_ten_minutes_later() {
        let clock = CautiousClock::following(Wall(Arc::new(AtomicU64::new(10_000))));
        assert_eq!(clock.long_over(), Timestamp(9_400));
    }
}
