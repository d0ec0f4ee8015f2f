//! How often strangers may make this server ask one host, so that nobody floods a third party through it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enroll_oauth_types::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::address::site;
use crate::{FetchError, Limits};

/// Of so many hosts the count is kept. With more in one minute all are forgotten: to refuse the next one would let a
/// flood of names shut out everybody else.
const MOST: usize = 16_384;

/// What has been used of the limits, by the fetches of one kind of document.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    under_way: Mutex<HashMap<String, u32>>,
    hosts: Minute<String>,
    addresses: Minute<IpAddr>,
    per_host_at_once: u32,
}

/// Leave to fetch from a host, until it is dropped.
#[derive(Debug)]
pub(crate) struct Leave {
    budget: Arc<Budget>,
    host: String,
    _all: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(limits.at_once.min(Semaphore::MAX_PERMITS))),
            under_way: Mutex::default(),
            hosts: Minute::new(limits.per_host_per_minute),
            addresses: Minute::new(limits.per_address_per_minute),
            per_host_at_once: limits.per_host_at_once,
        })
    }

    /// Counts a fetch from the host. A caller does not wait for its turn: who waits holds a connection of ours open.
    pub(crate) fn host(self: &Arc<Self>, host: &str, now: Timestamp) -> Result<Leave, FetchError> {
        let all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| FetchError::Busy)?;
        let mut under_way = lock(&self.under_way);
        if under_way.get(host).is_some_and(|count| *count >= self.per_host_at_once) {
            return Err(FetchError::Busy);
        }
        self.hosts.spend(host.to_owned(), now)?;
        *under_way.entry(host.to_owned()).or_default() += 1;
        Ok(Leave { budget: Arc::clone(self), host: host.to_owned(), _all: all })
    }

    /// Counts a fetch from the address, by whatever name.
    pub(crate) fn address(&self, address: IpAddr, now: Timestamp) -> Result<(), FetchError> {
        self.addresses.spend(site(address), now)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let mut under_way = lock(&self.budget.under_way);
        if let Some(count) = under_way.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.host);
            }
        }
    }
}

/// What was spent in the minute that it is.
#[derive(Debug)]
struct Minute<K> {
    limit: u32,
    spent: Mutex<(u64, HashMap<K, u32>)>,
}

impl<K: Eq + Hash> Minute<K> {
    fn new(limit: u32) -> Self {
        Self { limit, spent: Mutex::default() }
    }

    fn spend(&self, key: K, now: Timestamp) -> Result<(), FetchError> {
        let mut spent = lock(&self.spent);
        let minute = now.seconds() / 60;
        if spent.0 != minute || spent.1.len() >= MOST {
            *spent = (minute, HashMap::new());
        }
        let count = spent.1.entry(key).or_default();
        if *count >= self.limit {
            return Err(FetchError::Budget { retry_after: 60 - now.seconds() % 60 });
        }
        *count += 1;
        Ok(())
    }
}

/// A thread that panicked with the lock left numbers that are still numbers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<Budget> {
        Budget::new(&Limits {
            at_once: 3,
            per_host_at_once: 2,
            per_host_per_minute: 4,
            per_address_per_minute: 1,
            ..Limits::default()
        })
    }

    #[test]
    fn a_host_is_asked_so_often_in_a_minute() {
        let budget = budget();
        for _ in 0..4 {
            budget.host("a.example", Timestamp(90)).unwrap();
        }
        let refused = budget.host("a.example", Timestamp(90)).unwrap_err();
        assert_eq!(refused, FetchError::Budget { retry_after: 30 });
        assert!(budget.host("b.example", Timestamp(90)).is_ok(), "another host has its own");
        assert!(budget.host("a.example", Timestamp(120)).is_ok(), "the next minute is another");
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let budget = budget();
        let first = budget.host("a.example", Timestamp(0)).unwrap();
        let _second = budget.host("a.example", Timestamp(0)).unwrap();
        assert_eq!(budget.host("a.example", Timestamp(0)).unwrap_err(), FetchError::Busy);
        let _third = budget.host("b.example", Timestamp(0)).unwrap();
        assert_eq!(budget.host("c.example", Timestamp(0)).unwrap_err(), FetchError::Busy);
        drop(first);
        assert!(budget.host("a.example", Timestamp(0)).is_ok());
    }

    #[test]
    fn an_address_is_counted_whatever_its_names() {
        let budget = budget();
        let address = "2600::1".parse().unwrap();
        assert!(budget.address(address, Timestamp(0)).is_ok());
        assert!(budget.address(address, Timestamp(59)).is_err());
        assert!(budget.address(address, Timestamp(60)).is_ok());
    }

    #[test]
    fn the_count_does_not_grow_without_end() {
        let minute = Minute::new(1);
        for key in 0..3 * MOST {
            assert!(minute.spend(key, Timestamp(0)).is_ok());
        }
        assert!(lock(&minute.spent).1.len() <= MOST);
    }
}
