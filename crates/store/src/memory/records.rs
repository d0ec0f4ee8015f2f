//! Records in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use enroll_oauth_types::{SecretHash, Timestamp};

use crate::{Belongs, Record, RecordKind, RecordStore, StoreError, Write};

type Records = BTreeMap<(RecordKind, [u8; 32]), Record>;

/// Records in memory, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<Records>);

impl MemoryRecords {
    fn with<T>(&self, work: impl FnOnce(&mut Records) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn place(record: &Record) -> (RecordKind, [u8; 32]) {
    (record.kind, *record.key.as_bytes())
}

fn write(records: &mut Records, write: Write) -> Result<(), StoreError> {
    match write {
        Write::Insert(record) => {
            if records.contains_key(&place(&record)) {
                return Err(StoreError::Duplicate);
            }
            records.insert(place(&record), record);
            Ok(())
        }
        Write::Replace(record) => {
            let stored = records.get_mut(&place(&record)).filter(|own| own.revision == record.revision);
            *stored.ok_or(StoreError::Conflict)? = Record { revision: record.revision + 1, ..record };
            Ok(())
        }
        Write::Take(kind, key, revision) => {
            let place = (kind, *key.as_bytes());
            let is_there = records.get(&place).is_some_and(|own| own.revision == revision);
            is_there.then(|| records.remove(&place)).map(drop).ok_or(StoreError::Conflict)
        }
        Write::TakeAll(kind, whose) => {
            let goes = |own: &Record| kind.is_none_or(|kind| own.kind == kind) && own.belongs_to.to(&whose);
            if whose != Belongs::default() {
                records.retain(|_, own| !goes(own));
            }
            Ok(())
        }
    }
}

#[async_trait]
impl RecordStore for MemoryRecords {
    async fn record(&self, kind: RecordKind, key: &SecretHash) -> Result<Option<Record>, StoreError> {
        Ok(self.with(|records| records.get(&(kind, *key.as_bytes())).cloned()))
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.with(|records| {
            let mut changed = records.clone();
            writes.into_iter().try_for_each(|change| write(&mut changed, change))?;
            *records = changed;
            Ok(())
        })
    }

    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let first =
            after.map_or(Bound::Included((kind, [0; 32])), |key| Bound::Excluded((kind, *key.as_bytes())));
        Ok(self.with(|records| {
            let of_kind = records.range((first, Bound::Included((kind, [u8::MAX; 32]))));
            let own = of_kind.map(|(_, record)| record).filter(|record| record.belongs_to.to(belongs_to));
            own.take(limit as usize).cloned().collect()
        }))
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        Ok(self.with(|records| {
            let mut swept = 0;
            records.retain(|_, record| {
                let goes = swept < limit && record.expires_at.is_some_and(|end| end <= now);
                swept += u32::from(goes);
                !goes
            });
            swept
        }))
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
