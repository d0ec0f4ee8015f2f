//! Access tokens: signed ones that say what they are for, and handles that the server looks up. RFC 9068, RFC 6749 §1.4.

use std::time::Duration;

use enroll_oauth_types::{AccessTokenType, ClientId, ReferenceToken, Seconds, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalog::Extent;
use crate::grants::UserGrant;
use crate::session::name;
use crate::{ProtocolError, Provider};

/// The media type of signed access tokens, so that no ID token passes for one. RFC 9068 §2.1.
pub(crate) const TYPE: &str = "at+jwt";

/// How long an access token lives where the client does not say, in seconds.
const DEFAULT_LIFETIME: u32 = 3600;

/// A token to be.
pub(crate) struct NewAccessToken<'a> {
    pub(crate) client: &'a Client,
    pub(crate) subject: String,
    pub(crate) extent: Extent,
    /// What came of the user's authorization, where one takes part.
    pub(crate) grant: Option<&'a UserGrant>,
}

/// A token, and what must be stored before it is given away.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) ends_at: Timestamp,
    /// Seconds.
    pub(crate) lifetime: u32,
    pub(crate) write: Option<Write>,
}

/// What a token says. RFC 9068 §2.2.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: Audience,
    pub(crate) client_id: ClientId,
    pub(crate) exp: u64,
    pub(crate) iat: u64,
    pub(crate) jti: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auth_time: Option<u64>,
    /// What its resources want to know of the user.
    #[serde(flatten)]
    pub(crate) of_user: Map<String, Value>,
}

/// One audience as a string, as most readers expect it, several as a list. RFC 7519 §4.1.3.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn of(mut audience: Vec<String>, otherwise: &str) -> Self {
        match (audience.len(), audience.pop()) {
            // A token for no resource of ours is for this server alone. RFC 9068 §3.
            (_, None) => Self::One(otherwise.to_owned()),
            (1, Some(only)) => Self::One(only),
            (_, Some(last)) => {
                audience.push(last);
                Self::Several(audience)
            }
        }
    }

    pub(crate) fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(own) => own == audience,
            Self::Several(own) => own.iter().any(|own| own == audience),
        }
    }

    pub(crate) fn first(&self) -> &str {
        match self {
            Self::One(own) => own,
            Self::Several(own) => own.first().map_or("", String::as_str),
        }
    }
}

impl Claims {
    /// Of which authorization a token came: the first part of its name.
    pub(crate) fn family(&self) -> Option<&str> {
        self.jti.split_once('.').map(|(family, _)| family)
    }
}

impl Provider {
    /// Makes a token of the kind that the client registered for.
    pub(crate) async fn access_token(&self, new: NewAccessToken<'_>) -> Result<AccessToken, ProtocolError> {
        let now = self.clock.now();
        let lifetime = lifetime(&new, now);
        let is_reference = new.client.metadata.access_token_type == Some(AccessTokenType::Reference);
        let belongs_to = belongs(&new);
        let claims = self.claims(new, now, lifetime);
        let (text, write) = if is_reference {
            let (token, record) = self.handle(&claims, belongs_to, now).map_err(ProtocolError::internal)?;
            (token, Some(Write::Insert(record)))
        } else {
            let end = Timestamp(claims.exp);
            (self.signed_until(end, self.access_token_algorithm, TYPE, &claims).await?, None)
        };
        Ok(AccessToken { text, ends_at: Timestamp(claims.exp), lifetime, write })
    }

    fn claims(&self, new: NewAccessToken<'_>, now: Timestamp, lifetime: u32) -> Claims {
        let random = name(self.random.as_ref());
        let mut of_user = Map::new();
        if let Some(grant) = new.grant {
            let wanted = new.extent.resources.iter().flat_map(|resource| &resource.claims);
            let known = wanted.filter_map(|name| grant.facts.of_user.get_key_value(name));
            of_user.extend(known.map(|(name, value)| (name.clone(), value.clone())));
        }
        Claims {
            iss: self.issuer.clone(),
            sub: new.subject,
            aud: Audience::of(new.extent.audience(), &self.issuer),
            client_id: new.client.id.clone(),
            exp: (now + Duration::from_secs(lifetime.into())).seconds(),
            iat: now.seconds(),
            jti: new.grant.map_or_else(|| random.clone(), |grant| format!("{}.{random}", grant.family)),
            scope: new.extent.scope.as_str().to_owned(),
            auth_time: new.grant.map(|grant| grant.facts.auth_time.seconds()),
            of_user,
        }
    }

    fn handle(
        &self,
        claims: &Claims,
        belongs_to: Belongs,
        now: Timestamp,
    ) -> serde_json::Result<(String, Record)> {
        let token = ReferenceToken::generate(self.random.as_ref());
        let record = Record {
            kind: RecordKind::ReferenceToken,
            key: token.hash(),
            revision: 1,
            belongs_to,
            issued_at: now,
            expires_at: Some(Timestamp(claims.exp)),
            document: serde_json::value::to_raw_value(claims)?,
        };
        Ok((token.expose().to_owned(), record))
    }

    /// What a token says that this server issued, as long as it has not ended, was not given back, its client and its user
    /// are there and enabled, and what it came of still holds.
    pub(crate) async fn claims_of(&self, token: &str) -> Result<Option<Claims>, StoreError> {
        let now = self.clock.now();
        let claims = match self.signed_claims(token) {
            Some(claims) => Some(claims).filter(|claims| now.seconds() < claims.exp),
            None => self.stored_claims(token, now).await?,
        };
        let Some(claims) = claims else { return Ok(None) };
        if self.records.record(RecordKind::RevokedToken, &SecretHash::of(&claims.jti)).await?.is_some() {
            return Ok(None);
        }
        if let Some(family) = claims.family()
            && self.grant_of_present_user(family).await?.is_none()
        {
            return Ok(None);
        }
        let client = self.clients.recent_client(&claims.client_id).await?;
        Ok(client.filter(|client| client.enabled).map(|_| claims))
    }

    async fn stored_claims(&self, token: &str, now: Timestamp) -> Result<Option<Claims>, StoreError> {
        let hash = ReferenceToken::presented(token.to_owned()).hash();
        let record = self.records.record(RecordKind::ReferenceToken, &hash).await?;
        let record = record.filter(|record| !record.has_ended(now));
        let read = |record: Record| serde_json::from_str(record.document.get());
        record.map(read).transpose().map_err(StoreError::backend)
    }

    /// What a signed token of this server says, ended or not.
    pub(crate) fn signed_claims(&self, token: &str) -> Option<Claims> {
        let verified = self.keys.ring().verify(token, self.clock.now()).ok()?;
        let claims = (verified.typ.as_deref() == Some(TYPE)).then_some(verified.claims)?;
        let claims: Claims = serde_json::from_value(Value::Object(claims)).ok()?;
        (claims.iss == self.issuer).then_some(claims)
    }
}

/// What the client registered, but no longer than any of the resources wants, nor, where that is so registered, than
/// the user is logged in.
fn lifetime(new: &NewAccessToken<'_>, now: Timestamp) -> u32 {
    let metadata = &new.client.metadata;
    let registered = metadata.access_token_lifetime.map_or(DEFAULT_LIFETIME, Seconds::get);
    let of_resources = new.extent.resources.iter().filter_map(|resource| resource.access_token_lifetime);
    let of_session = new.grant.and_then(|grant| grant.seconds_left(metadata, now));
    of_resources.chain(of_session).fold(registered, u32::min)
}

fn belongs(new: &NewAccessToken<'_>) -> Belongs {
    Belongs {
        client: Some(new.client.id.clone()),
        ..new.grant.map(UserGrant::belongs_to).unwrap_or_default()
    }
}
