//! Records in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enroll_oauth_types::{SecretHash, Timestamp};

use crate::{Belongs, Record, RecordKind, RecordStore, StoreError, Write};

/// Records in memory, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<State>);

/// A kind and a key's bytes, in the order of pages.
type Place = (RecordKind, [u8; 32]);

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Place, Record>,
    /// What was in a place before the writes at hand, the last change last.
    undo: Vec<(Place, Option<Record>)>,
}

impl MemoryRecords {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole under one lock, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Insert(record) => {
                let place = place(record.kind, &record.key);
                if self.records.contains_key(&place) {
                    return Err(StoreError::Duplicate);
                }
                self.put(place, Some(Record { revision: 1, ..record }));
            }
            Write::Replace(record) => {
                let place = self.current(record.kind, &record.key, record.revision)?;
                let belongs_to = self.records[&place].belongs_to.clone();
                self.put(place, Some(Record { revision: record.revision + 1, belongs_to, ..record }));
            }
            Write::Remove { kind, key, revision: Some(revision) } => {
                let place = self.current(kind, &key, revision)?;
                self.put(place, None);
            }
            Write::Remove { kind, key, revision: None } => self.put(place(kind, &key), None),
            Write::RemoveAll { kinds, belongs_to } => {
                let theirs =
                    |record: &&Record| kinds.include(record.kind) && record.belongs_to.includes(&belongs_to);
                let places: Vec<_> =
                    self.records.values().filter(theirs).map(|own| place(own.kind, &own.key)).collect();
                for place in places {
                    self.put(place, None);
                }
            }
        }
        Ok(())
    }

    /// Where the record is, when it is there and has this revision.
    fn current(&self, kind: RecordKind, key: &SecretHash, revision: u64) -> Result<Place, StoreError> {
        let place = place(kind, key);
        let own = self.records.get(&place).filter(|own| own.revision == revision);
        own.map(|_| place).ok_or(StoreError::Conflict)
    }

    fn put(&mut self, place: Place, record: Option<Record>) {
        let before = match record {
            Some(record) => self.records.insert(place, record),
            None => self.records.remove(&place),
        };
        self.undo.push((place, before));
    }

    fn undo(&mut self) {
        for (place, before) in std::mem::take(&mut self.undo).into_iter().rev() {
            match before {
                Some(record) => self.records.insert(place, record),
                None => self.records.remove(&place),
            };
        }
    }
}

fn place(kind: RecordKind, key: &SecretHash) -> Place {
    (kind, *key.as_bytes())
}

#[async_trait]
impl RecordStore for MemoryRecords {
    async fn record(&self, kind: RecordKind, key: &SecretHash) -> Result<Option<Record>, StoreError> {
        Ok(self.state().records.get(&place(kind, key)).cloned())
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        writes.iter().try_for_each(Write::check)?;
        let mut state = self.state();
        let outcome = writes.into_iter().try_for_each(|write| state.write(write));
        match outcome {
            Ok(()) => state.undo.clear(),
            Err(_) => state.undo(),
        }
        outcome
    }

    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let start = match after {
            Some(key) => Bound::Excluded(place(kind, key)),
            None => Bound::Included((kind, [0; 32])),
        };
        let state = self.state();
        let rest = state.records.range((start, Bound::Included((kind, [u8::MAX; 32]))));
        let theirs = rest.map(|(_, record)| record).filter(|own| own.belongs_to.includes(belongs_to));
        Ok(theirs.take(limit as usize).cloned().collect())
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let mut state = self.state();
        let ended = state.records.iter().filter(|(_, record)| record.has_ended(now));
        let mut ended: Vec<_> = ended.map(|(place, record)| (record.expires_at, *place)).collect();
        ended.sort_unstable();
        ended.truncate(limit as usize);
        for (_, place) in &ended {
            state.records.remove(place);
        }
        Ok(u32::try_from(ended.len()).unwrap_or(limit))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn empty() -> Arc<MemoryRecords> {
        Arc::new(MemoryRecords::default())
    }

    crate::record_store_conformance!(empty);
}
