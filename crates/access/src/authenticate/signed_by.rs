//! Assertions of registered clients: by the keys that they registered, here or at their `jwks_uri`, or by their secrets.
//! RFC 7523 §3, OpenID Connect Core 1.0 §9.

use std::time::Duration;

use enroll_oauth_types::{ClientId, ClientMetadata, ClientSecret, Jwks, Timestamp};
use enroll_outbound::{Document, FetchError, Media, Outbound};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client_assertion::{AssertionError, AssertionRules, ClientAssertion};

/// Whose an assertion must be, what it may be signed with, and where it is presented.
#[derive(Clone, Copy, Debug)]
pub struct SignedBy<'a> {
    /// Whose it must be.
    pub client: &'a ClientId,
    /// What the client registered, when there is such a client.
    pub metadata: Option<&'a ClientMetadata>,
    /// The secrets that both sides have, for a client that signs with those alone.
    pub secrets: &'a [ClientSecret],
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
        let verified = if self.secrets.is_empty() {
            let verified = timeout_at(end, self.by_any_key(token, outbound, now)).await;
            verified.unwrap_or(Err(AssertionError::NotSigned))
        } else {
            ClientAssertion::verify_shared(token, self.secrets, &self.rules(None, now))
        };
        if verified == Err(AssertionError::NotSigned) && ClientAssertion::is_for(token, self.client) {
            sleep_until(end).await;
        }
        verified
    }

    async fn by_any_key(
        &self,
        token: &str,
        outbound: Option<&Outbound>,
        now: Timestamp,
    ) -> Result<ClientAssertion, AssertionError> {
        // Nobody is asked for what does not even claim to be the client's.
        let metadata = self.metadata.filter(|_| ClientAssertion::is_for(token, self.client));
        let inline = metadata.and_then(|metadata| metadata.jwks.as_ref());
        let uri = metadata.and_then(|metadata| metadata.jwks_uri.as_ref());
        let by_keys = |keys: Option<&Jwks>| ClientAssertion::verify(token, &self.rules(keys, now));
        let by_document = |document: Result<Document, FetchError>| {
            by_keys(document.ok().and_then(|document| Jwks::from_slice(&document.bytes)).as_ref())
        };
        let (None, Some(uri), Some(outbound)) = (inline, uri, outbound) else { return by_keys(inline) };
        match by_document(outbound.jwk_set(uri.as_str()).await) {
            // The client may have a new key.
            Err(AssertionError::NotSigned) => {
                by_document(outbound.refetch(uri.as_str(), Media::JwkSet).await)
            }
            verified => verified,
        }
    }

    fn rules<'a>(&'a self, keys: Option<&'a Jwks>, now: Timestamp) -> AssertionRules<'a> {
        let algorithm = self.metadata.and_then(|metadata| metadata.token_endpoint_auth_signing_alg.as_ref());
        AssertionRules { client: self.client, keys, algorithm, audiences: self.audiences, now }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use enroll_oauth_types::{SystemClock, SystemRandom};
    use enroll_outbound::Limits;
    use serde_json::json;

    use super::*;

    /// A client that signs with a secret must not be told from one that is not there.
    #[tokio::test(start_paused = true)]
    async fn a_forged_assertion_takes_as_long_whatever_the_client_signs_with() {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.AAAA", part(json!({ "alg": "HS256" })), part(json!({ "iss": "app" })));
        let limits = Limits::default();
        let patience = limits.total.as_secs();
        let outbound = Outbound::builder(Arc::new(SystemClock), limits).build().unwrap();
        let (client, metadata) = (ClientId::from("app"), ClientMetadata::default());
        for (metadata, secrets) in [
            (None, vec![]),
            (Some(&metadata), vec![]),
            (Some(&metadata), vec![ClientSecret::generate(&SystemRandom)]),
        ] {
            let signed = SignedBy { client: &client, metadata, secrets: &secrets, audiences: &[] };
            let begun = Instant::now();
            let verified = signed.verify(&token, Some(&outbound), Timestamp(1)).await;
            assert_eq!(verified, Err(AssertionError::NotSigned));
            assert_eq!(begun.elapsed().as_secs(), patience);
        }
    }
}
