//! Assertions of registered clients, by the keys that they registered, here or at their `jwks_uri`. RFC 7523 §3.

use std::time::Duration;

use enroll_oauth_types::{ClientId, ClientMetadata, ClientSecret, Jwks, Timestamp};
use enroll_outbound::{Document, Media, Outbound};
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client_assertion::{AssertionError, AssertionRules, ClientAssertion};

/// Whose an assertion must be, and where it is presented.
#[derive(Clone, Copy, Debug)]
pub struct SignedBy<'a> {
    /// Whose it must be.
    pub client: &'a ClientId,
    /// What the client registered, when there is such a client.
    pub metadata: Option<&'a ClientMetadata>,
    /// What `aud` must be, or contain, one of.
    pub audiences: &'a [&'a str],
}

impl SignedBy<'_> {
    /// Verifies the assertion. One that the client did not sign is answered when the slowest host of keys would have given
    /// up, whether there is such a client and such a host or not: the time tells nothing.
    pub async fn verify(
        &self,
        token: &str,
        outbound: Option<&Outbound>,
        now: Timestamp,
    ) -> Result<ClientAssertion, AssertionError> {
        let end = Instant::now() + outbound.map_or(Duration::ZERO, Outbound::patience);
        let verified = timeout_at(end, self.by_any_key(token, outbound, now)).await;
        let verified = verified.unwrap_or(Err(AssertionError::NotSigned));
        if verified == Err(AssertionError::NotSigned) && ClientAssertion::is_for(token, self.client) {
            sleep_until(end).await;
        }
        verified
    }

    /// Verifies an assertion by the secrets that both sides have.
    pub fn verify_shared(
        &self,
        token: &str,
        secrets: &[ClientSecret],
        now: Timestamp,
    ) -> Result<ClientAssertion, AssertionError> {
        ClientAssertion::verify_shared(token, secrets, &self.rules(None, now))
    }

    async fn by_any_key(
        &self,
        token: &str,
        outbound: Option<&Outbound>,
        now: Timestamp,
    ) -> Result<ClientAssertion, AssertionError> {
        // Nobody is asked for what does not even claim to be the client's.
        let metadata = self.metadata.filter(|_| ClientAssertion::is_for(token, self.client));
        let keys = match metadata {
            Some(metadata) => keys_of(metadata, outbound).await,
            None => None,
        };
        let verified = self.by_keys(token, keys.as_ref(), now);
        let uri = metadata
            .filter(|metadata| metadata.jwks.is_none())
            .and_then(|metadata| metadata.jwks_uri.as_ref());
        match (verified, outbound, uri) {
            (Err(AssertionError::NotSigned), Some(outbound), Some(uri)) => {
                let anew = outbound.refetch(uri.as_str(), Media::JwkSet).await; // it may have a new key
                self.by_keys(token, anew.ok().as_ref().and_then(jwks).as_ref(), now)
            }
            (verified, _, _) => verified,
        }
    }

    fn by_keys(
        &self,
        token: &str,
        keys: Option<&Jwks>,
        now: Timestamp,
    ) -> Result<ClientAssertion, AssertionError> {
        ClientAssertion::verify(token, &self.rules(keys, now))
    }

    fn rules<'a>(&'a self, keys: Option<&'a Jwks>, now: Timestamp) -> AssertionRules<'a> {
        let algorithm = self.metadata.and_then(|metadata| metadata.token_endpoint_auth_signing_alg.as_ref());
        AssertionRules { client: self.client, keys, algorithm, audiences: self.audiences, now }
    }
}

/// The keys of a client: its `jwks`, or what its `jwks_uri` holds. `None` when it has none, or its host does not show them
/// now.
async fn keys_of(metadata: &ClientMetadata, outbound: Option<&Outbound>) -> Option<Jwks> {
    if let Some(jwks) = &metadata.jwks {
        return Some(jwks.clone());
    }
    let document = outbound?.jwk_set(metadata.jwks_uri.as_ref()?.as_str()).await;
    jwks(&document.ok()?)
}

/// The JWK Set that a document holds, unjudged.
pub fn jwks(document: &Document) -> Option<Jwks> {
    serde_json::from_slice::<&RawValue>(&document.bytes).ok().map(Jwks::from_raw)
}
