//! Encrypting what this server says, to clients that registered for it. OpenID Connect Core 1.0 §10.2, §16.14, RFC 9701 §5,
//! JARM §2.2.
//!
//! What a client registered to be encrypted is encrypted, or is not said: also by a build that cannot encrypt.

#[cfg(feature = "jwe")]
use enroll_jose::{ContentEncryption, KeyManagement};
use enroll_oauth_types::{Algorithm, ClientMetadata, ErrorCode};
#[cfg(feature = "jwe")]
use enroll_oauth_types::{Jwks, Uri};
#[cfg(feature = "jwe")]
use enroll_outbound::{Document, FetchError, Media};
use enroll_store::Client;

use crate::{ProtocolError, Provider};

#[cfg(feature = "jwe")]
pub(crate) use enroll_jose::Recipient;

#[cfg(not(feature = "jwe"))]
pub(crate) use nobody::Recipient;

/// What is said to a client, and may be encrypted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    IdToken,
    UserInfo,
    Introspection,
    AuthorizationResponse,
}

/// How a client wants it to be encrypted.
struct Registered<'a> {
    member: &'static str,
    alg: &'a Algorithm,
    #[cfg_attr(not(feature = "jwe"), expect(dead_code, reason = "nothing is encrypted"))]
    enc: Option<&'a Algorithm>,
}

impl Said {
    /// What the client registered; `None` when that is to be read by anybody who gets it.
    fn registered(self, metadata: &ClientMetadata) -> Option<Registered<'_>> {
        let (member, alg, enc) = match self {
            Self::IdToken => (
                "id_token_encrypted_response_alg",
                &metadata.id_token_encrypted_response_alg,
                &metadata.id_token_encrypted_response_enc,
            ),
            Self::UserInfo => (
                "userinfo_encrypted_response_alg",
                &metadata.userinfo_encrypted_response_alg,
                &metadata.userinfo_encrypted_response_enc,
            ),
            Self::Introspection => (
                "introspection_encrypted_response_alg",
                &metadata.introspection_encrypted_response_alg,
                &metadata.introspection_encrypted_response_enc,
            ),
            Self::AuthorizationResponse => (
                "authorization_encrypted_response_alg",
                &metadata.authorization_encrypted_response_alg,
                &metadata.authorization_encrypted_response_enc,
            ),
        };
        Some(Registered { member, alg: alg.as_ref()?, enc: enc.as_ref() })
    }

    /// Whether the client registered for it to be encrypted.
    pub(crate) fn is_secret(self, metadata: &ClientMetadata) -> bool {
        self.registered(metadata).is_some()
    }
}

impl Registered<'_> {
    /// The client must mend its registration, or its keys.
    fn cannot(&self, problem: impl std::fmt::Display) -> ProtocolError {
        ProtocolError::new(ErrorCode::InvalidClientMetadata, format!("{}: {problem}", self.member))
    }
}

/// What was signed, encrypted where there is somebody to encrypt it to.
pub(crate) fn encrypted(recipient: Option<&Recipient>, signed: String) -> Result<String, ProtocolError> {
    match recipient {
        Some(recipient) => recipient.encrypt_jwt(&signed).map_err(ProtocolError::internal),
        None => Ok(signed),
    }
}

impl Provider {
    /// To whom this is encrypted; `None` where the client did not register for that.
    pub(crate) async fn recipient(
        &self,
        client: &Client,
        said: Said,
    ) -> Result<Option<Recipient>, ProtocolError> {
        match said.registered(&client.metadata) {
            Some(registered) => self.registered_recipient(&client.metadata, &registered).await.map(Some),
            None => Ok(None),
        }
    }

    #[cfg(feature = "jwe")]
    async fn registered_recipient(
        &self,
        metadata: &ClientMetadata,
        registered: &Registered<'_>,
    ) -> Result<Recipient, ProtocolError> {
        let alg = KeyManagement::of(registered.alg);
        let enc = registered.enc.map_or(Some(ContentEncryption::A128CbcHs256), ContentEncryption::of);
        let (Some(alg), Some(enc)) = (alg, enc) else {
            return Err(registered.cannot("this server does not encrypt so any more"));
        };
        let by_keys = |keys: &Jwks| Recipient::of(keys, alg, enc);
        let found = match (&metadata.jwks, &metadata.jwks_uri) {
            (Some(keys), _) => by_keys(keys),
            (None, Some(uri)) => self.recipient_at(uri, registered, by_keys).await?,
            (None, None) => None,
        };
        found.ok_or_else(|| {
            registered
                .cannot(format_args!("none of the client's keys is for {}: publish one", registered.alg))
        })
    }

    /// With the keys at the client's `jwks_uri`, read again when there is none to encrypt to: the client may have a new one.
    #[cfg(feature = "jwe")]
    async fn recipient_at(
        &self,
        uri: &Uri,
        registered: &Registered<'_>,
        by_keys: impl Fn(&Jwks) -> Option<Recipient>,
    ) -> Result<Option<Recipient>, ProtocolError> {
        let Some(outbound) = &self.outbound else {
            return Err(registered.cannot("this server does not fetch the keys of clients"));
        };
        let by_document = |document: Result<Document, FetchError>| match document {
            Ok(document) => Ok(Jwks::from_slice(&document.bytes).as_ref().and_then(&by_keys)),
            // So many are fetched just now, or from there: it is we who cannot.
            Err(error @ (FetchError::Busy | FetchError::Budget { .. })) => {
                Err(ProtocolError::internal(error))
            }
            Err(error) => Err(registered.cannot(format_args!("jwks_uri could not be fetched: {error}"))),
        };
        match by_document(outbound.jwk_set(uri.as_str()).await)? {
            Some(recipient) => Ok(Some(recipient)),
            None => by_document(outbound.refetch(uri.as_str(), Media::JwkSet).await),
        }
    }

    #[cfg(not(feature = "jwe"))]
    #[expect(clippy::unused_async, reason = "where something is encrypted, keys are fetched")]
    async fn registered_recipient(
        &self,
        _: &ClientMetadata,
        registered: &Registered<'_>,
    ) -> Result<Recipient, ProtocolError> {
        Err(registered
            .cannot(format_args!("this server does not encrypt, by {} or otherwise", registered.alg)))
    }
}

#[cfg(not(feature = "jwe"))]
mod nobody {
    use std::convert::Infallible;

    use serde_json::{Map, Value};

    /// There is nobody to encrypt to.
    #[derive(Clone, Debug)]
    pub(crate) enum Recipient {}

    impl Recipient {
        pub(crate) fn encrypt_jwt(&self, _: &str) -> Result<String, Infallible> {
            match *self {}
        }

        pub(crate) fn encrypt_claims(&self, _: &Map<String, Value>) -> Result<String, Infallible> {
            match *self {}
        }
    }
}
