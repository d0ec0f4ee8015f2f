//! The cryptographic library's key pairs, parsed once: parsing takes about as long as a signature. RFC 7518 §3.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use enroll_oauth_types::Pkcs8;

use crate::SigningAlgorithm;
use crate::public_key::PublicKey;

/// SEC 1 §2.3.3: one octet that says that both coordinates follow, then those.
const UNCOMPRESSED: usize = 1;

/// As long as the curve P-256 asks. RFC 7518 §6.2.1.2.
const COORDINATE: usize = 32;

/// A private key that can sign with one algorithm.
pub(crate) enum KeyPair {
    Rsa { key: RsaKeyPair, padding: &'static dyn RsaEncoding },
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                Self::Rsa { key: RsaKeyPair::generate(KeySize::Rsa2048)?, padding: padding(algorithm) }
            }
            SigningAlgorithm::Es256 => Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            SigningAlgorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::generate()?),
        })
    }

    pub(crate) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &Pkcs8) -> Result<Self, KeyRejected> {
        let der = pkcs8.expose();
        Ok(match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                Self::Rsa { key: RsaKeyPair::from_pkcs8(der)?, padding: padding(algorithm) }
            }
            SigningAlgorithm::Es256 => {
                Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?)
            }
            SigningAlgorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der)?),
        })
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Pkcs8, Unspecified> {
        Ok(match self {
            Self::Rsa { key, .. } => {
                let der: Pkcs8V1Der<'_> = key.as_der()?;
                Pkcs8::from(der.as_ref())
            }
            Self::P256(key) => Pkcs8::from(key.to_pkcs8v1()?.as_ref()),
            Self::Ed25519(key) => Pkcs8::from(key.to_pkcs8v1()?.as_ref()),
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // Only there for the shape of another library: the key has its own.
        let random = SystemRandom::new();
        match self {
            Self::Rsa { key, padding } => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*padding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Self::P256(key) => Ok(key.sign(&random, message)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.try_sign(message)?.as_ref().to_vec()),
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        match self {
            Self::Rsa { key, .. } => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                PublicKey::rsa(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())
            }
            Self::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = point[UNCOMPRESSED..].split_at(COORDINATE);
                PublicKey::p256(x, y)
            }
            Self::Ed25519(key) => PublicKey::ed25519(key.public_key().as_ref()),
        }
    }

    /// The key that verifies what this one signs, parsed as well.
    pub(crate) fn verifier(&self, algorithm: SigningAlgorithm) -> Result<ParsedPublicKey, KeyRejected> {
        let verification: &'static dyn VerificationAlgorithm = match algorithm {
            SigningAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            SigningAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            SigningAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            SigningAlgorithm::EdDsa => &ED25519,
        };
        match self {
            Self::Rsa { key, .. } => ParsedPublicKey::new(verification, key.public_key()),
            Self::P256(key) => ParsedPublicKey::new(verification, key.public_key()),
            Self::Ed25519(key) => ParsedPublicKey::new(verification, key.public_key()),
        }
    }
}

fn padding(algorithm: SigningAlgorithm) -> &'static dyn RsaEncoding {
    if algorithm == SigningAlgorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 }
}
