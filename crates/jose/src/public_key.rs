//! The public half of a key as a JWK, and its name. RFC 7517, RFC 7638.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::SigningAlgorithm;

/// The members that make a public key, those that RFC 7638 §3.2 requires, in their order: that of their names.
pub(crate) struct PublicKey(Vec<(&'static str, String)>);

impl PublicKey {
    /// RFC 7518 §6.3.1
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self(vec![("e", base64url(e)), ("kty", "RSA".to_owned()), ("n", base64url(n))])
    }

    /// Of the two coordinates, each as long as the curve asks. RFC 7518 §6.2.1.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Self {
        let (kty, crv) = ("EC".to_owned(), "P-256".to_owned());
        Self(vec![("crv", crv), ("kty", kty), ("x", base64url(x)), ("y", base64url(y))])
    }

    /// RFC 8037 §2
    pub(crate) fn ed25519(x: &[u8]) -> Self {
        Self(vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", base64url(x))])
    }

    /// SHA-256 of the members as JSON without spaces, in base64url. RFC 7638 §3.
    pub(crate) fn thumbprint(&self) -> String {
        let json = Value::Object(self.members().collect()).to_string();
        base64url(digest(&SHA256, json.as_bytes()).as_ref())
    }

    /// The key for others to verify with. RFC 7517 §4.
    pub(crate) fn jwk(&self, algorithm: SigningAlgorithm, kid: &str) -> Value {
        let (kty, key): (Vec<_>, Vec<_>) = self.members().partition(|(name, _)| name == "kty");
        let about = [("use", "sig"), ("alg", algorithm.as_str()), ("kid", kid)];
        let about = about.map(|(name, value)| (name.to_owned(), Value::from(value)));
        Value::Object(kty.into_iter().chain(about).chain(key).collect::<Map<_, _>>())
    }

    fn members(&self) -> impl Iterator<Item = (String, Value)> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
    }
}

fn base64url(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1
    #[test]
    fn the_thumbprint_is_that_of_the_standards_example() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn\
                 jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM\
                 QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz\
                 KnqDKgw";
        let octets = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = PublicKey::rsa(&octets(n), &octets("AQAB"));
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// RFC 8037 Appendix A.3
    #[test]
    fn the_thumbprint_of_an_octet_key_pair_is_that_of_the_standards_example() {
        let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(PublicKey::ed25519(&x).thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
