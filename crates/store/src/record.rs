//! Records: whatever the authorization server keeps about its work, as opposed to the clients that it works for. One
//! shape for all: a key, an end, whom it belongs to, and a document that its kind alone understands.
//!
//! Many of them only make sense together: a code is taken as its tokens are stored, a refresh token is replaced as the
//! next one is stored. So there is one way to write, [`RecordStore::apply`], and it writes all or nothing.

use std::fmt;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use serde_json::value::RawValue;

use crate::StoreError;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// A key that the server signs with, sealed. RFC 7517.
    SigningKey,
    /// Somebody who can log in.
    User,
    /// A browser in which somebody has logged in.
    Session,
    /// What somebody allowed a client, remembered.
    Consent,
    /// What came of one authorization: it is there for as long as its tokens work. RFC 6749 §1.3.
    Grant,
    /// An authorization code. RFC 6749 §4.1.2.
    Code,
    /// A refresh token. RFC 6749 §1.5.
    RefreshToken,
    /// An access token that means nothing by itself. RFC 7662.
    ReferenceToken,
    /// A signed access token that was given back, until it ends by itself. RFC 7009.
    RevokedToken,
    /// The `jti` of an assertion, which works once. RFC 7523 §3.
    UsedAssertion,
}

impl RecordKind {
    /// The name in a database column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing_key",
            Self::User => "user",
            Self::Session => "session",
            Self::Consent => "consent",
            Self::Grant => "grant",
            Self::Code => "code",
            Self::RefreshToken => "refresh_token",
            Self::ReferenceToken => "reference_token",
            Self::RevokedToken => "revoked_token",
            Self::UsedAssertion => "used_assertion",
        }
    }
}

/// Whom a record belongs to, or whose records are meant.
///
/// ```
/// use enroll_store::Belongs;
///
/// let alice_at_the_shop = Belongs {
///     client: Some("shop".into()),
///     subject: Some("alice".to_owned()),
///     ..Belongs::default()
/// };
/// assert!(!alice_at_the_shop.is_to_nobody());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The client that it was made for.
    pub client: Option<ClientId>,
    /// The subject that it is about.
    pub subject: Option<String>,
    /// The session in which it came about.
    pub session: Option<String>,
    /// All that came of one authorization, to be ended together when a part of it is replayed. RFC 9700 §4.14.2.
    pub family: Option<String>,
}

impl Belongs {
    /// Whether nothing is given.
    pub fn is_to_nobody(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this has all that `given` has.
    pub fn includes(&self, given: &Self) -> bool {
        fn fits<T: PartialEq>(own: Option<&T>, given: Option<&T>) -> bool {
            given.is_none() || own == given
        }
        fits(self.client.as_ref(), given.client.as_ref())
            && fits(self.subject.as_ref(), given.subject.as_ref())
            && fits(self.session.as_ref(), given.session.as_ref())
            && fits(self.family.as_ref(), given.family.as_ref())
    }
}

/// A record as the server keeps it.
#[derive(Clone)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// The hash of what its holder presents, or of its name; unique in its kind.
    pub key: SecretHash,
    /// How often it was written. The store counts, from 1; what a new record says here is not read.
    pub revision: u64,
    /// Whom it belongs to, so that it can be removed with them.
    pub belongs_to: Belongs,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends, after which it may be swept away; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// What it stands for, as JSON whose shape its kind knows.
    pub document: Box<RawValue>,
}

impl Record {
    /// Whether it has ended by `now`: from the very second of `expires_at` on.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.key, self.revision, &self.belongs_to, self.issued_at, self.expires_at)
            == (other.kind, other.key, other.revision, &other.belongs_to, other.issued_at, other.expires_at)
            && self.document.get() == other.document.get()
    }
}

/// Without the document, which may hold what people told the server, and the hashes of passwords.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("kind", &self.kind)
            .field("revision", &self.revision)
            .field("belongs_to", &self.belongs_to)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Which kinds of records are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Every one, those of a newer version too.
    All,
    /// These, and with an empty list none.
    These(Vec<RecordKind>),
}

impl Kinds {
    /// Whether this kind is meant.
    pub fn include(&self, kind: RecordKind) -> bool {
        match self {
            Self::All => true,
            Self::These(kinds) => kinds.contains(&kind),
        }
    }
}

/// One change to the records.
#[derive(Clone, Debug)]
pub enum Write {
    /// Stores a new record; [`StoreError::Duplicate`] when its kind has one of this key, even one that has ended.
    Insert(Record),
    /// Stores a record in the place of the one of its kind, key and revision; [`StoreError::Conflict`] when there is
    /// none. Whom it belongs to stays what it was, whatever is said here.
    Replace(Record),
    /// Removes a record.
    Remove {
        /// Its kind.
        kind: RecordKind,
        /// Its key.
        key: SecretHash,
        /// With a revision this takes the record: of all who try, one does, and the others get
        /// [`StoreError::Conflict`]. Without, a record that is gone already is fine.
        revision: Option<u64>,
    },
    /// Removes every record of these kinds that belongs to all of the given.
    RemoveAll {
        /// Which kinds.
        kinds: Kinds,
        /// Whose. An error when nothing is given: that would be everybody's.
        belongs_to: Belongs,
    },
}

impl Write {
    /// Refuses what no store may do. A store calls this for each write before it does the first.
    pub fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::RemoveAll { belongs_to, .. } if belongs_to.is_to_nobody() => Err(StoreError::backend(
                "whose records are to be removed? give a client, a subject, a session or a family",
            )),
            _ => Ok(()),
        }
    }
}

/// Keeping records. Implement this to bring your own store, and apply
/// [`record_store_conformance!`](crate::record_store_conformance).
#[async_trait]
pub trait RecordStore: Send + Sync + 'static {
    /// The record of this key, ended or not: the caller judges, by its own clock.
    async fn record(&self, kind: RecordKind, key: &SecretHash) -> Result<Option<Record>, StoreError>;

    /// Does all of these in their order, or, when one fails, none. Once this returns, they survive a power cut.
    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// At most `limit` records of one kind that belong to all of the given, or to whomever when nothing is given, and
    /// whose keys come after `after`, in the order of the keys' bytes.
    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// Removes at most `limit` records that have ended by `now`, those first that ended first, and says how many: less
    /// than `limit` means that none is left.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_without_its_document() {
        let document = RawValue::from_string(r#"{"password":"$argon2id$"}"#.to_owned()).unwrap();
        let record = Record {
            kind: RecordKind::User,
            key: SecretHash::of("alice"),
            revision: 1,
            belongs_to: Belongs::default(),
            issued_at: Timestamp(1),
            expires_at: None,
            document,
        };
        let shown = format!("{:?}", Write::Insert(record));
        assert!(shown.contains("User") && !shown.contains("argon2id"), "{shown}");
    }

    #[test]
    fn who_is_given_in_part_is_included_by_who_has_that_part() {
        let client = Belongs { client: Some("a".into()), ..Belongs::default() };
        let both = Belongs { subject: Some("b".to_owned()), ..client.clone() };
        assert!(both.includes(&client) && both.includes(&both) && both.includes(&Belongs::default()));
        assert!(!client.includes(&both) && !Belongs::default().includes(&client));
    }
}
