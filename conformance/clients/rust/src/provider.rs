//! What the crate reads of the discovery document, and the one member more that we need. RFC 8414 §2.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, ProviderMetadata, RevocationUrl};
use serde::{Deserialize, Serialize};
use url::{ParseError, Url};

/// A provider that revokes tokens.
pub(crate) type Provider = ProviderMetadata<
    Revocation,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The member of RFC 8414 that OpenID Connect Discovery 1.0 lacks.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Revocation {
    revocation_endpoint: Url,
}

impl AdditionalProviderMetadata for Revocation {}

/// The crate revokes over TLS alone, and has no switch. The server on loopback has none, so [`crate::transport`] ends it.
pub(crate) fn revocation_url(provider: &Provider) -> Result<RevocationUrl, ParseError> {
    let url = provider.additional_metadata().revocation_endpoint.as_str();
    RevocationUrl::new(url.replacen("http://", "https://", 1))
}
