//! Clients as they were read last, so that a document need not be read and parsed for every token.
//!
//! What is here proves nothing by itself: whoever takes a client from here asks the database whether its revision is still the
//! same. Only where several nodes share a database far away is a client taken to be as it was for a moment, and then only by
//! those who refuse nobody by it. Other nodes tell when they changed one, where the engine carries the word; the moment is
//! the longest that it can matter in any case.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use enroll_store::Client;
use moka::sync::Cache;

/// How much all of them may take, roughly, in bytes.
const MOST: u64 = 16 * 1024 * 1024;

/// How long a document is gone by, whatever its revision. A server that lost its last changes, by a failover or an older copy, counts
/// the same revisions once more.
const OLDEST: Duration = Duration::from_mins(5);

/// Those that were asked for lately or often, by [`client_key`](crate::client_key::client_key).
pub(crate) struct KnownClients {
    clients: Cache<String, Known>,
    moment: Duration,
    /// Counts what was forgotten: who began to read before may have read what is not so any more.
    forgotten: AtomicU64,
}

#[derive(Clone)]
struct Known {
    client: Arc<Client>,
    /// In bytes.
    weight: u32,
    /// When its document was read.
    read_at: Instant,
    /// When it was so for certain.
    as_of: Option<Instant>,
}

/// When somebody began to read from the database, and what had been forgotten by then.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    begun: Instant,
    forgotten: u64,
}

impl KnownClients {
    /// For how long a client is taken to be as it was read; with zero, for no time.
    pub(crate) fn new(moment: Duration) -> Self {
        let clients = Cache::builder().max_capacity(MOST).weigher(|_, known: &Known| known.weight).build();
        Self { clients, moment, forgotten: AtomicU64::new(0) }
    }

    /// The client as it was read last, perhaps long ago: whether it is still so, the database has to say.
    pub(crate) fn get(&self, key: &str, now: Instant) -> Option<Arc<Client>> {
        let known = self.clients.get(key)?;
        if now.saturating_duration_since(known.read_at) < OLDEST {
            return Some(known.client);
        }
        self.clients.invalidate(key);
        None
    }

    /// The client as it was a moment before `now` at the most. One that was disabled may be enabled by now.
    pub(crate) fn recent(&self, key: &str, now: Instant) -> Option<Arc<Client>> {
        let known = self.clients.get(key)?;
        let age = now.saturating_duration_since(known.as_of?);
        (age < self.moment && known.client.enabled).then_some(known.client)
    }

    /// To be called before the database is asked.
    pub(crate) fn look(&self, now: Instant) -> Look {
        Look { begun: now, forgotten: self.forgotten.load(Ordering::Acquire) }
    }

    /// Keeps a client that was read from a document of this length.
    pub(crate) fn keep(&self, key: &str, client: Arc<Client>, length: usize, look: Look) {
        // Its strings are a copy of the document's.
        let weight = u32::try_from(size_of::<Client>() + 2 * length).unwrap_or(u32::MAX);
        let known = Known { client, weight, read_at: look.begun, as_of: self.as_of(look) };
        self.clients.insert(key.to_owned(), known);
    }

    /// The database said that the client still has the revision that is known.
    pub(crate) fn confirm(&self, key: &str, look: Look) {
        if self.moment.is_zero() {
            return;
        }
        if let Some(known) = self.clients.get(key) {
            self.clients.insert(key.to_owned(), Known { as_of: self.as_of(look), ..known });
        }
    }

    fn as_of(&self, look: Look) -> Option<Instant> {
        (self.forgotten.load(Ordering::Acquire) == look.forgotten).then_some(look.begun)
    }

    /// The client changed, or is gone.
    pub(crate) fn forget(&self, key: &str) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.clients.invalidate(key);
    }

    /// Any of them may have changed.
    pub(crate) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.clients.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_secs(2);

    fn client(id: usize, revision: u64) -> Arc<Client> {
        let document = format!(
            r#"{{"client_id":"{id}","issued_at":1,"updated_at":1,"enabled":true,"metadata":{{}},"secrets":[],
                "registered_by":{{"kind":"operator"}}}}"#
        );
        Arc::new(Client::from_document(&document, revision).unwrap())
    }

    #[test]
    fn the_room_is_bounded() {
        let known = KnownClients::new(MOMENT);
        let look = known.look(Instant::now());
        for number in 0..1000 {
            known.keep(&number.to_string(), client(number, 1), 64 * 1024, look);
        }
        known.clients.run_pending_tasks();
        assert!((1..=128).contains(&known.clients.entry_count()), "{}", known.clients.entry_count());
        assert!(known.clients.weighted_size() <= MOST);
    }

    #[test]
    fn one_that_is_kept_again_is_the_later_one() {
        let known = KnownClients::new(Duration::ZERO);
        let look = known.look(Instant::now());
        known.keep("1", client(1, 1), 10, look);
        known.keep("1", client(1, 2), 10, look);
        assert_eq!(known.get("1", look.begun).unwrap().revision, 2);
        assert!(known.get("2", look.begun).is_none());
    }

    #[test]
    fn a_client_is_recent_until_the_moment_after_the_database_was_asked() {
        let (known, now) = (KnownClients::new(MOMENT), Instant::now());
        known.keep("1", client(1, 1), 10, known.look(now));
        let nearly = now + Duration::from_millis(1999);
        assert!(known.recent("1", nearly).is_some() && known.recent("1", now + MOMENT).is_none());
        known.confirm("1", known.look(nearly));
        assert!(known.recent("1", now + MOMENT).is_some());
        assert!(known.recent("1", nearly + MOMENT).is_none());
        assert!(known.get("1", nearly + MOMENT).is_some(), "what was read is worth asking about");
    }

    /// However often the database says that the revision is the same.
    #[test]
    fn a_document_is_read_again_after_a_while() {
        let (known, now) = (KnownClients::new(MOMENT), Instant::now());
        known.keep("1", client(1, 1), 10, known.look(now));
        let nearly = now + Duration::from_secs(299);
        known.confirm("1", known.look(nearly));
        assert!(known.get("1", nearly).is_some() && known.recent("1", now + OLDEST).is_some());
        assert!(known.get("1", now + OLDEST).is_none() && known.recent("1", now + OLDEST).is_none());
    }

    #[test]
    fn where_there_is_no_moment_nothing_is_recent() {
        let (known, now) = (KnownClients::new(Duration::ZERO), Instant::now());
        known.keep("1", client(1, 1), 10, known.look(now));
        assert!(known.recent("1", now).is_none() && known.get("1", now).is_some());
    }

    #[test]
    fn a_disabled_client_is_asked_about_each_time() {
        let (known, now) = (KnownClients::new(MOMENT), Instant::now());
        let disabled = Client { enabled: false, ..Client::clone(&client(1, 1)) };
        known.keep("1", Arc::new(disabled), 10, known.look(now));
        assert!(known.recent("1", now).is_none());
    }

    /// The word of a change overtakes an answer that was under way.
    #[test]
    fn what_was_read_before_a_change_was_told_is_not_recent() {
        let (known, now) = (KnownClients::new(MOMENT), Instant::now());
        for told in [|known: &KnownClients| known.forget("1"), |known: &KnownClients| known.forget_all()] {
            let look = known.look(now);
            told(&known);
            assert!(known.get("1", now).is_none());
            known.keep("1", client(1, 1), 10, look);
            assert!(known.recent("1", now).is_none());
            known.confirm("1", look);
            assert!(known.recent("1", now).is_none());
            known.confirm("1", known.look(now));
            assert!(known.recent("1", now).is_some());
        }
    }
}
