//! ID tokens: who has logged in, and when, for one client. OpenID Connect Core 1.0 §2.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{ClientId, ClientMetadata, Seconds, Timestamp};
use enroll_store::Client;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::authorization::ACR;
use crate::grants::UserGrant;
use crate::tokens::access_token::Audience;
use crate::tokens::claims;
use crate::tokens::encryption::{Said, encrypted};
use crate::{ProtocolError, Provider, User};

/// How long an ID token lives where the client does not say, in seconds.
const DEFAULT_LIFETIME: u32 = 300;

/// The type that stands in the header: no access token. RFC 8725 §3.11.
const TYPE: &str = "JWT";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a ClientId,
    exp: u64,
    iat: u64,
    sid: String,
    amr: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(flatten)]
    of_user: Map<String, Value>,
}

/// What an ID token of this server says, when somebody shows it again.
#[derive(Debug)]
pub(crate) struct IdTokenHint {
    pub(crate) subject: String,
    pub(crate) session: Option<String>,
    audience: Audience,
}

impl IdTokenHint {
    /// Whether it was for this client.
    pub(crate) fn is_for(&self, client: &ClientId) -> bool {
        self.audience.contains(client.as_str())
    }

    /// The client that it was for.
    pub(crate) fn client(&self) -> ClientId {
        ClientId::from(self.audience.first())
    }
}

impl Provider {
    /// The ID token that goes along with this access token, or with none.
    pub(crate) async fn id_token(
        &self,
        client: &Client,
        user: &User,
        grant: &UserGrant,
        nonce: Option<&str>,
        access_token: Option<&str>,
    ) -> Result<String, ProtocolError> {
        let recipient = self.recipient(client, Said::IdToken).await?;
        let now = self.clock.now();
        let lifetime = client.metadata.identity_token_lifetime.map_or(DEFAULT_LIFETIME, Seconds::get);
        let algorithm = algorithm(&client.metadata);
        // Those of the scopes are at the UserInfo endpoint, for whoever gets a token to ask there. §5.4.
        let mut of_user = match access_token {
            Some(_) => Map::new(),
            None => claims::of_scope(user, &grant.scope(client), &self.catalog),
        };
        claims::add(&mut of_user, user, self.single_claims(client, &grant.facts.claims.id_token));
        let claims = Claims {
            iss: &self.issuer,
            sub: &self.subject_for(client, &user.subject),
            aud: &client.id,
            exp: (now + Duration::from_secs(lifetime.into())).seconds(),
            iat: now.seconds(),
            sid: self.session_for(client, &grant.session),
            amr: ["pwd"],
            at_hash: access_token.map(|token| at_hash(token, algorithm)),
            nonce,
            auth_time: grant.facts.tells_auth_time.then_some(grant.facts.auth_time.seconds()),
            acr: grant.facts.tells_acr.then_some(ACR),
            of_user,
        };
        let signed = self.signed_until(Timestamp(claims.exp), algorithm, TYPE, &claims).await?;
        encrypted(recipient.as_ref(), signed)
    }

    /// What an ID token of this server says, ended or not. One that is still encrypted says nothing: it is its client that
    /// decrypts it first (OpenID Connect Core 1.0 §3.1.2.1). OpenID Connect RP-Initiated Logout 1.0 §2.
    pub(crate) fn id_token_hint(&self, token: &str) -> Option<IdTokenHint> {
        let verified = self.keys.ring().verify(token, self.clock.now()).ok()?;
        if verified.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let text = |name: &str| verified.claims.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("iss")? != self.issuer {
            return None;
        }
        // A signed answer of the UserInfo endpoint has no end, and is no ID token. §2
        verified.claims.get("exp")?;
        let audience = serde_json::from_value(verified.claims.get("aud")?.clone()).ok()?;
        Some(IdTokenHint { subject: text("sub")?, session: text("sid"), audience })
    }
}

/// What the client registered, or, where it only said what it can read, the first of those. §3.1.3.7, item 6.
fn algorithm(metadata: &ClientMetadata) -> SigningAlgorithm {
    let readable: Vec<SigningAlgorithm> = metadata
        .allowed_identity_token_signing_algorithms
        .iter()
        .flatten()
        .filter_map(SigningAlgorithm::of)
        .collect();
    let registered = metadata.id_token_signed_response_alg.as_ref().and_then(SigningAlgorithm::of);
    let asked = registered.unwrap_or(SigningAlgorithm::Rs256);
    match readable.first() {
        Some(first) if !readable.contains(&asked) => *first,
        _ => asked,
    }
}

/// The left half of the hash that belongs to the algorithm. §3.1.3.6; for Ed25519 that is SHA-512.
fn at_hash(access_token: &str, algorithm: SigningAlgorithm) -> String {
    let hash = match algorithm {
        SigningAlgorithm::EdDsa => digest(&SHA512, access_token.as_bytes()),
        _ => digest(&SHA256, access_token.as_bytes()),
    };
    let bytes = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(over: Value) -> ClientMetadata {
        ClientMetadata::try_from(over).unwrap()
    }

    #[test]
    fn an_id_token_is_signed_as_registered_or_as_its_reader_can_read() {
        let of = |over: Value| algorithm(&metadata(over)).as_str();
        assert_eq!(of(serde_json::json!({})), "RS256");
        assert_eq!(of(serde_json::json!({ "id_token_signed_response_alg": "EdDSA" })), "EdDSA");
        let can = |names: &[&str]| serde_json::json!({ "allowed_identity_token_signing_algorithms": names });
        assert_eq!(of(can(&["ES256", "RS256"])), "RS256");
        assert_eq!(of(can(&["ES256", "PS256"])), "ES256");
        assert_eq!(of(can(&[])), "RS256");
    }

    /// OpenID Connect Core 1.0 Appendix A.3
    #[test]
    fn the_hash_of_an_access_token_is_the_left_half() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(token, SigningAlgorithm::Rs256), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
