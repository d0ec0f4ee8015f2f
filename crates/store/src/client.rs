//! A registered client, and what a store does with it.
//!
//! To write a store: implement [`ClientReader`] and [`ClientStore`], keep [`Client::to_document`] beside the
//! columns that your queries need, and apply [`client_store_conformance!`](crate::client_store_conformance).

use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, ClientMetadata, Extensions, SealedSecret, SecretHash, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{StoreError, TokenId};

/// A client as the server knows it: what it registered, with what the server decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// `client_id_issued_at`.
    pub issued_at: Timestamp,
    /// The last change of any kind.
    pub updated_at: Timestamp,
    /// Counts the changes, from 1 on; [`ClientStore::replace`] refuses a change based on an older one. 0 is that of a client
    /// of which nothing is stored: [`Client::is_sealed`].
    pub revision: u64,
    /// Only an operator clears or sets this.
    pub enabled: bool,
    /// Who let this client in.
    pub registered_by: RegisteredBy,
    /// The effective metadata, as the client is told it.
    pub metadata: ClientMetadata,
    /// The client secrets that work, the newest last.
    pub secrets: Vec<StoredSecret>,
    /// The hash of the registration access token, when the client may manage itself.
    pub registration_access_token: Option<SecretHash>,
    /// The tokens before, the oldest first, while their owner may have no other.
    pub superseded_tokens: Vec<SupersededToken>,
    /// The signed requests that could still be replayed.
    pub used_assertions: Vec<UsedAssertion>,
}

/// A registration access token that another took the place of, and that works until the other one is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupersededToken {
    /// What the presented token must hash to.
    pub hash: SecretHash,
    /// With this and the token itself, its successor can be computed again, should the answer that showed it be lost.
    /// `None` when the one that works now does not come from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// A signed request that must not be taken twice. RFC 7523 §3, item 7.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsedAssertion {
    /// The hash of its `jti`.
    pub jti: SecretHash,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A client secret at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// What the presented secret must hash to.
    pub hash: SecretHash,
    /// The secret itself, sealed, when the server must read it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedSecret>,
    /// When it was given.
    pub issued_at: Timestamp,
    /// When it ends; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl StoredSecret {
    /// Whether it has not ended.
    pub fn works(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Who let a client in: the kind of credential and, where it has one, whose it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredBy {
    /// `anonymous`, `initial_access_token`, `bearer_jwt`, `operator` or the name of an authenticator of yours.
    pub kind: String,
    /// The name of the terms that it was let in on.
    #[serde(default = "default_policy")]
    pub policy: String,
    /// Who vouches for the subject: the `iss` of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject, or the identifier of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl RegisteredBy {
    /// Somebody with a credential of this kind, on the terms that everybody has.
    pub fn kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), policy: default_policy(), issuer: None, subject: None }
    }
}

/// What the terms of whoever has no others are called.
fn default_policy() -> String {
    "default".to_owned()
}

/// The stored form. Members that nobody validated stay apart from the known ones, so that a later version cannot
/// mistake one for a validated member.
#[derive(Serialize, Deserialize)]
struct Document<Id, Metadata, Unknown, By, Secrets, Superseded, Used> {
    client_id: Id,
    issued_at: Timestamp,
    updated_at: Timestamp,
    enabled: bool,
    registered_by: By,
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Unknown>,
    secrets: Secrets,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_access_token: Option<SecretHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_tokens: Option<Superseded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_assertions: Option<Used>,
}

/// Room for a usual document, so that it need not grow while it is written.
const USUAL: usize = 2048;

impl Client {
    /// A client that nobody has changed yet, and that has nothing to prove who it is: enabled, at revision 1.
    pub fn new(id: ClientId, issued_at: Timestamp, registered_by: RegisteredBy) -> Self {
        Self {
            id,
            issued_at,
            updated_at: issued_at,
            revision: 1,
            enabled: true,
            registered_by,
            metadata: ClientMetadata::default(),
            secrets: Vec::new(),
            registration_access_token: None,
            superseded_tokens: Vec::new(),
            used_assertions: Vec::new(),
        }
    }

    /// Whether nothing of it is stored: it was read from its own `client_id`, and its first change stores it. RFC 7591
    /// Appendix A.5.2.
    pub fn is_sealed(&self) -> bool {
        self.revision == 0
    }

    /// The client as one JSON document, all but its `revision`, which is the store's to count.
    pub fn to_document(&self) -> String {
        let extensions = &self.metadata.extensions;
        let document = Document {
            client_id: &self.id,
            issued_at: self.issued_at,
            updated_at: self.updated_at,
            enabled: self.enabled,
            registered_by: &self.registered_by,
            metadata: &self.metadata,
            extensions: (!extensions.is_empty()).then_some(extensions),
            secrets: &self.secrets,
            registration_access_token: self.registration_access_token,
            superseded_tokens: (!self.superseded_tokens.is_empty()).then_some(&self.superseded_tokens),
            used_assertions: (!self.used_assertions.is_empty()).then_some(&self.used_assertions),
        };
        let mut written = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut written, &document).expect("a client is made of JSON");
        String::from_utf8(written).expect("JSON is UTF-8")
    }

    /// The client that [`Client::to_document`] wrote.
    pub fn from_document(document: &str, revision: u64) -> Result<Self, StoreError> {
        type Owned = Document<
            ClientId,
            ClientMetadata,
            Extensions,
            RegisteredBy,
            Vec<StoredSecret>,
            Vec<SupersededToken>,
            Vec<UsedAssertion>,
        >;
        let document: Owned = serde_json::from_str(document).map_err(StoreError::backend)?;
        let mut metadata = document.metadata;
        metadata.extensions = document.extensions.unwrap_or_default();
        Ok(Self {
            id: document.client_id,
            issued_at: document.issued_at,
            updated_at: document.updated_at,
            revision,
            enabled: document.enabled,
            registered_by: document.registered_by,
            metadata,
            secrets: document.secrets,
            registration_access_token: document.registration_access_token,
            superseded_tokens: document.superseded_tokens.unwrap_or_default(),
            used_assertions: document.used_assertions.unwrap_or_default(),
        })
    }
}

/// Which part of a list: at most `limit` clients whose identifiers come after `after`.
#[derive(Clone, Debug)]
pub struct Page {
    /// The last identifier of the page before.
    pub after: Option<ClientId>,
    /// How many at the most.
    pub limit: u32,
}

/// Reading clients: all that the authorization server gets.
#[async_trait]
pub trait ClientReader: Send + Sync + 'static {
    /// The client of this identifier, if there is one. It is shared, since a store may keep what it read for those who ask
    /// again.
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError>;

    /// The same, perhaps as it was a moment ago: a store that several nodes share need not ask the database each time. How
    /// long a moment is, it says itself. That a client may do something can be taken from here; that it may not, or is not
    /// there, only from [`ClientReader::client`].
    async fn recent_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.client(id).await
    }

    /// When the client that had this identifier was deleted; `None` when nobody had it, or somebody has it. Who still
    /// comes with it is told so.
    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError>;

    /// Somebody has allowed this client something: a store that had not written it down may do so now. When this returns
    /// `Ok`, that survives a power cut. By default there is nothing to do; a reader around another one passes it on.
    async fn confirm(&self, client: &Client) -> Result<(), StoreError> {
        let _already_stored = client;
        Ok(())
    }
}

/// Writing clients. When a method returns `Ok`, the change survives a power cut.
#[async_trait]
pub trait ClientStore: ClientReader {
    /// Stores a new client and takes one use of the token `paid_with`: both, or neither.
    ///
    /// [`StoreError::Duplicate`] when the identifier is a client's, or was: nobody inherits what others know of a client
    /// that was deleted.
    ///
    /// [`StoreError::Spent`] when at `client.issued_at` the token has no use left, is expired or gone. A store that
    /// keeps no tokens is never given one.
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError>;

    /// Replaces the client and counts its revision up; [`StoreError::Conflict`] when `client.revision` is not the
    /// stored one, or the client is gone.
    async fn replace(&self, client: &Client) -> Result<(), StoreError>;

    /// Deletes the client, and keeps its identifier with the time `now` for [`ClientReader::deleted_at`]; `false` when
    /// there was none.
    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError>;

    /// The clients by identifier, byte by byte, a page at a time. Where those of more than 64 bytes stand among the others is
    /// the store's own affair, since not every index takes them.
    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError>;
}
