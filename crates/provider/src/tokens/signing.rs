//! Signing what this server says, with the key that signs now. RFC 7515, RFC 8725 §3.11.

use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{Algorithm, Timestamp};
use serde::Serialize;

use crate::{ProtocolError, Provider};

/// The algorithm of this name, if this server signs with it.
pub(crate) fn supported(algorithm: Option<&Algorithm>) -> Option<SigningAlgorithm> {
    algorithm.and_then(SigningAlgorithm::of)
}

impl Provider {
    /// Signs what will be verified until then: the key is published for as long.
    pub(crate) async fn signed_until(
        &self,
        end: Timestamp,
        algorithm: SigningAlgorithm,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, ProtocolError> {
        self.keys.keep_until(algorithm, end).await.map_err(ProtocolError::internal)?;
        self.signed(algorithm, typ, claims).await
    }

    /// Signs what is verified as it comes.
    pub(crate) async fn signed(
        &self,
        algorithm: SigningAlgorithm,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, ProtocolError> {
        self.must_have_key(algorithm).await?;
        self.signed_now(algorithm, typ, claims)
    }

    /// Sees to it that there is a key of this algorithm.
    pub(crate) async fn must_have_key(&self, algorithm: SigningAlgorithm) -> Result<(), ProtocolError> {
        self.keys.must_have(algorithm).await.map_err(ProtocolError::internal)
    }

    /// Signs with a key that must be there.
    pub(crate) fn signed_now(
        &self,
        algorithm: SigningAlgorithm,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, ProtocolError> {
        let ring = self.keys.ring();
        let key = ring.signer(algorithm, self.clock.now());
        let key = key.ok_or_else(|| ProtocolError::internal("there is no signing key"))?;
        key.sign_jwt(Some(typ), claims).map_err(ProtocolError::internal)
    }
}
