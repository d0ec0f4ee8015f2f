//! What came of one authorization: who allowed which client what, and when. Codes, refresh tokens and access tokens point at
//! it, and none works without it: to end them all, this is removed. RFC 6749 §1.3, RFC 9700 §4.14.2.

use enroll_oauth_types::{ClientId, ClientMetadata, Scope, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Kinds, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authorization::{AuthorizationRequest, ClaimsRequest, Present};
use crate::session::name;
use crate::tokens::claims;
use crate::{Catalog, ProtocolError, Provider, User};

/// What came of one authorization.
#[derive(Clone, Debug)]
pub(crate) struct UserGrant {
    /// What all that came of it has in common.
    pub(crate) family: String,
    client: ClientId,
    /// The user, by the subject that no client sees where subjects are pairwise.
    pub(crate) subject: String,
    /// `sid`
    pub(crate) session: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    revision: u64,
    pub(crate) facts: Facts,
}

/// What the tokens of an authorization say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    scope: String,
    /// What was named as `resource`, if anything was, but for what the user closed.
    resources: Option<Vec<String>>,
    pub(crate) auth_time: Timestamp,
    /// When the session ends in which it came about.
    session_ends_at: Timestamp,
    /// Whether the ID token must tell when the user logged in, and how.
    pub(crate) tells_auth_time: bool,
    pub(crate) tells_acr: bool,
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub(crate) claims: ClaimsRequest,
    /// What the resources' tokens tell of the user, as it was then.
    pub(crate) of_user: Map<String, Value>,
}

impl Provider {
    /// What comes of this request, for as long as the code works.
    pub(crate) fn new_grant(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        scope: &Scope,
        ends_at: Timestamp,
    ) -> UserGrant {
        let metadata = &request.client.metadata;
        UserGrant {
            family: name(self.random.as_ref()),
            client: request.client.id.clone(),
            subject: present.user.subject.clone(),
            session: present.session.sid.clone(),
            issued_at: self.clock.now(),
            ends_at,
            revision: 1,
            facts: Facts {
                scope: scope.as_str().to_owned(),
                resources: (!request.resources.is_empty())
                    .then(|| self.catalog.still_open(&request.resources, &request.extent.scope, scope)),
                auth_time: present.session.authenticated_at,
                session_ends_at: present.session.ends_at,
                tells_auth_time: metadata.require_auth_time == Some(true)
                    || request.max_age.is_some()
                    || request.claims.wants_auth_time(),
                tells_acr: !request.acr_values.is_empty() || request.claims.id_token.contains_key("acr"),
                claims: self.claims_within(request, scope),
                of_user: self.told_to_resources(&present.user),
            },
        }
    }

    /// What any resource wants to know of a user.
    pub(crate) fn told_to_resources(&self, user: &User) -> Map<String, Value> {
        let mut told = Map::new();
        claims::add(&mut told, user, self.catalog.claims());
        told
    }

    /// What came of the authorization of this name, while it holds.
    pub(crate) async fn user_grant(&self, family: &str) -> Result<Option<UserGrant>, StoreError> {
        let record = self.records.record(RecordKind::Grant, &place(family)).await?;
        record.filter(|record| !record.has_ended(self.clock.now())).map(UserGrant::read).transpose()
    }

    /// The same, while its user is there and may log in.
    pub(crate) async fn grant_of_present_user(&self, family: &str) -> Result<Option<UserGrant>, StoreError> {
        let Some(grant) = self.user_grant(family).await? else { return Ok(None) };
        let user = self.users.of_subject(&grant.subject).await?;
        Ok(user.filter(|user| user.enabled).map(|_| grant))
    }

    /// Ends all that came of one authorization.
    pub(crate) async fn end_grant(&self, family: &str) -> Result<(), StoreError> {
        self.records.apply(UserGrant::ended(family).into()).await
    }
}

impl UserGrant {
    /// That all that came of the authorization of this name is over.
    pub(crate) fn ended(family: &str) -> [Write; 2] {
        let first = Write::Remove { kind: RecordKind::Grant, key: place(family), revision: None };
        let belongs_to = Belongs { family: Some(family.to_owned()), ..Belongs::default() };
        [first, Write::RemoveAll { kinds: Kinds::All, belongs_to }]
    }

    fn read(record: Record) -> Result<Self, StoreError> {
        let Belongs { client, subject, session, family } = record.belongs_to;
        Ok(Self {
            family: family.unwrap_or_default(),
            client: client.unwrap_or_else(|| ClientId::from("")),
            subject: subject.unwrap_or_default(),
            session: session.unwrap_or_default(),
            issued_at: record.issued_at,
            ends_at: record.expires_at.unwrap_or_default(),
            revision: record.revision,
            facts: serde_json::from_str(record.document.get()).map_err(StoreError::backend)?,
        })
    }

    fn record(&self) -> Result<Record, ProtocolError> {
        Ok(Record {
            kind: RecordKind::Grant,
            key: place(&self.family),
            revision: self.revision,
            belongs_to: self.belongs_to(),
            issued_at: self.issued_at,
            expires_at: Some(self.ends_at),
            document: serde_json::value::to_raw_value(&self.facts).map_err(ProtocolError::internal)?,
        })
    }

    /// Stores it for the first time.
    pub(crate) fn begun(&self) -> Result<Write, ProtocolError> {
        Ok(Write::Insert(self.record()?))
    }

    /// Keeps it until then, if it would end before.
    pub(crate) fn kept_until(&self, end: Timestamp) -> Result<Option<Write>, ProtocolError> {
        if end <= self.ends_at {
            return Ok(None);
        }
        Ok(Some(Write::Replace(Record { expires_at: Some(end), ..self.record()? })))
    }

    /// To whom it belongs, and all that comes of it.
    pub(crate) fn belongs_to(&self) -> Belongs {
        Belongs {
            client: Some(self.client.clone()),
            subject: Some(self.subject.clone()),
            session: Some(self.session.clone()),
            family: Some(self.family.clone()),
        }
    }

    /// What the user allowed, as far as the client is still registered for it.
    pub(crate) fn scope(&self, client: &Client) -> Scope {
        let allowed = Scope::from(self.facts.scope.as_str());
        let registered = client.metadata.scope.as_ref();
        allowed.values().filter(|value| registered.is_some_and(|own| own.contains(value))).collect()
    }

    /// Where it leads, if that was said, but for what has closed since then. RFC 8707 §2.2.
    pub(crate) fn resources(&self, client: &Client, catalog: &Catalog) -> Option<Vec<String>> {
        let allowed = Scope::from(self.facts.scope.as_str());
        let named = self.facts.resources.as_ref()?;
        Some(catalog.still_open(named, &allowed, &self.scope(client)))
    }

    /// Whether its refresh tokens end with the user's session: those of clients that registered so, and those that nobody
    /// was asked to allow for when the user is away. OpenID Connect Core 1.0 §11.
    pub(crate) fn ends_with_session(&self, metadata: &ClientMetadata) -> bool {
        let is_offline = self.facts.scope.split(' ').any(|value| value == "offline_access");
        !is_offline || is_coordinated(metadata)
    }

    /// When its refresh tokens end at the latest, for that reason.
    pub(crate) fn end_of_session(&self, metadata: &ClientMetadata) -> Option<Timestamp> {
        self.ends_with_session(metadata).then_some(self.facts.session_ends_at)
    }

    /// How many seconds an access token may live, where it ends with the user's session.
    pub(crate) fn seconds_left(&self, metadata: &ClientMetadata, now: Timestamp) -> Option<u32> {
        let left = self.facts.session_ends_at.seconds().saturating_sub(now.seconds());
        is_coordinated(metadata).then(|| u32::try_from(left).unwrap_or(u32::MAX))
    }
}

/// Whether all tokens of a client end with the user's session.
pub(crate) fn is_coordinated(metadata: &ClientMetadata) -> bool {
    metadata.coordinate_lifetime_with_user_session == Some(true)
}

fn place(family: &str) -> SecretHash {
    SecretHash::of(family)
}
