//! How often somebody may try a password. Wrong ones cost; right ones do not; nobody is ever locked out: whoever has to wait
//! is told for how long, and a browser in which the owner has logged in before does not wait for strangers. OWASP
//! Authentication Cheat Sheet, "device cookies".
//!
//! Somebody who guesses at one account gets, from all the world together, some 8,700 tries a day; from one place 1,445.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use enroll_oauth_types::Timestamp;

/// So many tries at once, and then one more each so many seconds.
#[derive(Clone, Copy, Debug)]
struct Pace {
    at_once: u64,
    seconds: u64,
}

/// Of one account, by anybody.
const ACCOUNT: Pace = Pace { at_once: 50, seconds: 10 };
/// Of one account, from one place.
const ACCOUNT_FROM_SOURCE: Pace = Pace { at_once: 5, seconds: 60 };
/// Of any account, from one place.
const SOURCE: Pace = Pace { at_once: 50, seconds: 5 };
/// Of one account, in a browser in which its owner has logged in before.
const DEVICE: Pace = Pace { at_once: 10, seconds: 60 };

/// How much is remembered at the most.
const MOST: usize = 100_000;

/// Counts tries, in this process alone: with several nodes, each gives as many.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    hasher: RandomState,
    /// When each count is back at nothing, in seconds.
    full_at: Mutex<HashMap<u64, u64>>,
}

/// Who tries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// Somebody somewhere.
    Stranger(IpAddr),
    /// A browser that the owner of the account has used, by its token.
    Device(&'a str),
}

/// A try that was counted: it can be given back.
#[derive(Debug)]
pub(super) struct Counted(Vec<(u64, Pace)>);

impl Throttle {
    /// Counts a try, or says how long to wait.
    pub(super) fn count(&self, account: &str, who: Who<'_>, now: Timestamp) -> Result<Counted, Duration> {
        let counts = self.counts(account, who);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.seconds();
        let waits = counts.iter().map(|(key, pace)| {
            let ahead = full_at.get(key).copied().unwrap_or_default().saturating_sub(now);
            ahead.saturating_sub((pace.at_once - 1) * pace.seconds)
        });
        match waits.max().unwrap_or_default() {
            0 => {}
            wait => return Err(Duration::from_secs(wait)),
        }
        make_room(&mut full_at, now);
        for (key, pace) in &counts {
            let full = full_at.entry(*key).or_default();
            *full = (*full).max(now) + pace.seconds;
        }
        Ok(Counted(counts))
    }

    /// Takes a try back: the password was right.
    pub(super) fn forgive(&self, counted: Counted) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, pace) in counted.0 {
            if let Some(full) = full_at.get_mut(&key) {
                *full = full.saturating_sub(pace.seconds);
            }
        }
    }

    fn counts(&self, account: &str, who: Who<'_>) -> Vec<(u64, Pace)> {
        match who {
            Who::Device(token) => vec![(self.hasher.hash_one(("device", account, token)), DEVICE)],
            Who::Stranger(source) => {
                let source = network(source);
                vec![
                    (self.hasher.hash_one(("account", account)), ACCOUNT),
                    (self.hasher.hash_one(("account from source", account, source)), ACCOUNT_FROM_SOURCE),
                    (self.hasher.hash_one(("source", source)), SOURCE),
                ]
            }
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

    #[test]
    fn the_whole_world_waits_ten_seconds_and_the_owners_browser_does_not() {
        let throttle = Throttle::default();
        let mut tries = 0;
        for host in 0..=255_u8 {
            let who = Who::Stranger([198, 51, 100, host].into());
            tries += (0..5).take_while(|_| throttle.count("alice", who, START).is_ok()).count();
        }
        assert_eq!(tries, 50);
        let wait = throttle.count("alice", at("203.0.113.1"), START).unwrap_err();
        assert_eq!(wait.as_secs(), 10);
        assert!(
            throttle.count("alice", at("203.0.113.1"), START + wait).is_ok(),
            "there is always another try"
        );
        assert_eq!(until_wait(&throttle, "alice", Who::Device("token"), START), (10, 60));
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
