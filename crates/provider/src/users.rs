//! People who can log in: their names, their passwords, and what clients may come to know of them. OpenID Connect Core 1.0
//! §5.1.

mod claim;
mod password;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use enroll_oauth_types::{Clock, Random, SealedSecret, SealingKey, SecretHash, Timestamp};
use enroll_store::{Belongs, BoxError, Kinds, Record, RecordKind, RecordStore, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::session::name;
pub use claim::check_claim;
pub use password::Password;
use password::{Passwords, Unverified, Verdict};
use throttle::{Counted, Throttle, Who};

/// How long a browser is known in which somebody has logged in. Each log-in begins anew.
const DEVICE_LASTS: Duration = Duration::from_hours(365 * 24);

/// When to come back where too many wait for their passwords to be verified.
const BUSY: Duration = Duration::from_secs(2);

/// How often a change is tried again when somebody else was quicker.
const ATTEMPTS: u32 = 5;

/// The longest user name, in bytes.
const LONGEST_NAME: usize = 256;

/// The people of a server, as its nodes share them by their store. Clones share everything.
#[derive(Clone)]
pub struct Users {
    records: Arc<dyn RecordStore>,
    sealing_key: Arc<SealingKey>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: Passwords,
    throttle: Option<Arc<Throttle>>,
}

/// Somebody who can log in.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Who it is, for ever, whatever the name becomes.
    pub subject: String,
    /// What they type.
    pub username: String,
    /// What is known of them. OpenID Connect Core 1.0 §5.1.
    pub claims: Map<String, Value>,
    /// Whether they may log in.
    pub enabled: bool,
}

/// Somebody to be.
#[derive(Debug)]
pub struct NewUser {
    /// What they will type.
    pub username: String,
    /// Their password.
    pub password: Password,
    /// What is known of them.
    pub claims: Map<String, Value>,
}

/// Somebody who tries to log in.
#[derive(Debug)]
pub struct LogIn<'a> {
    /// What was typed.
    pub username: &'a str,
    /// What was typed.
    pub password: Password,
    /// Where from.
    pub source: IpAddr,
    /// What [`Users::device_token`] gave to this browser.
    pub device: Option<&'a str>,
}

/// Why somebody is not logged in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// The name or the password: which, nobody is told.
    #[error("the user name or the password is wrong")]
    Wrong,
    /// Too many wrong ones: when to come back.
    #[error("there were too many tries; try again in {} seconds", .0.as_secs())]
    TooManyTries(Duration),
    /// Too many wait for their passwords to be verified, and nobody looked at this one: when to come back.
    #[error("too many are logging in just now; try again in {} seconds", .0.as_secs())]
    Busy(Duration),
    /// Only the log may know.
    #[error("nobody could be logged in")]
    Internal(#[source] BoxError),
}

/// Why a user is not as somebody wants.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Somebody has this name.
    #[error("there is a user of this name already")]
    Taken,
    /// The name is none.
    #[error("the user name must be 1 to 256 bytes long, without control characters")]
    Name,
    /// The password is none.
    #[error("the password must be 1 to 1024 bytes long")]
    Password,
    /// There is nobody of this name.
    #[error("there is no user of this name")]
    Unknown,
    /// A claim is not what its standard says.
    #[error("{0}")]
    Claim(String),
    /// The store or the hashing failed.
    #[error("the user could not be stored")]
    Internal(#[source] BoxError),
}

/// A user at rest.
#[derive(Serialize, Deserialize)]
struct Stored {
    username: String,
    password: String,
    #[serde(default)]
    password_set_at: Timestamp,
    claims: Map<String, Value>,
    enabled: bool,
}

impl User {
    /// What to call them.
    pub fn name(&self) -> &str {
        self.claims.get("name").and_then(Value::as_str).unwrap_or(&self.username)
    }
}

impl Users {
    /// The people in this store.
    pub fn new(
        records: Arc<dyn RecordStore>,
        sealing_key: Arc<SealingKey>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let passwords = Passwords::new(random.clone());
        Self { records, sealing_key, clock, random, passwords, throttle: Some(Arc::default()) }
    }

    /// The same, where passwords may be guessed as fast as they are verified. For trying things.
    #[must_use]
    pub fn insecure_without_limits(self) -> Self {
        Self { throttle: None, ..self }
    }

    /// Adds somebody.
    pub async fn add(&self, new: NewUser) -> Result<User, UserError> {
        let username = new.username.trim().to_owned();
        if username.is_empty() || username.len() > LONGEST_NAME || username.contains(char::is_control) {
            return Err(UserError::Name);
        }
        if !new.password.is_usable() {
            return Err(UserError::Password);
        }
        for (claim, value) in &new.claims {
            check_claim(claim, value).map_err(UserError::Claim)?;
        }
        let password = self.passwords.hash(new.password).await.map_err(UserError::Internal)?;
        let password_set_at = self.clock.now();
        let stored = Stored { username, password, password_set_at, claims: new.claims, enabled: true };
        let subject = name(self.random.as_ref());
        let record = Record {
            kind: RecordKind::User,
            key: place(&stored.username),
            revision: 1,
            belongs_to: Belongs { subject: Some(subject.clone()), ..Belongs::default() },
            issued_at: password_set_at,
            expires_at: None,
            document: document(&stored)?,
        };
        self.records.apply(vec![Write::Insert(record)]).await?;
        Ok(user(subject, stored))
    }

    /// The user of this name, in any letters' case.
    pub async fn named(&self, username: &str) -> Result<Option<User>, StoreError> {
        let record = self.records.record(RecordKind::User, &place(username)).await?;
        record.map(read).transpose()
    }

    /// The user of this subject.
    pub async fn of_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        let belongs_to = Belongs { subject: Some(subject.to_owned()), ..Belongs::default() };
        let records = self.records.records(RecordKind::User, &belongs_to, None, 1).await?;
        records.into_iter().next().map(read).transpose()
    }

    /// At most so many users, after the one of this name, in an order of their own.
    pub async fn list(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        let after = after.map(place);
        let records =
            self.records.records(RecordKind::User, &Belongs::default(), after.as_ref(), limit).await?;
        records.into_iter().map(read).collect()
    }

    /// Deletes somebody, with all that was given in their name.
    pub async fn delete(&self, username: &str) -> Result<(), UserError> {
        let user = self.named(username).await?.ok_or(UserError::Unknown)?;
        // First the user, without whom nothing else works; the rest may be much.
        let gone = Write::Remove { kind: RecordKind::User, key: place(username), revision: None };
        self.records.apply(vec![gone]).await?;
        let belongs_to = Belongs { subject: Some(user.subject), ..Belongs::default() };
        Ok(self.records.apply(vec![Write::RemoveAll { kinds: Kinds::All, belongs_to }]).await?)
    }

    /// Gives somebody another password, and ends every session and every token that the old one began. Browsers in which
    /// somebody logged in with the old one are strangers again.
    pub async fn set_password(&self, username: &str, password: Password) -> Result<(), UserError> {
        if !password.is_usable() {
            return Err(UserError::Password);
        }
        let password = self.passwords.hash(password).await.map_err(UserError::Internal)?;
        let now = self.clock.now();
        let change = |stored: &mut Stored| {
            stored.password.clone_from(&password);
            stored.password_set_at = now;
        };
        self.change(username, &[RecordKind::Session, RecordKind::Grant], change).await
    }

    /// Replaces what is known of somebody.
    pub async fn set_claims(&self, username: &str, claims: &Map<String, Value>) -> Result<(), UserError> {
        for (claim, value) in claims {
            check_claim(claim, value).map_err(UserError::Claim)?;
        }
        self.change(username, &[], |stored| stored.claims.clone_from(claims)).await
    }

    /// Lets somebody log in, or no more. Whoever may not has no session and no token any more, and gets none of them back.
    pub async fn set_enabled(&self, username: &str, enabled: bool) -> Result<(), UserError> {
        let ended: &[RecordKind] = if enabled { &[] } else { &[RecordKind::Session, RecordKind::Grant] };
        self.change(username, ended, |stored| stored.enabled = enabled).await
    }

    /// Changes somebody, and ends what they have of these kinds.
    async fn change(
        &self,
        username: &str,
        ended: &[RecordKind],
        change: impl Fn(&mut Stored),
    ) -> Result<(), UserError> {
        let mut attempts = 1..ATTEMPTS;
        loop {
            let record = self.records.record(RecordKind::User, &place(username)).await?;
            let record = record.ok_or(UserError::Unknown)?;
            let mut stored = parse(&record)?;
            change(&mut stored);
            let belongs_to = Belongs { subject: record.belongs_to.subject.clone(), ..Belongs::default() };
            let changed = Record { document: document(&stored)?, ..record };
            let gone = Write::RemoveAll { kinds: Kinds::These(ended.to_vec()), belongs_to };
            match self.records.apply(vec![Write::Replace(changed), gone]).await {
                Err(StoreError::Conflict) if attempts.next().is_some() => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Who it is, if the password is right and there were not too many wrong ones.
    pub async fn log_in(&self, tried: LogIn<'_>) -> Result<User, LogInError> {
        let internal = |error: StoreError| LogInError::Internal(error.into());
        let record = self.records.record(RecordKind::User, &place(tried.username)).await.map_err(internal)?;
        let stored = record.as_ref().map(parse).transpose().map_err(internal)?;
        let account = normal(tried.username);
        let device = tried.device.filter(|token| self.is_device(token, &account, stored.as_ref()));
        let who = device.map_or(Who::Stranger(tried.source), Who::Device);
        let counted = self.throttle.as_ref().map(|throttle| throttle.count(&account, who, self.clock.now()));
        let counted = counted.transpose().map_err(LogInError::TooManyTries)?;
        let hash = stored.as_ref().map(|stored| stored.password.as_str());
        let verdict = match self.passwords.verify(tried.password, hash, device.is_some()).await {
            Ok(verdict) => verdict,
            Err(Unverified::Busy) => {
                self.forgive(counted);
                return Err(LogInError::Busy(BUSY));
            }
            Err(Unverified::Internal(error)) => return Err(LogInError::Internal(error)),
        };
        let (Some(record), Some(mut stored)) = (record, stored) else { return Err(LogInError::Wrong) };
        if verdict == Verdict::Wrong || !stored.enabled {
            return Err(LogInError::Wrong);
        }
        self.forgive(counted);
        let subject = record.belongs_to.subject.clone().unwrap_or_default();
        if let Verdict::RightButWeak(again) = verdict {
            stored.password = again;
            self.keep_stronger(record, &stored).await;
        }
        Ok(user(subject, stored))
    }

    fn forgive(&self, counted: Option<Counted>) {
        if let (Some(throttle), Some(counted)) = (&self.throttle, counted) {
            throttle.forgive(counted);
        }
    }

    /// Keeps another hash of the same password. The next log-in does it where this one cannot.
    async fn keep_stronger(&self, record: Record, stored: &Stored) {
        let Ok(document) = document(stored) else { return };
        match self.records.apply(vec![Write::Replace(Record { document, ..record })]).await {
            Ok(()) => tracing::info!("hashed the password of somebody who logged in again, at today's cost"),
            Err(error) => tracing::warn!("a stronger hash of a password was not stored: {error}"),
        }
    }

    /// What a browser keeps in which this user has logged in, so that strangers' tries do not hold it up: for a year, and no
    /// longer than their password.
    pub fn device_token(&self, user: &User) -> String {
        let issued_at = self.clock.now().seconds().to_string();
        self.sealing_key.seal_text(&issued_at, &device_of(&normal(&user.username))).to_string()
    }

    fn is_device(&self, token: &str, account: &str, stored: Option<&Stored>) -> bool {
        let sealed: Option<SealedSecret> = token.parse().ok();
        let issued_at = sealed.and_then(|sealed| self.sealing_key.open_text(&sealed, &device_of(account)));
        let issued_at = issued_at.and_then(|text| text.parse().ok()).map(Timestamp);
        issued_at.zip(stored).is_some_and(|(issued_at, stored)| {
            stored.password_set_at <= issued_at && self.clock.now() < issued_at + DEVICE_LASTS
        })
    }
}

/// What a sealed device token is for.
fn device_of(account: &str) -> String {
    format!("device\n{account}")
}

/// Nobody should have to remember how they wrote their name, or how their keyboard did. RFC 8265 §3.3.
fn normal(username: &str) -> String {
    username.trim().nfc().collect::<String>().to_lowercase().nfc().collect()
}

fn place(username: &str) -> SecretHash {
    SecretHash::of(&normal(username))
}

fn user(subject: String, stored: Stored) -> User {
    User { subject, username: stored.username, claims: stored.claims, enabled: stored.enabled }
}

fn parse(record: &Record) -> Result<Stored, StoreError> {
    serde_json::from_str(record.document.get()).map_err(StoreError::backend)
}

fn read(record: Record) -> Result<User, StoreError> {
    let stored = parse(&record)?;
    Ok(user(record.belongs_to.subject.unwrap_or_default(), stored))
}

fn document(stored: &Stored) -> Result<Box<serde_json::value::RawValue>, UserError> {
    serde_json::value::to_raw_value(stored).map_err(|error| UserError::Internal(error.into()))
}

impl From<StoreError> for UserError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate => Self::Taken,
            error => Self::Internal(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
