//! What the authorization server remembers of its work: keys, codes, tokens, sessions, each a record with an end.
//!
//! One shape for all, so that a store has one table to keep and one to sweep. What stands in a record is JSON whose shape
//! its kind knows.

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use serde_json::value::RawValue;

use crate::StoreError;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// A private key, sealed.
    SigningKey,
    /// A signed request that must not be taken twice. RFC 7523 §3, item 7.
    UsedAssertion,
    /// An access token that says nothing by itself. RFC 6749 §1.4.
    ReferenceToken,
}

impl RecordKind {
    /// The name in a database column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing_key",
            Self::UsedAssertion => "used_assertion",
            Self::ReferenceToken => "reference_token",
        }
    }
}

/// Whose a record is, so that it goes when they go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The client.
    pub client: Option<ClientId>,
    /// The user.
    pub subject: Option<String>,
    /// The session of the user.
    pub session: Option<String>,
    /// What came of one grant.
    pub family: Option<String>,
}

impl Belongs {
    /// Whether it belongs to all of these.
    pub(crate) fn to(&self, wanted: &Self) -> bool {
        fn is<T: PartialEq>(own: Option<&T>, wanted: Option<&T>) -> bool {
            wanted.is_none() || own == wanted
        }
        is(self.client.as_ref(), wanted.client.as_ref())
            && is(self.subject.as_ref(), wanted.subject.as_ref())
            && is(self.session.as_ref(), wanted.session.as_ref())
            && is(self.family.as_ref(), wanted.family.as_ref())
    }
}

/// One thing that is remembered.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// The hash of what its holder presents, or of its name.
    pub key: SecretHash,
    /// Counts the changes.
    pub revision: u64,
    /// Whose it is.
    pub belongs_to: Belongs,
    /// Since when it is there.
    pub issued_at: Timestamp,
    /// From this moment on it is over, and may be swept; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// What it says.
    pub document: Box<RawValue>,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let parts =
            |record: &Self| (record.kind, record.key, record.revision, record.issued_at, record.expires_at);
        parts(self) == parts(other)
            && self.belongs_to == other.belongs_to
            && self.document.get() == other.document.get()
    }
}

/// A change to the records.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new one. [`StoreError::Duplicate`] when its kind has that key.
    Insert(Record),
    /// Another in its place, its revision counted up. [`StoreError::Conflict`] when the revision is not the stored one, or
    /// it is gone.
    Replace(Record),
    /// Takes one away: of several that try with its revision, one succeeds. [`StoreError::Conflict`] for the others.
    Take(RecordKind, SecretHash, u64),
    /// Takes away all of a kind, or of any, that belong to all of these. Nothing when nothing is said of whom.
    TakeAll(Option<RecordKind>, Belongs),
}

/// Keeping records.
#[async_trait]
pub trait RecordStore: Send + Sync + 'static {
    /// The record of this key, over or not.
    async fn record(&self, kind: RecordKind, key: &SecretHash) -> Result<Option<Record>, StoreError>;

    /// Makes all of these changes, or none. When this returns `Ok`, they survive a power cut.
    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// At most `limit` records of a kind that belong to all of these, whose keys come after `after`, in the order of keys.
    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// Takes away at most `limit` records that are over; how many those were.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError>;
}
