//! For how long a client is kept that nobody uses.

use std::time::Duration;

use enroll_oauth_types::{Seconds, Timestamp};
use enroll_store::Client;

use crate::Credential;

/// How long clients are kept, as their policy says; by default for ever.
///
/// Clients of the operator are kept, and disabled ones, since an operator looked at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long one is kept that was never used.
    pub unused_after: Option<Seconds>,
    /// How long one is kept that is used no more.
    pub idle_after: Option<Seconds>,
    /// How long one is kept at all.
    pub lifetime: Option<Seconds>,
}

/// What is known of how a client was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Since when uses are noted; `None` is not yet. What was before is not known, so nothing is concluded from it.
    pub noted_since: Option<Timestamp>,
    /// The last use that was noted.
    pub last: Option<Timestamp>,
    /// Whether something that was given to it still works.
    pub holds_something: bool,
}

/// Why a client is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was never used.
    Unused,
    /// It is used no more.
    Idle,
    /// Its time is over.
    Lifetime,
}

impl Reason {
    /// One word, for logs and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
        }
    }
}

impl Retention {
    /// A use is noted again only after this long, so a client may have been used so much later than is known.
    pub const NOTED_EVERY: Duration = Duration::from_hours(1);

    /// Whether nothing ever ends.
    pub fn is_for_ever(&self) -> bool {
        *self == Self::default()
    }

    /// The shortest time that it says anything of; `None` where nothing ever ends.
    pub fn shortest(&self) -> Option<Duration> {
        let all = [self.unused_after, self.idle_after, self.lifetime].into_iter().flatten();
        all.map(|length| Duration::from_secs(length.get().into())).min()
    }

    /// Why the client is not to be kept at `now`; `None` when it is.
    pub fn reason(&self, client: &Client, usage: &Usage, now: Timestamp) -> Option<Reason> {
        if !client.enabled || client.registered_by.kind == Credential::Operator.as_str() {
            return None;
        }
        let is_over = |since: Timestamp, most: Option<Seconds>| {
            most.is_some_and(|most| since + Duration::from_secs(most.get().into()) <= now)
        };
        if is_over(client.issued_at, self.lifetime) {
            return Some(Reason::Lifetime);
        }
        if usage.holds_something {
            return None;
        }
        // Whoever changed it had a use for it.
        let present = client.issued_at.max(client.updated_at);
        if let Some(last) = usage.last {
            let since = present.max(last + Self::NOTED_EVERY);
            return is_over(since, self.idle_after).then_some(Reason::Idle);
        }
        let since = present.max(usage.noted_since?);
        if is_over(since, self.unused_after) {
            return Some(Reason::Unused);
        }
        is_over(since, self.idle_after).then_some(Reason::Idle)
    }
}

#[cfg(test)]
mod tests {
    use enroll_store::RegisteredBy;

    use super::*;

    fn client() -> Client {
        Client::new("client".into(), Timestamp(1_000), RegisteredBy::kind("anonymous"))
    }

    const NEVER: Usage = Usage { noted_since: Some(Timestamp(0)), last: None, holds_something: false };

    fn used(at: u64) -> Usage {
        Usage { last: Some(Timestamp(at)), ..NEVER }
    }

    fn all(seconds: u32) -> Retention {
        let seconds = Seconds::new(seconds);
        Retention { unused_after: seconds, idle_after: seconds, lifetime: seconds }
    }

    fn unused() -> Retention {
        Retention { unused_after: Seconds::new(60), ..Retention::default() }
    }

    fn idle() -> Retention {
        Retention { idle_after: Seconds::new(60), ..Retention::default() }
    }

    #[track_caller]
    fn over_from(retention: Retention, client: &Client, usage: &Usage, second: u64, reason: Reason) {
        assert_eq!(retention.reason(client, usage, Timestamp(second - 1)), None);
        assert_eq!(retention.reason(client, usage, Timestamp(second)), Some(reason));
        assert_eq!(retention.reason(client, usage, Timestamp(u64::MAX)), Some(reason));
    }

    #[test]
    fn a_client_that_was_never_used_goes_at_its_second() {
        over_from(unused(), &client(), &NEVER, 1_060, Reason::Unused);
        over_from(idle(), &client(), &NEVER, 1_060, Reason::Idle);
        let both = Retention { idle_after: Seconds::new(30), ..unused() };
        assert_eq!(both.reason(&client(), &NEVER, Timestamp(1_029)), None);
        assert_eq!(both.reason(&client(), &NEVER, Timestamp(1_030)), Some(Reason::Idle), "the shorter one");
    }

    #[test]
    fn a_client_that_was_used_stays_until_it_is_idle() {
        assert_eq!(unused().reason(&client(), &used(1_001), Timestamp(u64::MAX)), None);
        // Noted at 5000, it may have been used once more until an hour later.
        over_from(idle(), &client(), &used(5_000), 5_000 + 3_600 + 60, Reason::Idle);
    }

    #[test]
    fn who_changed_it_had_a_use_for_it() {
        let changed = Client { updated_at: Timestamp(9_000), ..client() };
        over_from(unused(), &changed, &NEVER, 9_060, Reason::Unused);
        over_from(idle(), &changed, &used(2_000), 9_060, Reason::Idle);
    }

    #[test]
    fn nothing_is_concluded_from_the_time_before_uses_were_noted() {
        let nobody_notes = Usage::default();
        for retention in [unused(), idle()] {
            assert_eq!(retention.reason(&client(), &nobody_notes, Timestamp(u64::MAX)), None);
        }
        let late = Usage { noted_since: Some(Timestamp(7_000)), ..NEVER };
        over_from(unused(), &client(), &late, 7_060, Reason::Unused);
    }

    #[test]
    fn a_lifetime_ends_whatever_it_is_used_for() {
        let lifetime = Retention { lifetime: Seconds::new(60), ..Retention::default() };
        let busy = Usage { holds_something: true, ..used(1_059) };
        over_from(lifetime, &client(), &busy, 1_060, Reason::Lifetime);
        over_from(lifetime, &client(), &Usage::default(), 1_060, Reason::Lifetime);
    }

    #[test]
    fn what_was_given_to_it_keeps_it() {
        for usage in [NEVER, used(1_000)] {
            let usage = Usage { holds_something: true, ..usage };
            for retention in [unused(), idle()] {
                assert_eq!(retention.reason(&client(), &usage, Timestamp(u64::MAX)), None);
            }
        }
    }

    #[test]
    fn what_an_operator_made_or_disabled_is_never_touched() {
        let mut made = client();
        made.registered_by.kind = "operator".to_owned();
        let disabled = Client { enabled: false, ..client() };
        for client in [made, disabled] {
            assert_eq!(all(1).reason(&client, &NEVER, Timestamp(u64::MAX)), None);
        }
    }

    #[test]
    fn by_default_everything_is_kept() {
        assert!(Retention::default().is_for_ever() && !all(1).is_for_ever());
        assert_eq!(Retention::default().reason(&client(), &NEVER, Timestamp(u64::MAX)), None);
    }
}
