//! What makes a key a key: sizes, and points that lie on their curve. RFC 7518 §6, RFC 8037 §2.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::Members;
use crate::Rejection;

/// The kinds of key that were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    X25519,
    /// Not checked, so not usable; the standard asks to ignore it. RFC 7517 §5.
    Unknown,
}

impl PublicKey {
    pub(super) fn read(kty: &str, members: &Members<'_>) -> Result<Self, Rejection> {
        match kty {
            "RSA" => read_rsa(members),
            "EC" => read_ec(members),
            "OKP" => read_okp(members),
            _ => Ok(Self::Unknown),
        }
    }

    pub(super) fn can_sign(self) -> bool {
        matches!(self, Self::Rsa | Self::P256 | Self::P384 | Self::P521 | Self::Ed25519)
    }

    pub(super) fn can_encrypt(self) -> bool {
        matches!(self, Self::Rsa | Self::P256 | Self::P384 | Self::P521 | Self::X25519)
    }

    /// Whether this is the kind of key that the algorithm signs with. RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.
    pub(super) fn fits(self, algorithm: &str) -> bool {
        match self {
            Self::Rsa => algorithm.starts_with("RS") || algorithm.starts_with("PS"),
            Self::P256 => algorithm == "ES256",
            Self::P384 => algorithm == "ES384",
            Self::P521 => algorithm == "ES512",
            Self::Ed25519 => matches!(algorithm, "EdDSA" | "Ed25519"),
            Self::X25519 | Self::Unknown => false,
        }
    }

    /// Whether this is the kind of key that the algorithm hands a content key over with. RFC 7518 §4.1, RFC 8037 §3.2.
    pub(super) fn agrees_or_unwraps(self, algorithm: &str) -> bool {
        match self {
            Self::Rsa => algorithm.starts_with("RSA"),
            Self::P256 | Self::P384 | Self::P521 | Self::X25519 => {
                algorithm == "ECDH-ES" || algorithm.starts_with("ECDH-ES+")
            }
            Self::Ed25519 | Self::Unknown => false,
        }
    }
}

/// RFC 7518 §3.3 and §6.3.1
fn read_rsa(members: &Members<'_>) -> Result<PublicKey, Rejection> {
    let n = octets(members, "n")?;
    let e = octets(members, "e")?;
    let (Some(&first), Some(&last)) = (n.first(), n.last()) else {
        return Err(members.refuse("n", "must not be empty"));
    };
    // Libraries that put a sign octet first are known; the ones that verify would then refuse the key.
    if first == 0 {
        return Err(members.refuse("n", "must not begin with a zero octet"));
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !(2048..=8192).contains(&bits) {
        return Err(members.refuse("n", "must have from 2048 to 8192 bits"));
    }
    if last % 2 == 0 {
        return Err(members.refuse("n", "must be the product of two odd primes"));
    }
    let is_exponent =
        |e: &[u8]| e.first() != Some(&0) && e.last().is_some_and(|last| last % 2 == 1) && e != [1];
    if !is_exponent(&e) {
        return Err(members.refuse("e", "must be an odd number from 3, such as AQAB"));
    }
    let key = RsaPublicKeyComponents { n, e }.as_der();
    match key.map(|key| ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref())) {
        Ok(Ok(_)) => Ok(PublicKey::Rsa),
        _ => Err(members.refuse("e", "must be the exponent of an RSA key, such as AQAB")),
    }
}

/// RFC 7518 §6.2.1
fn read_ec(members: &Members<'_>) -> Result<PublicKey, Rejection> {
    let (kind, size, algorithm): (_, _, &'static dyn VerificationAlgorithm) = match curve(members)? {
        "P-256" => (PublicKey::P256, 32, &ECDSA_P256_SHA256_ASN1),
        "P-384" => (PublicKey::P384, 48, &ECDSA_P384_SHA384_ASN1),
        "P-521" => (PublicKey::P521, 66, &ECDSA_P521_SHA512_ASN1),
        _ => return Ok(PublicKey::Unknown),
    };
    let mut point = vec![UNCOMPRESSED];
    for name in ["x", "y"] {
        let coordinate = octets(members, name)?;
        if coordinate.len() != size {
            return Err(members.refuse(name, "must be as long as its curve asks, zeros in front included"));
        }
        point.extend(coordinate);
    }
    match ParsedPublicKey::new(algorithm, point) {
        Ok(_) => Ok(kind),
        Err(_) => Err(members.refuse("x", "must be, with y, a point on the curve")),
    }
}

/// SEC 1 §2.3.3
const UNCOMPRESSED: u8 = 4;

/// RFC 8037 §2
fn read_okp(members: &Members<'_>) -> Result<PublicKey, Rejection> {
    let kind = match curve(members)? {
        "Ed25519" => PublicKey::Ed25519,
        "X25519" => PublicKey::X25519,
        _ => return Ok(PublicKey::Unknown),
    };
    let x = octets(members, "x")?;
    let is_key = x.len() == 32 && (kind != PublicKey::Ed25519 || ParsedPublicKey::new(&ED25519, &x).is_ok());
    if is_key { Ok(kind) } else { Err(members.refuse("x", "must be a public key of 32 octets")) }
}

fn curve<'a>(members: &Members<'a>) -> Result<&'a str, Rejection> {
    members.text("crv")?.ok_or_else(|| members.refuse("crv", "is required, such as P-256 or Ed25519"))
}

fn octets(members: &Members<'_>, name: &str) -> Result<Vec<u8>, Rejection> {
    let Some(text) = members.text(name)? else {
        return Err(members.refuse(name, "is required for a key of this kind"));
    };
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| members.refuse(name, "must be base64url without padding"))
}
