//! The keys that registrations are sealed under. They are stored beside the clients, each sealed under the key that is kept
//! outside of the database, so that every node finds the key of every identifier by its name, and a copy of the database alone
//! opens none.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use enroll_oauth_types::{ClientId, Clock, Random, SealedSecret, SealingKey, SecretHash, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::form::{self, Keys, Parts, Sealed, TooLong};
use super::lifetimes::Lifetimes;
use crate::{Client, StoreError, Token, TokenId, TokenKind, TokenStore};

/// How long a key seals until the next one is made.
const TURN: Duration = Duration::from_hours(90 * 24);

/// How long the key before may still be in use on a node that has not looked meanwhile.
const HAND_OVER: Duration = Duration::from_mins(2);

/// How long a node seals on after it looked: less than that, since the key could be ended meanwhile, and with it what was answered.
const TRUSTED: Duration = Duration::from_secs(100);

/// How many keys are read at a time.
const PAGE: u32 = 100;

/// The keys that registrations are sealed under: the newest one seals, and all of them open. Others find a key that this node
/// has just made as soon as they meet its name.
///
/// ```
/// use std::sync::Arc;
/// use enroll_oauth_types::{Clock as _, SealingKey, SystemClock, SystemRandom};
/// use enroll_store::{MemoryStore, RegistrationKeys, SealedStore};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let key = Arc::new(SealingKey::generate(&SystemRandom));
/// let keys = Arc::new(RegistrationKeys::load(key, store.clone()).await?);
/// keys.keep_up(SystemClock.now(), &SystemRandom).await?;
/// let clients = SealedStore::new(store, keys);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct RegistrationKeys {
    master: Arc<SealingKey>,
    tokens: Arc<dyn TokenStore>,
    known: RwLock<Seen>,
    lifetimes: Option<Lifetimes>,
}

/// The keys that there were, the newest last, and when that was.
struct Seen {
    keys: Vec<Arc<Known>>,
    at: Instant,
}

/// A key, unsealed.
struct Known {
    name: String,
    made_at: Timestamp,
    key: SealingKey,
}

/// A key as it is stored: the data of its token.
#[derive(Serialize, Deserialize)]
struct AtRest {
    name: String,
    key: SealedSecret,
}

/// What an operator sees of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationKeyEntry {
    /// Its name, which stands in what it sealed.
    pub name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether it is the one that seals.
    pub seals: bool,
}

/// Why something did not come of the keys.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationKeyError {
    /// It is sealed under another key than the one that is here.
    #[error("the registration key `{0}` does not open: it is sealed under another sealing key")]
    Sealed(String),
    /// It seals, or did a moment ago.
    #[error("the registration key `{0}` is in use: make the next one, and end this one two minutes later")]
    InUse(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for RegistrationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationKeys").finish_non_exhaustive()
    }
}

/// A registration that was read from its identifier.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The client, at revision 0: nothing of it is stored.
    pub client: Client,
    /// Whether it becomes a row once somebody has authorized it.
    pub storage: Storage,
    /// Since when its time is over; `None` while it lasts. [`RegistrationKeys::ending`] says for how long.
    pub ended_at: Option<Timestamp>,
}

impl RegistrationKeys {
    /// The keys that are stored in `tokens`, unsealed by `master`; fails where one of them cannot be.
    pub async fn load(
        master: Arc<SealingKey>,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Self, RegistrationKeyError> {
        let known = RwLock::new(Seen { keys: Vec::new(), at: Instant::now() });
        let keys = Self { master, tokens, known, lifetimes: None };
        keys.refresh().await?;
        Ok(keys)
    }

    /// Lets registrations end that are as old as this, by the name of the policy that let them in. They need no key of their own for
    /// that: each holds when it was made, and by whom.
    #[must_use]
    pub fn ending(self, by_policy: HashMap<String, Duration>, clock: Arc<dyn Clock>) -> Self {
        Self { lifetimes: Some(Lifetimes { by_policy, clock }), ..self }
    }

    /// Whether any were ever made here.
    pub fn is_empty(&self) -> bool {
        self.known().keys.is_empty()
    }

    /// The keys, the newest last.
    pub fn list(&self) -> Vec<RegistrationKeyEntry> {
        let known = self.known();
        let count = known.keys.len();
        let entry = |(place, key): (usize, &Arc<Known>)| RegistrationKeyEntry {
            name: key.name.clone(),
            made_at: key.made_at,
            seals: place + 1 == count,
        };
        known.keys.iter().enumerate().map(entry).collect()
    }

    /// Sees what other nodes did meanwhile, and makes the first key, or the next one when it is due. To be called every half minute:
    /// nothing is sealed by whoever has not seen the keys for 100 seconds.
    pub async fn keep_up(&self, now: Timestamp, random: &dyn Random) -> Result<(), RegistrationKeyError> {
        self.refresh().await?;
        let is_due = self.newest().is_none_or(|newest| newest.made_at + TURN <= now);
        if is_due { self.rotate(now, random).await.map(drop) } else { Ok(()) }
    }

    /// Makes another key, which seals from now on, and tells its name. Those before go on to open what they sealed.
    pub async fn rotate(&self, now: Timestamp, random: &dyn Random) -> Result<String, RegistrationKeyError> {
        self.refresh().await?;
        // The order of the keys is that of their time, and two may be wanted in one second.
        let now = self.newest().map_or(now, |newest| now.max(newest.made_at + Duration::from_secs(1)));
        let (name, key) = (form::new_name(random), SealingKey::generate(random));
        let at_rest =
            AtRest { key: self.master.seal_text(key.expose(), &purpose(&name)), name: name.clone() };
        // Stored before the first identifier is sealed under it: else an answered registration could be lost.
        let token = Token {
            id: TokenId::generate(now, random),
            kind: TokenKind::RegistrationKey,
            hash: hash(&name),
            issued_at: now,
            expires_at: None,
            uses_left: None,
            data: serde_json::value::to_raw_value(&at_rest).map_err(StoreError::backend)?,
        };
        self.tokens.put(&token).await?;
        self.refresh().await?;
        Ok(name)
    }

    /// Ends a key, and with it every registration that it sealed and of which no row is stored; `false` when there is none of
    /// this name. Nodes that know it forget it when they next keep up; one that cannot reach the store goes on with it until then.
    pub async fn retire(&self, name: &str, now: Timestamp) -> Result<bool, RegistrationKeyError> {
        self.refresh().await?;
        let next = self.known().keys.iter().rev().take_while(|key| key.name != name).last().cloned();
        if next.is_none_or(|next| now < next.made_at + HAND_OVER) && self.find(name).is_some() {
            return Err(RegistrationKeyError::InUse(name.to_owned()));
        }
        let Some(token) = self.tokens.get(TokenKind::RegistrationKey, &hash(name)).await? else {
            return Ok(false);
        };
        let was_there = self.tokens.revoke(&token.id).await?;
        self.refresh().await?;
        Ok(was_there)
    }

    /// Reads the keys anew.
    pub async fn refresh(&self) -> Result<(), RegistrationKeyError> {
        let at = Instant::now();
        let mut stored: BTreeMap<(Timestamp, TokenId), Arc<Known>> = BTreeMap::new();
        let mut last: Option<TokenId> = None;
        loop {
            let tokens = self.tokens.tokens(TokenKind::RegistrationKey, last.as_ref(), PAGE).await?;
            let Some(end) = tokens.last() else { break };
            last = Some(end.id.clone());
            for token in tokens {
                let known = Arc::new(unsealed(&self.master, &token)?);
                stored.insert((token.issued_at, token.id), known);
            }
        }
        let seen = Seen { keys: stored.into_values().collect(), at };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// The client under an identifier that holds all of it, with other secrets. `None` where there is no key, or where the keys were
    /// not seen for so long that the newest one may have been ended.
    pub fn seal(
        &self,
        client: &Client,
        storage: Storage,
        random: &dyn Random,
    ) -> Option<Result<Sealed, TooLong>> {
        let newest = self.sealing(Instant::now())?;
        Some(self.with(&newest).seal(client, storage, random))
    }

    /// The client that an identifier holds; `None` for any other identifier, a forged one above all. That costs no more than
    /// to look for a client that is not there.
    pub async fn opened(&self, id: &ClientId) -> Result<Option<Opened>, StoreError> {
        let Some((key, parts)) = self.key_of(id).await? else { return Ok(None) };
        let opened = self.with(&key).open(id, &parts);
        let ended_at = |client: &Client| self.lifetimes.as_ref().and_then(|own| own.ended_at(client));
        Ok(opened.map(|opened| Opened { ended_at: ended_at(&opened.client), ..opened }))
    }

    /// Whether an identifier is one of [`seal`](Self::seal), of whatever that is; cheaper than to open it.
    pub(super) async fn made(&self, id: &ClientId) -> Result<bool, StoreError> {
        let key = self.key_of(id).await?;
        Ok(key.is_some_and(|(key, parts)| self.with(&key).unseal(&parts).is_some()))
    }

    /// The key that an identifier names.
    async fn key_of<'a>(&self, id: &'a ClientId) -> Result<Option<(Arc<Known>, Parts<'a>)>, StoreError> {
        let Some(parts) = Parts::of(id) else { return Ok(None) };
        let key = match self.find(parts.key) {
            Some(key) => Some(key),
            None => self.made_meanwhile(parts.key).await?,
        };
        Ok(key.map(|key| (key, parts)))
    }

    /// The key of this name, made by another node since this one looked.
    async fn made_meanwhile(&self, name: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let Some(token) = self.tokens.get(TokenKind::RegistrationKey, &hash(name)).await? else {
            return Ok(None);
        };
        unsealed(&self.master, &token).map(|known| Some(Arc::new(known))).map_err(StoreError::backend)
    }

    /// Whether this is a key that `master` opens, for whoever brings it from elsewhere.
    pub fn check(master: &SealingKey, token: &Token) -> Result<(), RegistrationKeyError> {
        unsealed(master, token).map(drop)
    }

    fn with<'a>(&'a self, known: &'a Known) -> Keys<'a> {
        Keys { name: &known.name, key: &known.key, master: &self.master }
    }

    fn newest(&self) -> Option<Arc<Known>> {
        self.known().keys.last().cloned()
    }

    /// The key that seals, as long as nobody can have ended it.
    fn sealing(&self, now: Instant) -> Option<Arc<Known>> {
        let known = self.known();
        let newest = known.keys.last().filter(|_| now.saturating_duration_since(known.at) < TRUSTED);
        newest.cloned()
    }

    fn find(&self, name: &str) -> Option<Arc<Known>> {
        self.known().keys.iter().find(|key| key.name == name).cloned()
    }

    fn known(&self) -> RwLockReadGuard<'_, Seen> {
        // It is replaced as a whole.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unsealed(master: &SealingKey, token: &Token) -> Result<Known, RegistrationKeyError> {
    let AtRest { name, key } = serde_json::from_str(token.data.get()).map_err(StoreError::backend)?;
    let key = master.open_text(&key, &purpose(&name)).and_then(|text| SealingKey::from_text(&text));
    let key = key.ok_or_else(|| RegistrationKeyError::Sealed(name.clone()))?;
    Ok(Known { name, made_at: token.issued_at, key })
}

fn purpose(name: &str) -> String {
    format!("registration key {name}")
}

/// What a key is found by.
fn hash(name: &str) -> SecretHash {
    SecretHash::of(&purpose(name))
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;
    use serde_json::json;

    use super::*;
    use crate::MemoryStore;
    use crate::conformance::sample::{NOW, client_of};

    async fn node(master: &Arc<SealingKey>, store: &Arc<MemoryStore>) -> RegistrationKeys {
        RegistrationKeys::load(master.clone(), store.clone()).await.unwrap()
    }

    fn parts() -> (Arc<SealingKey>, Arc<MemoryStore>) {
        (Arc::new(SealingKey::generate(&SystemRandom)), Arc::default())
    }

    fn seal(keys: &RegistrationKeys) -> ClientId {
        let client = client_of(&json!({ "redirect_uris": ["https://app.example/cb"] }));
        keys.seal(&client, Storage::Stateless, &SystemRandom).unwrap().unwrap().client.id
    }

    fn later(seconds: u64) -> Timestamp {
        Timestamp(NOW.seconds() + seconds)
    }

    #[tokio::test]
    async fn without_a_key_nothing_is_sealed_and_nothing_opens() {
        let (master, store) = parts();
        let keys = node(&master, &store).await;
        let client = client_of(&json!({}));
        assert!(keys.is_empty() && keys.seal(&client, Storage::Stateless, &SystemRandom).is_none());
        for id in
            ["", "enr_dcr_", "enr_dcr_AAAAAAAA", &format!("enr_dcr_{}", "A".repeat(5000)), "enr_dcr_ééééé"]
        {
            assert!(keys.opened(&ClientId::from(id)).await.unwrap().is_none(), "{id}");
        }
    }

    #[tokio::test]
    async fn a_key_is_made_when_it_is_due_and_those_before_still_open() {
        let (master, store) = parts();
        let keys = node(&master, &store).await;
        keys.keep_up(NOW, &SystemRandom).await.unwrap();
        let first = seal(&keys);
        keys.keep_up(later(TURN.as_secs() - 1), &SystemRandom).await.unwrap();
        assert_eq!(keys.list().len(), 1);
        keys.keep_up(later(TURN.as_secs()), &SystemRandom).await.unwrap();
        let second = seal(&keys);
        assert_ne!(first.as_str()[..16], second.as_str()[..16]);
        assert_eq!(keys.list().iter().map(|key| key.seals).collect::<Vec<_>>(), [false, true]);
        for id in [first, second] {
            assert!(keys.opened(&id).await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn of_keys_of_one_second_the_last_one_seals() {
        let (master, store) = parts();
        let keys = node(&master, &store).await;
        for _ in 0..20 {
            let name = keys.rotate(NOW, &SystemRandom).await.unwrap();
            assert_eq!(seal(&keys).as_str()[8..16], name);
        }
    }

    #[tokio::test]
    async fn a_node_opens_at_once_what_another_sealed_under_a_key_that_it_has_just_made() {
        let (master, store) = parts();
        let (one, other) = (node(&master, &store).await, node(&master, &store).await);
        one.keep_up(NOW, &SystemRandom).await.unwrap();
        assert!(other.is_empty());
        assert!(other.opened(&seal(&one)).await.unwrap().is_some());
        one.rotate(later(1), &SystemRandom).await.unwrap();
        assert!(other.opened(&seal(&one)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_key_that_seals_is_not_ended_and_another_takes_along_what_it_sealed() {
        let (master, store) = parts();
        let (keys, other) = (node(&master, &store).await, node(&master, &store).await);
        keys.keep_up(NOW, &SystemRandom).await.unwrap();
        let (id, name) = (seal(&keys), keys.list()[0].name.clone());
        let in_use = |outcome| matches!(outcome, Err(RegistrationKeyError::InUse(_)));
        assert!(in_use(keys.retire(&name, later(9999)).await));
        let next = keys.rotate(later(10_000), &SystemRandom).await.unwrap();
        assert!(in_use(keys.retire(&name, later(10_119)).await));
        assert!(in_use(keys.retire(&next, later(99_999)).await));
        other.refresh().await.unwrap();
        assert!(keys.retire(&name, later(10_120)).await.unwrap());
        assert!(!keys.retire(&name, later(10_121)).await.unwrap());
        assert!(!keys.retire("nobody's", later(10_121)).await.unwrap());
        assert!(keys.opened(&id).await.unwrap().is_none());
        assert!(other.opened(&id).await.unwrap().is_some(), "until it keeps up");
        other.keep_up(later(10_121), &SystemRandom).await.unwrap();
        assert!(other.opened(&id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn who_has_not_seen_the_keys_for_long_seals_nothing_and_opens_all() {
        assert!(TRUSTED < HAND_OVER);
        let (master, store) = parts();
        let keys = node(&master, &store).await;
        keys.keep_up(NOW, &SystemRandom).await.unwrap();
        let (id, seen) = (seal(&keys), keys.known().at);
        assert!(keys.sealing(seen + Duration::from_secs(99)).is_some());
        assert!(keys.sealing(seen + TRUSTED).is_none());
        keys.known.write().unwrap().at = Instant::now().checked_sub(TRUSTED).unwrap();
        let client = client_of(&json!({}));
        assert!(keys.seal(&client, Storage::Stateless, &SystemRandom).is_none());
        assert!(keys.opened(&id).await.unwrap().is_some());
        keys.refresh().await.unwrap();
        assert!(keys.seal(&client, Storage::Stateless, &SystemRandom).is_some());
    }

    #[tokio::test]
    async fn keys_of_another_sealing_key_are_told_and_not_passed_over() {
        let (master, store) = parts();
        node(&master, &store).await.keep_up(NOW, &SystemRandom).await.unwrap();
        let stranger = Arc::new(SealingKey::generate(&SystemRandom));
        let loaded = RegistrationKeys::load(stranger, store.clone()).await;
        assert!(matches!(loaded, Err(RegistrationKeyError::Sealed(_))), "{loaded:?}");
    }

    #[tokio::test]
    async fn more_keys_than_a_page_are_all_found() {
        let (master, store) = parts();
        let keys = node(&master, &store).await;
        for second in 0..u64::from(PAGE) + 5 {
            keys.rotate(later(second), &SystemRandom).await.unwrap();
        }
        assert_eq!(keys.list().len(), PAGE as usize + 5);
        assert!(keys.list().is_sorted_by_key(|key| key.made_at));
    }
}
