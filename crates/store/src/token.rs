//! Tokens at rest: a hash, an end, a number of uses, and what the token stands for.

use std::fmt;

use async_trait::async_trait;
use enroll_oauth_types::{Random, SecretHash, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::StoreError;

/// The public name of a token, to list and revoke it by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(String);

impl TokenId {
    /// A new, unique name that sorts by time.
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        // A client identifier is a name of the same make.
        Self(enroll_oauth_types::ClientId::generate(now.seconds().saturating_mul(1000), random).to_string())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TokenId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Registers clients. RFC 7591 §1.2.
    InitialAccessToken,
    /// No token that anybody presents, but a key that is found and ended as one: registrations are sealed under it. Its hash is
    /// that of its name, which stands in each `client_id` that it sealed. RFC 7591 Appendix A.5.2.
    RegistrationKey,
}

impl TokenKind {
    /// The name in a database column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InitialAccessToken => "initial_access_token",
            Self::RegistrationKey => "registration_key",
        }
    }
}

/// A token as the server keeps it.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its public name.
    pub id: TokenId,
    /// What it is for.
    pub kind: TokenKind,
    /// The hash of what its holder presents.
    pub hash: SecretHash,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// How often it can still be used; `None` is without limit.
    pub uses_left: Option<u32>,
    /// What it stands for, as JSON whose shape its kind knows.
    pub data: Box<RawValue>,
}

impl Token {
    /// Whether it can be used at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.uses_left != Some(0) && self.expires_at.is_none_or(|end| now < end)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.kind, self.hash, self.issued_at, self.expires_at, self.uses_left, self.data.get())
            == (
                &other.id,
                other.kind,
                other.hash,
                other.issued_at,
                other.expires_at,
                other.uses_left,
                other.data.get(),
            )
    }
}

/// Keeping tokens. Uses are taken by the write that the token pays for
/// ([`ClientStore::insert`](crate::ClientStore::insert)), never on their own.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Stores a new token; [`StoreError::Duplicate`] when its name or hash is taken.
    async fn put(&self, token: &Token) -> Result<(), StoreError>;

    /// The token of this hash, usable or not.
    async fn get(&self, kind: TokenKind, hash: &SecretHash) -> Result<Option<Token>, StoreError>;

    /// Ends a token for good; `false` when there is none of this name.
    async fn revoke(&self, id: &TokenId) -> Result<bool, StoreError>;

    /// At most `limit` tokens of one kind whose names come after `after`, in the order of their names.
    async fn tokens(
        &self,
        kind: TokenKind,
        after: Option<&TokenId>,
        limit: u32,
    ) -> Result<Vec<Token>, StoreError>;
}
