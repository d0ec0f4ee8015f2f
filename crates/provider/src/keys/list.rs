//! The signing keys as an operator sees them: what each is there for, and for how long.

use enroll_jose::{KeyAge, KeyState, Schedule, SigningAlgorithm};
use enroll_oauth_types::Timestamp;
use enroll_store::{Belongs, RecordKind, RecordStore};

use super::{KeyStoreError, MOST, Stored};

/// A published key, without its private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its name, as in the JWK Set.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// What it is there for.
    pub state: KeyState,
    /// Since when it is there for that.
    pub since: Timestamp,
    /// Until when it is, if no key is made before it is due.
    pub until: Timestamp,
}

/// The keys in this store that are published now, by algorithm, the oldest first. None of them is opened for it.
pub async fn list_keys(
    records: &dyn RecordStore,
    schedule: Schedule,
    now: Timestamp,
) -> Result<Vec<KeyEntry>, KeyStoreError> {
    let records = records.records(RecordKind::SigningKey, &Belongs::default(), None, MOST).await?;
    let stored = records.iter().map(Stored::of).collect::<Result<Vec<_>, _>>()?;
    let mut entries = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        let own = records.iter().zip(&stored).filter(|(_, key)| key.algorithm == algorithm.as_str());
        let age = own.map(|(record, key)| KeyAge {
            kid: &key.kid,
            created_at: record.issued_at,
            needed_until: key.needed_until,
        });
        let ages: Vec<_> = age.collect();
        entries.extend(schedule.stages(&ages, now).into_iter().map(|stage| KeyEntry {
            kid: stage.kid.to_owned(),
            algorithm,
            state: stage.state,
            since: stage.since,
            until: stage.until,
        }));
    }
    Ok(entries)
}
