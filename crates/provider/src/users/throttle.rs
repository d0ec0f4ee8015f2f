//! How often somebody may try a password. Wrong ones cost; right ones do not; nobody is ever locked out: whoever has to wait
//! is told for how long, and a browser in which the owner has logged in before does not wait for strangers. OWASP
//! Authentication Cheat Sheet, "device cookies".
//!
//! When the whole world tries one account, a place that has hardly tried it lately still gets its turn: newcomers have a
//! share of their own, for which those who are guessing no longer qualify.
//!
//! Somebody who guesses at one account gets some 5,800 tries a day from all the world together, for half of which it takes
//! a thousand places; from one place it is 1,445.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enroll_oauth_types::Timestamp;

/// So many tries at once, and then one more each so many seconds.
#[derive(Clone, Copy, Debug)]
struct Pace {
    at_once: u64,
    seconds: u64,
}

/// Of one account, by anybody.
const ACCOUNT: Pace = Pace { at_once: 20, seconds: 30 };
/// Of one account, by newcomers, when the others have used up their share.
const NEWCOMERS: Pace = Pace { at_once: 5, seconds: 30 };
/// What makes a newcomer: not to have tried one account from one place more often than this.
const NEWCOMER: Pace = Pace { at_once: 2, seconds: 12 * 60 * 60 };
/// Of one account, from one place.
const ACCOUNT_FROM_SOURCE: Pace = Pace { at_once: 5, seconds: 60 };
/// Of any account, from one place. Whoever floods uses it up for all who share that place: only devices are apart from it.
const SOURCE: Pace = Pace { at_once: 50, seconds: 5 };
/// Of one account, in a browser in which its owner has logged in before.
const DEVICE: Pace = Pace { at_once: 10, seconds: 60 };
/// Of one account, in all such browsers together: somebody who knew the password once may have collected them.
const DEVICES: Pace = Pace { at_once: 50, seconds: 20 };

/// How much is remembered at the most, of what is over in minutes, and of what takes a day.
const MOST: usize = 100_000;

/// Counts tries, in this process alone: with several nodes, each gives as many.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    hasher: RandomState,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    minutes: Buckets,
    /// Apart, so that a flood of newcomers makes nobody forget who has to wait.
    days: Buckets,
}

/// Who tries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// Somebody somewhere.
    Stranger(IpAddr),
    /// A browser that the owner of the account has used, by its token.
    Device(&'a str),
}

/// One count of those that a try takes part in.
type Count = (u64, Pace);

/// A try that was counted: it can be given back.
#[derive(Debug)]
pub(super) struct Counted {
    minutes: Vec<Count>,
    days: Option<Count>,
}

impl Throttle {
    /// Counts a try, or says how long to wait; a try that has to wait is not counted.
    pub(super) fn count(&self, account: &str, who: Who<'_>, now: Timestamp) -> Result<Counted, Duration> {
        let now = now.seconds();
        let mut counts = self.counts();
        let counted = match who {
            Who::Device(token) => counts.of_a_device(
                (self.hasher.hash_one(("device", account, token)), DEVICE),
                (self.hasher.hash_one(("devices", account)), DEVICES),
                now,
            ),
            Who::Stranger(source) => {
                let source = network(source);
                let own = vec![
                    (self.hasher.hash_one(("account from source", account, source)), ACCOUNT_FROM_SOURCE),
                    (self.hasher.hash_one(("source", source)), SOURCE),
                ];
                let newcomer = (self.hasher.hash_one(("newcomer", account, source)), NEWCOMER);
                let anybody = (self.hasher.hash_one(("account", account)), ACCOUNT);
                let newcomers = (self.hasher.hash_one(("newcomers", account)), NEWCOMERS);
                counts.of_a_stranger(own, newcomer, anybody, newcomers, now)
            }
        }?;
        counted.minutes.iter().for_each(|count| counts.minutes.take(*count, now));
        counted.days.iter().for_each(|count| counts.days.take(*count, now));
        Ok(counted)
    }

    /// Takes a try back: the password was right.
    pub(super) fn forgive(&self, counted: Counted) {
        let mut counts = self.counts();
        counted.minutes.into_iter().for_each(|count| counts.minutes.give_back(count));
        counted.days.into_iter().for_each(|count| counts.days.give_back(count));
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn of_a_device(&self, device: Count, devices: Count, now: u64) -> Result<Counted, Duration> {
        match self.minutes.wait(device, now).max(self.minutes.wait(devices, now)) {
            0 => Ok(Counted { minutes: vec![device, devices], days: None }),
            wait => Err(Duration::from_secs(wait)),
        }
    }

    fn of_a_stranger(
        &self,
        mut own: Vec<Count>,
        newcomer: Count,
        anybody: Count,
        newcomers: Count,
        now: u64,
    ) -> Result<Counted, Duration> {
        let own_wait = own.iter().map(|count| self.minutes.wait(*count, now)).max().unwrap_or_default();
        let is_newcomer = self.days.wait(newcomer, now) == 0;
        let as_anybody = self.minutes.wait(anybody, now);
        let as_newcomer = if is_newcomer { self.minutes.wait(newcomers, now) } else { u64::MAX };
        match own_wait.max(as_anybody.min(as_newcomer)) {
            0 => {}
            wait => return Err(Duration::from_secs(wait)),
        }
        own.push(if as_anybody == 0 { anybody } else { newcomers });
        Ok(Counted { minutes: own, days: is_newcomer.then_some(newcomer) })
    }
}

/// When each count is back at nothing, in seconds.
#[derive(Debug, Default)]
struct Buckets(HashMap<u64, u64>);

impl Buckets {
    /// When it is back at nothing, or now. Further ahead than by all the tries that there are at once it is only when the clock
    /// was put back since, and nobody waits for that.
    fn full_at(&self, (key, pace): Count, now: u64) -> u64 {
        let full = self.0.get(&key).filter(|full| **full <= now + pace.at_once * pace.seconds);
        full.map_or(now, |full| now.max(*full))
    }

    /// How many seconds to wait for one more.
    fn wait(&self, count @ (_, pace): Count, now: u64) -> u64 {
        (self.full_at(count, now) - now).saturating_sub((pace.at_once - 1) * pace.seconds)
    }

    fn take(&mut self, count @ (key, pace): Count, now: u64) {
        make_room(&mut self.0, now);
        let full = self.full_at(count, now) + pace.seconds;
        self.0.insert(key, full);
    }

    fn give_back(&mut self, (key, pace): Count) {
        if let Some(full) = self.0.get_mut(&key) {
            *full = full.saturating_sub(pace.seconds);
        }
    }
}

/// An IPv6 subscriber has a network of 64 bits at least.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// What is back at nothing is forgotten; when all is recent, so is the half that will be first.
fn make_room(full_at: &mut HashMap<u64, u64>, now: u64) {
    if full_at.len() < MOST {
        return;
    }
    full_at.retain(|_, full| *full > now);
    if full_at.len() >= MOST {
        let mut all: Vec<u64> = full_at.values().copied().collect();
        let (_, median, _) = all.select_nth_unstable(MOST / 2);
        let median = *median;
        full_at.retain(|_, full| *full > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Who<'static> {
        Who::Stranger(address.parse().unwrap())
    }

    const START: Timestamp = Timestamp(1_000);

    /// How many tries at once it takes until somebody has to wait, and how long then.
    fn until_wait(throttle: &Throttle, account: &str, who: Who<'_>, now: Timestamp) -> (usize, u64) {
        for tries in 0.. {
            if let Err(wait) = throttle.count(account, who, now) {
                return (tries, wait.as_secs());
            }
        }
        unreachable!("somebody has to wait in the end")
    }

    #[test]
    fn one_place_tries_five_times_and_then_once_a_minute() {
        let throttle = Throttle::default();
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START), (5, 60));
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START + Duration::from_secs(59)), (0, 1));
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START + Duration::from_mins(1)), (1, 60));
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.2"), START), (5, 60), "from another place");
        assert_eq!(until_wait(&throttle, "bob", at("192.0.2.1"), START), (5, 60), "another account");
    }

    #[test]
    fn a_network_of_64_bits_is_one_place_and_a_mapped_address_is_the_other() {
        let throttle = Throttle::default();
        until_wait(&throttle, "alice", at("2001:db8::1"), START);
        assert_eq!(until_wait(&throttle, "alice", at("2001:db8::ffff:1"), START).0, 0);
        assert_eq!(until_wait(&throttle, "alice", at("2001:db8:0:1::1"), START).0, 5);
        until_wait(&throttle, "alice", at("192.0.2.1"), START);
        assert_eq!(until_wait(&throttle, "alice", at("::ffff:192.0.2.1"), START).0, 0);
    }

    /// A botnet: these places try an account as often as each can, and how many tries that was.
    fn flood(throttle: &Throttle, places: std::ops::RangeInclusive<u8>, now: Timestamp) -> usize {
        let places = places.map(|host| Who::Stranger([198, 51, 100, host].into()));
        places.map(|who| until_wait(throttle, "alice", who, now).0).sum()
    }

    #[test]
    fn the_whole_world_waits_half_a_minute_and_the_owners_browser_does_not() {
        let throttle = Throttle::default();
        assert_eq!(flood(&throttle, 0..=255, START), 20 + 5);
        let wait = throttle.count("alice", at("203.0.113.1"), START).unwrap_err();
        assert_eq!(wait.as_secs(), 30);
        assert!(throttle.count("alice", at("203.0.113.1"), START + wait).is_ok(), "there is another try");
        assert_eq!(until_wait(&throttle, "alice", Who::Device("token"), START), (10, 60));
    }

    #[test]
    fn whoever_is_new_has_a_turn_while_others_keep_on_guessing() {
        let throttle = Throttle::default();
        for minute in 0..60 {
            flood(&throttle, 1..=20, START + Duration::from_mins(minute));
        }
        let now = START + Duration::from_mins(59);
        assert!(throttle.count("alice", at("198.51.100.1"), now).is_err());
        for _ in 0..2 {
            throttle.count("alice", at("203.0.113.1"), now).unwrap();
        }
        assert!(throttle.count("alice", at("203.0.113.1"), now).is_err(), "no longer new");
    }

    #[test]
    fn a_day_of_guessing_is_as_short_as_promised() {
        let throttle = Throttle::default();
        let botnet: Vec<_> = (1..=30).map(|host| Who::Stranger([198, 51, 100, host].into())).collect();
        let (mut everywhere, mut one_place) = (0, 0);
        for half_minute in 0..24 * 60 * 2 {
            let now = START + Duration::from_secs(half_minute * 30);
            everywhere += botnet.iter().filter(|who| throttle.count("alice", **who, now).is_ok()).count();
            let tries = std::iter::repeat_with(|| throttle.count("bob", at("192.0.2.1"), now));
            one_place += tries.take_while(Result::is_ok).count();
        }
        assert!((2_880..3_000).contains(&everywhere), "{everywhere}");
        assert!((1_440..=1_445).contains(&one_place), "{one_place}");
    }

    #[test]
    fn browsers_that_somebody_collected_wait_for_each_other() {
        let throttle = Throttle::default();
        let tokens: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        let tries = tokens.iter().filter(|token| throttle.count("alice", Who::Device(token), START).is_ok());
        assert_eq!(tries.count(), 50);
        assert_eq!(throttle.count("alice", Who::Device("another"), START).unwrap_err().as_secs(), 20);
    }

    #[test]
    fn one_place_cannot_go_through_all_accounts() {
        let throttle = Throttle::default();
        let tries = (0..1000).take_while(|n| throttle.count(&n.to_string(), at("192.0.2.1"), START).is_ok());
        assert_eq!(tries.count(), 50);
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let counted = throttle.count("alice", at("192.0.2.1"), START).unwrap();
            throttle.forgive(counted);
        }
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START).0, 5);
    }

    #[test]
    fn a_clock_that_is_put_back_keeps_nobody_waiting_for_it() {
        let throttle = Throttle::default();
        let ahead = START + Duration::from_hours(24);
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), ahead), (5, 60));
        let counted = throttle.count("bob", at("192.0.2.2"), ahead).unwrap();
        throttle.forgive(counted);
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START), (5, 60));
        assert_eq!(until_wait(&throttle, "bob", at("192.0.2.2"), START), (5, 60));
        assert_eq!(until_wait(&throttle, "alice", at("192.0.2.1"), START + Duration::from_mins(1)), (1, 60));
    }

    #[test]
    fn a_flood_of_names_is_forgotten_rather_than_kept() {
        let flood = |end: fn(u64) -> u64| (0..MOST as u64).map(move |key| (key, end(key)));
        let mut recent: HashMap<u64, u64> = flood(|key| 11 + key).collect();
        make_room(&mut recent, 10);
        assert!((1..=MOST / 2).contains(&recent.len()), "{}", recent.len());
        let mut over: HashMap<u64, u64> = flood(|_| 10).collect();
        make_room(&mut over, 10);
        assert!(over.is_empty());
    }
}
