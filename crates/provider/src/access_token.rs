//! Access tokens: signed ones that say what they are for, and handles that the server looks up. RFC 9068, RFC 6749 §1.4.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{AccessTokenType, ClientId, ReferenceToken, Seconds, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalog::Grant;
use crate::{ProtocolError, Provider};

/// The media type of signed access tokens, so that no ID token passes for one. RFC 9068 §2.1.
pub(crate) const TYPE: &str = "at+jwt";

/// How long an access token lives where the client does not say, in seconds.
const DEFAULT_LIFETIME: u32 = 3600;

/// A token to be.
pub(crate) struct NewAccessToken<'a> {
    pub(crate) client: &'a Client,
    pub(crate) subject: &'a str,
    pub(crate) grant: Grant,
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
}

/// One audience as a string, as most readers expect it, several as a list. RFC 7519 §4.1.3.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Provider {
    /// Issues a token of the kind that the client registered for: the token, and how many seconds it lives.
    pub(crate) async fn issue(&self, new: NewAccessToken<'_>) -> Result<(String, u32), ProtocolError> {
        let metadata = &new.client.metadata;
        let lifetime = metadata.access_token_lifetime.map_or(DEFAULT_LIFETIME, Seconds::get);
        let is_reference = metadata.access_token_type == Some(AccessTokenType::Reference);
        let now = self.clock.now();
        let claims = self.claims(new, now, lifetime);
        match is_reference {
            true => Ok((self.store(&claims, now).await?, lifetime)),
            false => Ok((self.sign(&claims, now)?, lifetime)),
        }
    }

    fn claims(&self, new: NewAccessToken<'_>, now: Timestamp, lifetime: u32) -> Claims {
        let mut jti = [0; 16];
        self.random.fill(&mut jti);
        let mut audience = new.grant.audience;
        let aud = match (audience.len(), audience.pop()) {
            // A token for no resource of ours is for this server alone. RFC 9068 §3.
            (_, None) => Audience::One(self.issuer.clone()),
            (1, Some(only)) => Audience::One(only),
            (_, Some(last)) => {
                audience.push(last);
                Audience::Several(audience)
            }
        };
        Claims {
            iss: self.issuer.clone(),
            sub: new.subject.to_owned(),
            aud,
            client_id: new.client.id.clone(),
            exp: now.seconds().saturating_add(lifetime.into()),
            iat: now.seconds(),
            jti: URL_SAFE_NO_PAD.encode(jti),
            scope: new.grant.scope.as_str().to_owned(),
        }
    }

    fn sign(&self, claims: &Claims, now: Timestamp) -> Result<String, ProtocolError> {
        let ring = self.keys.ring();
        let key = ring.signer(SigningAlgorithm::Es256, now);
        let key = key.ok_or_else(|| ProtocolError::internal("there is no signing key"))?;
        key.sign_jwt(Some(TYPE), claims).map_err(ProtocolError::internal)
    }

    async fn store(&self, claims: &Claims, now: Timestamp) -> Result<String, ProtocolError> {
        let token = ReferenceToken::generate(self.random.as_ref());
        let lifetime = Duration::from_secs(claims.exp.saturating_sub(claims.iat));
        let record = Record {
            kind: RecordKind::ReferenceToken,
            key: token.hash(),
            revision: 1,
            belongs_to: Belongs { client: Some(claims.client_id.clone()), ..Belongs::default() },
            issued_at: now,
            expires_at: Some(now + lifetime),
            document: serde_json::value::to_raw_value(claims).map_err(ProtocolError::internal)?,
        };
        self.records.apply(vec![Write::Insert(record)]).await?;
        Ok(token.expose().to_owned())
    }

    /// What a token says that this server issued, as long as it has not ended and its client is there and enabled.
    pub(crate) async fn claims_of(&self, token: &str) -> Result<Option<Claims>, StoreError> {
        let now = self.clock.now();
        let claims: Option<Claims> = if let Some(claims) = self.signed_claims(token) {
            serde_json::from_value(Value::Object(claims)).ok()
        } else {
            let hash = ReferenceToken::presented(token.to_owned()).hash();
            let record = self.records.record(RecordKind::ReferenceToken, &hash).await?;
            let read = |record: Record| serde_json::from_str(record.document.get());
            record.map(read).transpose().map_err(StoreError::backend)?
        };
        let Some(claims) = claims.filter(|claims| now.seconds() < claims.exp && claims.iss == self.issuer)
        else {
            return Ok(None);
        };
        let client = self.clients.client(&claims.client_id).await?;
        Ok(client.filter(|client| client.enabled).map(|_| claims))
    }

    pub(crate) fn signed_claims(&self, token: &str) -> Option<Map<String, Value>> {
        let verified = self.keys.ring().verify(token, self.clock.now()).ok()?;
        (verified.typ.as_deref() == Some(TYPE)).then_some(verified.claims)
    }
}
