//! The signing keys: made when they are due, sealed in the store, the same on every node. RFC 7517.

use std::sync::{Arc, PoisonError, RwLock};

use enroll_jose::{KeyAge, KeyError, KeyRing, Schedule, SigningAlgorithm, SigningKey};
use enroll_oauth_types::{Algorithm, Clock, SealedSecret, SealingKey, SecretHash, Timestamp};
use enroll_store::{Belongs, BoxError, Record, RecordKind, RecordStore, StoreError, Write};
use serde::{Deserialize, Serialize};

/// The keys of this server, as its nodes share them by their store.
#[derive(Clone)]
pub struct Keys {
    records: Arc<dyn RecordStore>,
    sealing_key: Arc<SealingKey>,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    ring: Arc<RwLock<Arc<KeyRing>>>,
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
#[derive(Serialize, Deserialize)]
struct Stored {
    kid: String,
    algorithm: String,
    generation: u64,
    sealed: SealedSecret,
}

/// More than there ever are: four algorithms, a few keys each.
const MOST: u32 = 1000;

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
        Self { records, sealing_key, clock, schedule, ring }
    }

    /// The keys as they were read last.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys, makes those that are due, and takes those away that nothing is verified with any more. To be called
    /// at the start and then every few minutes, where it may take some 100 ms.
    pub async fn refresh(&self) -> Result<(), KeyStoreError> {
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
            let ages: Vec<_> =
                own.iter().map(|own| KeyAge { kid: own.key.kid(), created_at: own.made }).collect();
            let plan = self.schedule.plan(&ages, now);
            for gone in own.iter().filter(|own| plan.deletable.contains(&own.key.kid())) {
                let take = Write::Remove {
                    kind: RecordKind::SigningKey,
                    key: place(algorithm, gone.generation),
                    revision: Some(1),
                };
                changed |= self.first_to(take).await?;
            }
            if plan.next_at <= now {
                self.make(algorithm, next(&own)).await?;
                changed = true; // by whichever node
            }
        }
        let held = if changed { self.read().await? } else { held };
        let ring = Arc::new(KeyRing::new(held.into_iter().map(|own| (own.key, own.made)), self.schedule)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// Makes another key for each algorithm now. They sign once they were announced.
    pub async fn rotate(&self) -> Result<(), KeyStoreError> {
        let held = self.read().await?;
        for algorithm in SigningAlgorithm::ALL {
            self.make(algorithm, next(&of(&held, algorithm))).await?;
        }
        self.refresh().await
    }

    /// The keys in the store, the oldest first.
    async fn read(&self) -> Result<Vec<Held>, KeyStoreError> {
        let records = self.records.records(RecordKind::SigningKey, &Belongs::default(), None, MOST).await?;
        let mut held = records.iter().map(|record| self.open(record)).collect::<Result<Vec<_>, _>>()?;
        held.sort_by_key(|own| own.generation);
        Ok(held)
    }

    fn open(&self, record: &Record) -> Result<Held, KeyStoreError> {
        let stored: Stored = serde_json::from_str(record.document.get())
            .map_err(|error| KeyStoreError::Document(error.into()))?;
        let algorithm = SigningAlgorithm::of(&Algorithm::from(stored.algorithm.as_str()))
            .ok_or_else(|| KeyStoreError::Document(format!("{} is not known", stored.algorithm).into()))?;
        let opened = self.sealing_key.open_private_key(&stored.sealed, &stored.kid);
        let opened = opened.ok_or(KeyStoreError::Sealed(stored.kid))?;
        let key = SigningKey::from_pkcs8(algorithm, &opened)?;
        Ok(Held { key, made: record.issued_at, generation: stored.generation })
    }

    /// Makes the key of this generation. Of several nodes that do so, one does.
    async fn make(&self, algorithm: SigningAlgorithm, generation: u64) -> Result<(), KeyStoreError> {
        let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm));
        let key = key.await.map_err(KeyStoreError::Interrupted)?;
        let stored = Stored {
            kid: key.kid().to_owned(),
            algorithm: algorithm.as_str().to_owned(),
            generation,
            sealed: self.sealing_key.seal_private_key(&key.to_pkcs8(), key.kid()),
        };
        let record = Record {
            kind: RecordKind::SigningKey,
            key: place(algorithm, generation),
            revision: 1,
            belongs_to: Belongs::default(),
            issued_at: self.clock.now(),
            expires_at: None,
            document: serde_json::value::to_raw_value(&stored)
                .map_err(|error| KeyStoreError::Document(error.into()))?,
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
    made: Timestamp,
    generation: u64,
}

fn of(held: &[Held], algorithm: SigningAlgorithm) -> Vec<&Held> {
    held.iter().filter(|own| own.key.algorithm() == algorithm).collect()
}

fn next(own: &[&Held]) -> u64 {
    own.last().map_or(1, |last| last.generation + 1)
}

/// Nodes that make the same generation at once meet here.
fn place(algorithm: SigningAlgorithm, generation: u64) -> SecretHash {
    SecretHash::of(&format!("signing key {} {generation}", algorithm.as_str()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use enroll_oauth_types::SystemRandom;
    use enroll_store::MemoryRecords;

    use super::*;

    struct At(std::sync::atomic::AtomicU64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
    }

    const SCHEDULE: Schedule = Schedule {
        announce: Duration::from_secs(10),
        use_for: Duration::from_secs(100),
        keep: Duration::from_secs(50),
    };

    fn node(records: &Arc<MemoryRecords>, key: &Arc<SealingKey>, clock: &Arc<At>) -> Keys {
        Keys::new(records.clone(), key.clone(), clock.clone(), SCHEDULE)
    }

    fn kids(keys: &Keys) -> Vec<String> {
        let jwks = keys.ring().jwks(keys.clock.now());
        let own = jwks["keys"].as_array().unwrap().iter().filter(|key| key["alg"] == "ES256");
        own.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    fn parts() -> (Arc<MemoryRecords>, Arc<SealingKey>, Arc<At>) {
        let key = Arc::new(SealingKey::generate(&SystemRandom));
        (Arc::new(MemoryRecords::default()), key, Arc::new(At(1000.into())))
    }

    #[tokio::test]
    async fn nodes_that_start_at_once_agree_on_their_keys() {
        let (records, key, clock) = parts();
        let (one, other) = (node(&records, &key, &clock), node(&records, &key, &clock));
        let (first, second) = tokio::join!(one.refresh(), other.refresh());
        first.and(second).unwrap();
        one.refresh().await.unwrap();
        assert_eq!(kids(&one).len(), 1);
        assert_eq!(kids(&one), kids(&other));
    }

    #[tokio::test]
    async fn keys_take_turns_and_go() {
        let (records, key, clock) = parts();
        let keys = node(&records, &key, &clock);
        keys.refresh().await.unwrap();
        let first = kids(&keys);
        let signer = || keys.ring().signer(SigningAlgorithm::Es256, clock.now()).unwrap().kid().to_owned();
        let at = |now| clock.0.store(now, std::sync::atomic::Ordering::SeqCst);
        at(1099);
        keys.refresh().await.unwrap();
        assert_eq!(kids(&keys), first);
        at(1100);
        keys.refresh().await.unwrap();
        assert_eq!((kids(&keys).len(), signer()), (2, first[0].clone()));
        at(1110);
        assert_ne!(signer(), first[0]);
        at(1159);
        keys.refresh().await.unwrap();
        assert!(kids(&keys).contains(&first[0]));
        at(1160);
        keys.refresh().await.unwrap();
        assert!(!kids(&keys).contains(&first[0]));
    }

    #[tokio::test]
    async fn a_rotation_announces_one_more_of_each() {
        let (records, key, clock) = parts();
        let keys = node(&records, &key, &clock);
        keys.refresh().await.unwrap();
        keys.rotate().await.unwrap();
        assert_eq!(keys.ring().jwks(clock.now())["keys"].as_array().unwrap().len(), 8);
    }

    #[tokio::test]
    async fn another_sealing_key_opens_none() {
        let (records, key, clock) = parts();
        node(&records, &key, &clock).refresh().await.unwrap();
        let other = Arc::new(SealingKey::generate(&SystemRandom));
        let opened = node(&records, &other, &clock).refresh().await;
        assert!(matches!(opened, Err(KeyStoreError::Sealed(_))), "{opened:?}");
    }
}
