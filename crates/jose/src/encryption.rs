//! Encrypting to a client, with its public key. RFC 7516, RFC 7518 §4, §5.
//!
//! Only with the feature `jwe`, which needs OpenSSL. Nothing is decrypted here: nobody encrypts anything to this server.

use std::fmt;

use enroll_oauth_types::{Algorithm, Jwks};
use josekit::jwe::alg::ecdh_es::EcdhEsJweAlgorithm;
use josekit::jwe::alg::rsaes::RsaesJweAlgorithm;
use josekit::jwe::{JweEncrypter, JweHeader, serialize_compact};
use josekit::jwk::Jwk;
use serde_json::{Map, Value};

/// How a content key reaches the client. RFC 7518 §4.1.
///
/// There is no `RSA1_5`, which tells whoever asks often enough what was encrypted (RFC 8725 §3.2), and nothing for secrets that
/// both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyManagement {
    /// RSA with OAEP and its default parameters, the only OAEP that some libraries of clients have. RFC 7518 §4.3.
    RsaOaep,
    /// RSA with OAEP and SHA-256. RFC 7518 §4.3.
    RsaOaep256,
    /// What is agreed upon is the content key. RFC 7518 §4.6.
    EcdhEs,
    /// What is agreed upon wraps the content key, by AES of 128 bits. RFC 7518 §4.6.
    EcdhEsA128Kw,
    /// The same with 256 bits.
    EcdhEsA256Kw,
}

impl KeyManagement {
    /// All of them, in the order in which they are published.
    pub const ALL: [Self; 5] =
        [Self::RsaOaep256, Self::RsaOaep, Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw];

    /// The algorithm of this name; `None` when the server does not encrypt by it.
    ///
    /// ```
    /// use enroll_jose::KeyManagement;
    /// use enroll_oauth_types::Algorithm;
    ///
    /// assert_eq!(KeyManagement::of(&Algorithm::from("ECDH-ES")), Some(KeyManagement::EcdhEs));
    /// assert_eq!(KeyManagement::of(&Algorithm::from("RSA1_5")), None);
    /// ```
    pub fn of(algorithm: &Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == algorithm.as_str())
    }

    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    fn encrypter(self, key: &Jwk) -> Option<Box<dyn JweEncrypter>> {
        fn boxed(encrypter: impl JweEncrypter + 'static) -> Box<dyn JweEncrypter> {
            Box::new(encrypter)
        }
        let rsa = |algorithm: RsaesJweAlgorithm| algorithm.encrypter_from_jwk(key).map(boxed);
        let agreed = |algorithm: EcdhEsJweAlgorithm| algorithm.encrypter_from_jwk(key).map(boxed);
        let encrypter = match self {
            Self::RsaOaep => rsa(RsaesJweAlgorithm::RsaOaep),
            Self::RsaOaep256 => rsa(RsaesJweAlgorithm::RsaOaep256),
            Self::EcdhEs => agreed(EcdhEsJweAlgorithm::EcdhEs),
            Self::EcdhEsA128Kw => agreed(EcdhEsJweAlgorithm::EcdhEsA128kw),
            Self::EcdhEsA256Kw => agreed(EcdhEsJweAlgorithm::EcdhEsA256kw),
        };
        encrypter.ok()
    }
}

/// How the content itself is encrypted. RFC 7518 §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncryption {
    /// AES-CBC of 128 bits with HMAC: where nothing else is registered. RFC 7518 §5.2.3.
    A128CbcHs256,
    /// AES-CBC of 256 bits with HMAC. RFC 7518 §5.2.5.
    A256CbcHs512,
    /// AES-GCM of 128 bits. RFC 7518 §5.3.
    A128Gcm,
    /// AES-GCM of 256 bits. RFC 7518 §5.3.
    A256Gcm,
}

impl ContentEncryption {
    /// All of them, in the order in which they are published.
    pub const ALL: [Self; 4] = [Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// The algorithm of this name; `None` when the server does not encrypt by it.
    pub fn of(algorithm: &Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == algorithm.as_str())
    }

    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }
}

impl From<KeyManagement> for Algorithm {
    fn from(algorithm: KeyManagement) -> Self {
        Self::from(algorithm.as_str())
    }
}

impl From<ContentEncryption> for Algorithm {
    fn from(algorithm: ContentEncryption) -> Self {
        Self::from(algorithm.as_str())
    }
}

/// A client's public key, and how that client wants to be encrypted to.
#[derive(Clone)]
pub struct Recipient {
    encrypter: Box<dyn JweEncrypter>,
    enc: ContentEncryption,
    kid: Option<String>,
}

/// The cryptographic library did not encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be encrypted")]
pub struct EncryptionError;

impl Recipient {
    /// The owner of these keys; `None` when none of them is for this. OpenID Connect Core 1.0 §10.2.
    pub fn of(keys: &Jwks, alg: KeyManagement, enc: ContentEncryption) -> Option<Self> {
        let (key, members) = keys.to_encrypt_with(&Algorithm::from(alg))?;
        Some(Self { encrypter: alg.encrypter(&bare(&members)?)?, enc, kid: key.kid })
    }

    /// A token, signed before, in another around it: a nested JWT. RFC 7519 §5.2, Appendix A.2.
    pub fn encrypt_jwt(&self, signed: &str) -> Result<String, EncryptionError> {
        self.encrypt(signed.as_bytes(), Some("JWT"))
    }

    /// Claims that nobody signed. RFC 7519 §7.1.
    pub fn encrypt_claims(&self, claims: &Map<String, Value>) -> Result<String, EncryptionError> {
        let claims = serde_json::to_vec(claims).map_err(|_| EncryptionError)?;
        self.encrypt(&claims, None)
    }

    fn encrypt(&self, content: &[u8], content_type: Option<&str>) -> Result<String, EncryptionError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(self.enc.as_str());
        if let Some(content_type) = content_type {
            header.set_content_type(content_type);
        }
        if let Some(kid) = &self.kid {
            header.set_key_id(kid);
        }
        serialize_compact(content, &header, self.encrypter.as_ref()).map_err(|_| EncryptionError)
    }
}

/// The members that make the key: what it is for was judged before, and the library would judge it otherwise.
fn bare(members: &Map<String, Value>) -> Option<Jwk> {
    let make = |(name, _): &(&String, &Value)| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "n" | "e");
    let members = members.iter().filter(make).map(|(name, value)| (name.clone(), value.clone()));
    Jwk::from_map(members.collect::<Map<_, _>>()).ok()
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alg, enc) = (self.encrypter.algorithm().name(), self.enc.as_str());
        f.debug_struct("Recipient").field("alg", &alg).field("enc", &enc).field("kid", &self.kid).finish()
    }
}

#[cfg(test)]
mod tests;
