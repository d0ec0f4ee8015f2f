//! What can go wrong with keys, signing and verifying. None of it quotes a key or a token.

use crate::SigningAlgorithm;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The octets are no private key for this algorithm.
    #[error(
        "the private key must be PKCS#8 of a key for {algorithm}, RSA of 2048 to 8192 bits: {reason}. Make a new one"
    )]
    Unsuitable {
        /// What the key was to sign with.
        algorithm: SigningAlgorithm,
        /// What the cryptographic library says.
        reason: String,
    },
    /// Two keys with one name: one RSA key for two algorithms, or one key twice.
    #[error("the key `{kid}` must be there once, for one algorithm: remove one of the two")]
    Twice {
        /// The name of both.
        kid: String,
    },
}

/// Why claims were not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The claims are nothing that JSON can say.
    #[error("the claims must be JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The claims are JSON, but no object. RFC 7519 §3.
    #[error("the claims must be a JSON object")]
    NotAnObject,
    /// The cryptographic library did not sign.
    #[error("the signature could not be made")]
    Failed,
}

/// Why a token is not one that this server signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is no JWS in compact serialization, or its payload is no JSON object. RFC 7515 §7.1, RFC 7519 §3.
    #[error("the token is not a signed JWT")]
    Malformed,
    /// Its header has something else than this server writes, `crit` among it. RFC 7515 §4.1.11.
    #[error("the header of the token must have the members alg, typ and kid alone")]
    Header,
    /// The key that it names is not published now.
    #[error("the key of the token is not known, or not any more")]
    UnknownKey,
    /// Its algorithm is not the one of its key. RFC 8725 §3.1.
    #[error("the algorithm of the token is not the one of its key")]
    Algorithm,
    /// Somebody else signed it, or it was changed.
    #[error("the signature of the token is not valid")]
    Signature,
}
