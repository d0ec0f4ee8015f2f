//! The signing keys: made when they are due, sealed in the store, the same on every node. RFC 7517.

mod list;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use enroll_jose::{KeyAge, KeyError, KeyRing, Schedule, SigningAlgorithm, SigningKey};
use enroll_oauth_types::{Algorithm, Clock, SealedSecret, SealingKey, SecretHash, Timestamp};
use enroll_store::{Belongs, BoxError, Record, RecordKind, RecordStore, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

pub use list::{KeyEntry, list_keys};

/// The keys of this server, as its nodes share them by their store.
#[derive(Clone)]
pub struct Keys {
    records: Arc<dyn RecordStore>,
    sealing_key: Arc<SealingKey>,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    ring: Arc<RwLock<Arc<KeyRing>>>,
    /// Of many requests that find a key to be needed for longer, one says so.
    keeping: Arc<Mutex<()>>,
    /// Of many requests that find a key to be missing, one makes it.
    making: Arc<Mutex<()>>,
}

/// The signing keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A stored key was sealed under another sealing key, or was changed.
    #[error("the signing key {0} cannot be opened: the sealing key is not the one that it was sealed under")]
    Sealed(String),
    /// The server stopped while a key was made.
    #[error("a signing key was not made")]
    Interrupted(#[source] tokio::task::JoinError),
    /// A stored key is none.
    #[error("a stored signing key cannot be read")]
    Document(#[source] BoxError),
}

/// A key at rest.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    kid: String,
    algorithm: String,
    generation: u64,
    sealed: SealedSecret,
    /// [`KeyAge::needed_until`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed_until: Option<Timestamp>,
}

impl Stored {
    fn of(record: &Record) -> Result<Self, KeyStoreError> {
        serde_json::from_str(record.document.get()).map_err(|error| KeyStoreError::Document(error.into()))
    }

    fn algorithm(&self) -> Result<SigningAlgorithm, KeyStoreError> {
        SigningAlgorithm::of(&Algorithm::from(self.algorithm.as_str()))
            .ok_or_else(|| KeyStoreError::Document(format!("{} is not known", self.algorithm).into()))
    }
}

/// More than there ever are: four algorithms, a few keys each.
const MOST: u32 = 1000;

/// A key that is needed for longer is so for whole days, so that the same is not written with every token.
const DAY: u64 = 24 * 60 * 60;

/// How often a change is tried again when another node was quicker.
const ATTEMPTS: u32 = 5;

impl Keys {
    /// The keys in this store. Nothing is read before [`Keys::refresh`].
    pub fn new(
        records: Arc<dyn RecordStore>,
        sealing_key: Arc<SealingKey>,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Self {
        let none = KeyRing::new([], schedule).expect("no two of none have one name");
        let ring = Arc::new(RwLock::new(Arc::new(none)));
        Self { records, sealing_key, clock, schedule, ring, keeping: Arc::default(), making: Arc::default() }
    }

    /// The keys as they were read last.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys, makes those that are due, and takes those away that nothing is verified with any more. To be called
    /// at the start and then every few minutes, where it may take some 100 ms.
    pub async fn refresh(&self) -> Result<(), KeyStoreError> {
        let _turn = self.making.lock().await;
        self.refresh_those(&SigningAlgorithm::ALL).await
    }

    /// The same for the keys that are made at once, so that a server can sign before it made the others.
    pub async fn refresh_quick(&self) -> Result<(), KeyStoreError> {
        self.refresh_those(&[SigningAlgorithm::Es256]).await
    }

    async fn refresh_those(&self, algorithms: &[SigningAlgorithm]) -> Result<(), KeyStoreError> {
        let held = self.read().await?;
        let now = self.clock.now();
        let mut changed = false;
        for &algorithm in algorithms {
            let own = of(&held, algorithm);
            let ages: Vec<_> = own.iter().map(|own| own.age()).collect();
            let plan = self.schedule.plan(&ages, now);
            for gone in own.iter().filter(|own| plan.deletable.contains(&own.key.kid())) {
                let take = Write::Remove {
                    kind: RecordKind::SigningKey,
                    key: gone.record.key,
                    revision: Some(gone.record.revision),
                };
                changed |= self.first_to(take).await?;
            }
            if plan.next_at <= now {
                self.make(algorithm, &own).await?;
                changed = true; // by whichever node
            }
        }
        self.load(if changed { self.read().await? } else { held })
    }

    fn load(&self, held: Vec<Held>) -> Result<(), KeyStoreError> {
        let needed: Vec<_> = held
            .iter()
            .filter_map(|own| Some((own.key.kid().to_owned(), own.stored.needed_until?)))
            .collect();
        let ring = KeyRing::new(held.into_iter().map(|own| (own.key, own.record.issued_at)), self.schedule)?;
        let ring = needed.iter().fold(ring, |ring, (kid, until)| ring.with_needed(kid, *until));
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// Makes sure that the key of a token that is signed with this algorithm next, and ends then, is published until then. To
    /// be called before each token is signed; only for one that outlives [`Schedule::keep`] it asks the store, once a day.
    pub async fn keep_until(&self, algorithm: SigningAlgorithm, end: Timestamp) -> Result<(), KeyStoreError> {
        let now = self.clock.now();
        // Whatever signs now is published for so long at the least.
        if end <= now + self.schedule.keep || self.ring().needed_until(algorithm, now) >= Some(end) {
            return Ok(());
        }
        Box::pin(self.keep_for_longer(algorithm, end)).await
    }

    async fn keep_for_longer(
        &self,
        algorithm: SigningAlgorithm,
        end: Timestamp,
    ) -> Result<(), KeyStoreError> {
        let _turn = self.keeping.lock().await;
        if self.ring().needed_until(algorithm, self.clock.now()) >= Some(end) {
            return Ok(());
        }
        let whole_days = Timestamp(end.seconds().div_ceil(DAY).saturating_mul(DAY));
        for _ in 0..ATTEMPTS {
            let held = self.read().await?;
            let own = of(&held, algorithm);
            if own.is_empty() {
                self.refresh().await?;
                continue;
            }
            let ages: Vec<_> = own.iter().map(|own| own.age()).collect();
            let signer = self.schedule.plan(&ages, self.clock.now()).signer;
            // The next one too: it may begin before the token is signed.
            let signing = own.iter().skip_while(|own| Some(own.key.kid()) != signer);
            let short = signing.filter(|own| own.stored.needed_until < Some(end));
            let writes = short.map(|own| own.needed_until(whole_days)).collect::<Result<_, _>>()?;
            match self.records.apply(writes).await {
                Ok(()) => return self.load(self.read().await?),
                Err(StoreError::Conflict) => {} // another node was quicker: look again
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Makes another key for each algorithm now. They sign once they were announced.
    pub async fn rotate(&self) -> Result<(), KeyStoreError> {
        let held = self.read().await?;
        for algorithm in SigningAlgorithm::ALL {
            self.make(algorithm, &of(&held, algorithm)).await?;
        }
        self.refresh().await
    }

    /// The keys in the store, the oldest first.
    async fn read(&self) -> Result<Vec<Held>, KeyStoreError> {
        let records = self.records.records(RecordKind::SigningKey, &Belongs::default(), None, MOST).await?;
        let mut held = records.into_iter().map(|record| self.open(record)).collect::<Result<Vec<_>, _>>()?;
        held.sort_by_key(|own| own.stored.generation);
        Ok(held)
    }

    fn open(&self, record: Record) -> Result<Held, KeyStoreError> {
        let stored = Stored::of(&record)?;
        let opened = self.sealing_key.open_private_key(&stored.sealed, &stored.kid);
        let opened = opened.ok_or_else(|| KeyStoreError::Sealed(stored.kid.clone()))?;
        let key = SigningKey::from_pkcs8(stored.algorithm()?, &opened)?;
        Ok(Held { key, record, stored })
    }

    /// Makes the key of the generation after these. Of several nodes that do so, one does.
    async fn make(&self, algorithm: SigningAlgorithm, own: &[&Held]) -> Result<(), KeyStoreError> {
        let generation = own.last().map_or(1, |last| last.stored.generation + 1);
        // Later than the one before, also in the same second, so that their order is that of their generations.
        let made = own.last().map(|last| last.record.issued_at + Duration::from_secs(1));
        let made = self.clock.now().max(made.unwrap_or_default());
        let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm));
        let key = key.await.map_err(KeyStoreError::Interrupted)?;
        let stored = Stored {
            kid: key.kid().to_owned(),
            algorithm: algorithm.as_str().to_owned(),
            generation,
            sealed: self.sealing_key.seal_private_key(&key.to_pkcs8(), key.kid()),
            needed_until: None,
        };
        let record = Record {
            kind: RecordKind::SigningKey,
            key: place(algorithm, generation),
            revision: 1,
            belongs_to: Belongs::default(),
            issued_at: made,
            expires_at: None,
            document: document(&stored)?,
        };
        if self.first_to(Write::Insert(record)).await? {
            tracing::info!(kid = key.kid(), "made a signing key for {}", algorithm.as_str());
        }
        Ok(())
    }

    /// Whether this was not done before by another node.
    async fn first_to(&self, write: Write) -> Result<bool, KeyStoreError> {
        match self.records.apply(vec![write]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Duplicate | StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// A key of the store, opened.
struct Held {
    key: SigningKey,
    record: Record,
    stored: Stored,
}

impl Held {
    fn age(&self) -> KeyAge<'_> {
        KeyAge {
            kid: self.key.kid(),
            created_at: self.record.issued_at,
            needed_until: self.stored.needed_until,
        }
    }

    /// Says that it is needed until then.
    fn needed_until(&self, until: Timestamp) -> Result<Write, KeyStoreError> {
        let stored = Stored { needed_until: Some(until), ..self.stored.clone() };
        Ok(Write::Replace(Record { document: document(&stored)?, ..self.record.clone() }))
    }
}

fn of(held: &[Held], algorithm: SigningAlgorithm) -> Vec<&Held> {
    held.iter().filter(|own| own.key.algorithm() == algorithm).collect()
}

fn document(stored: &Stored) -> Result<Box<RawValue>, KeyStoreError> {
    serde_json::value::to_raw_value(stored).map_err(|error| KeyStoreError::Document(error.into()))
}

/// Nodes that make the same generation at once meet here.
fn place(algorithm: SigningAlgorithm, generation: u64) -> SecretHash {
    SecretHash::of(&format!("signing key {} {generation}", algorithm.as_str()))
}

#[cfg(test)]
mod tests;
