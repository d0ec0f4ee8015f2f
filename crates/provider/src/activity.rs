//! When each client was used last, in rough terms, so that those that nobody uses can be told apart.
//!
//! A use is noted in memory, which takes no time, and written down in the background, many at once. Of one client that is
//! once an hour, so that a busy one costs no more than others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enroll_access::Retention;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, RecordStore, StoreError, Write};
use serde_json::value::RawValue;

/// How many clients are remembered at the most, of those that were used lately and of those that wait to be written.
const MOST: usize = 100_000;

/// How many are written at once.
const AT_ONCE: usize = 100;

/// What is known of the uses of clients.
pub struct Activity {
    records: Arc<dyn RecordStore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Uses that are written down nowhere yet.
    unwritten: HashMap<ClientId, Timestamp>,
    /// The last ones that are.
    written: HashMap<ClientId, Timestamp>,
}

impl Activity {
    /// What these records know of it.
    pub fn new(records: Arc<dyn RecordStore>) -> Self {
        Self { records, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one call, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client is used. Of one that has no row nothing is kept: whoever floods would have it written.
    pub(crate) fn note_use(&self, client: &Client, now: Timestamp) {
        if !client.is_sealed() {
            self.note(&client.id, now);
        }
    }

    /// The client of this identifier is used.
    pub fn note(&self, client: &ClientId, now: Timestamp) {
        let mut state = self.state();
        let is_known = state.written.get(client).is_some_and(|last| now < *last + Retention::NOTED_EVERY);
        // When nothing can be written for long, there is an end to what waits.
        if !is_known && (state.unwritten.len() < MOST || state.unwritten.contains_key(client)) {
            state.unwritten.insert(client.clone(), now);
        }
    }

    /// Writes down what was noted since the last time, and says of how many clients.
    pub async fn write_down(&self) -> Result<usize, StoreError> {
        let noted: Vec<_> = self.state().unwritten.iter().map(|(id, at)| (id.clone(), *at)).collect();
        for some in noted.chunks(AT_ONCE) {
            let (mut writes, mut known) = (Vec::with_capacity(some.len()), Vec::with_capacity(some.len()));
            for (client, at) in some {
                let (write, written) = self.write(client, *at).await?;
                writes.extend(write);
                known.push((client, *at, written));
            }
            self.apply(writes).await?;
            let mut state = self.state();
            for (client, at, written) in known {
                state.is_written(client, at, written);
            }
        }
        Ok(noted.len())
    }

    /// What is to be written of a use, if it is not known already, and the use that is known then.
    async fn write(
        &self,
        client: &ClientId,
        at: Timestamp,
    ) -> Result<(Option<Write>, Timestamp), StoreError> {
        let stored = self.records.record(RecordKind::ClientActivity, &place(client)).await?;
        Ok(match stored {
            None => {
                let belongs_to = Belongs { client: Some(client.clone()), ..Belongs::default() };
                (Some(Write::Insert(record(place(client), belongs_to, at))), at)
            }
            Some(own) if at < own.issued_at + Retention::NOTED_EVERY => (None, own.issued_at),
            Some(own) => (Some(Write::Replace(Record { issued_at: at, ..own })), at),
        })
    }

    /// All at once; or, where another node was quicker with one of them, each alone.
    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        match self.records.apply(writes.clone()).await {
            Err(StoreError::Conflict | StoreError::Duplicate) => {}
            outcome => return outcome,
        }
        for write in writes {
            match self.records.apply(vec![write]).await {
                Ok(()) | Err(StoreError::Conflict | StoreError::Duplicate) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The last use of a client, which may be up to [`Retention::NOTED_EVERY`] before the real one.
    pub async fn last_use(&self, client: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        let stored = self.records.record(RecordKind::ClientActivity, &place(client)).await?;
        let unwritten = self.state().unwritten.get(client).copied();
        Ok(stored.map(|record| record.issued_at).max(unwritten))
    }

    /// Since when uses are noted; `None` when nobody has begun.
    pub async fn since(&self) -> Result<Option<Timestamp>, StoreError> {
        let record = self.records.record(RecordKind::ClientActivity, &beginning()).await?;
        Ok(record.map(|record| record.issued_at))
    }

    /// Uses are noted from now on, or have been for longer.
    pub async fn begin(&self, now: Timestamp) -> Result<(), StoreError> {
        let first = Write::Insert(record(beginning(), Belongs::default(), now));
        match self.records.apply(vec![first]).await {
            Err(StoreError::Duplicate) => Ok(()),
            outcome => outcome,
        }
    }
}

impl State {
    /// Of a use at this time it is written that there was one at that time.
    fn is_written(&mut self, client: &ClientId, at: Timestamp, written: Timestamp) {
        if self.unwritten.get(client) == Some(&at) {
            self.unwritten.remove(client);
        }
        if self.written.len() >= MOST {
            // Those that are still used are read once more.
            self.written.clear();
        }
        self.written.insert(client.clone(), written);
    }
}

fn place(client: &ClientId) -> SecretHash {
    SecretHash::of(&format!("client {client}"))
}

/// Where it is said since when uses are noted.
fn beginning() -> SecretHash {
    SecretHash::of("beginning")
}

fn record(key: SecretHash, belongs_to: Belongs, at: Timestamp) -> Record {
    let kind = RecordKind::ClientActivity;
    let document = RawValue::NULL.to_owned();
    Record { kind, key, revision: 1, belongs_to, issued_at: at, expires_at: None, document }
}

#[cfg(test)]
mod tests {
    use enroll_store::MemoryRecords;

    use super::*;

    fn id() -> ClientId {
        ClientId::from("client")
    }

    async fn stored(records: &MemoryRecords) -> Vec<(u64, u64)> {
        let belongs_to = Belongs { client: Some(id()), ..Belongs::default() };
        let records = records.records(RecordKind::ClientActivity, &belongs_to, None, 9).await.unwrap();
        records.iter().map(|record| (record.issued_at.seconds(), record.revision)).collect()
    }

    #[tokio::test]
    async fn a_use_is_known_at_once_and_written_down_once_an_hour() {
        let records = Arc::new(MemoryRecords::default());
        let activity = Activity::new(records.clone());
        assert_eq!(activity.last_use(&id()).await.unwrap(), None);
        activity.note(&id(), Timestamp(100));
        assert_eq!(activity.last_use(&id()).await.unwrap(), Some(Timestamp(100)));
        assert_eq!(stored(&records).await, []);
        assert_eq!(activity.write_down().await.unwrap(), 1);
        assert_eq!(activity.write_down().await.unwrap(), 0);
        for (second, expected) in
            [(101, (100, 1)), (3_699, (100, 1)), (3_700, (3_700, 2)), (9_000, (9_000, 3))]
        {
            activity.note(&id(), Timestamp(second));
            activity.write_down().await.unwrap();
            assert_eq!(stored(&records).await, [expected]);
        }
    }

    /// Each node has its own memory, and they share what is written.
    #[tokio::test]
    async fn what_another_node_wrote_is_not_written_again() {
        let records = Arc::new(MemoryRecords::default());
        let (one, other) = (Activity::new(records.clone()), Activity::new(records.clone()));
        one.note(&id(), Timestamp(100));
        one.write_down().await.unwrap();
        other.note(&id(), Timestamp(200));
        other.write_down().await.unwrap();
        assert_eq!(stored(&records).await, [(100, 1)]);
        other.note(&id(), Timestamp(3_700));
        other.write_down().await.unwrap();
        assert_eq!(
            stored(&records).await,
            [(3_700, 2)],
            "an hour after what is written, not after what is known"
        );
        one.note(&id(), Timestamp(9_000));
        other.note(&id(), Timestamp(9_001));
        let (first, second) = tokio::join!(one.write_down(), other.write_down());
        first.and(second).unwrap();
        assert_eq!(stored(&records).await.len(), 1);
        assert!(one.last_use(&id()).await.unwrap() >= Some(Timestamp(9_000)));
    }

    #[tokio::test]
    async fn many_clients_are_written_a_part_at_a_time_and_memory_has_an_end() {
        let records = Arc::new(MemoryRecords::default());
        let activity = Activity::new(records.clone());
        for number in 0..=MOST {
            activity.note(&ClientId::from(number.to_string().as_str()), Timestamp(100));
        }
        assert_eq!(activity.state().unwritten.len(), MOST);
        activity.state().unwritten.retain(|client, _| client.as_str().len() <= 3);
        assert_eq!(activity.write_down().await.unwrap(), 1000);
        let all = records.records(RecordKind::ClientActivity, &Belongs::default(), None, u32::MAX).await;
        assert_eq!(all.unwrap().len(), 1000);
    }

    #[tokio::test]
    async fn the_beginning_is_the_first_one() {
        let activity = Activity::new(Arc::new(MemoryRecords::default()));
        assert_eq!(activity.since().await.unwrap(), None);
        for second in [5, 9] {
            activity.begin(Timestamp(second)).await.unwrap();
            assert_eq!(activity.since().await.unwrap(), Some(Timestamp(5)));
        }
        assert_eq!(activity.last_use(&ClientId::from("beginning")).await.unwrap(), None);
    }
}
