//! A client that reads what was encrypted to it. RFC 7516 §5.2, RFC 7518 §4, §5.
//!
//! Written from the standards, with another library than the server encrypts with: what both read alike is right.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use aws_lc_rs::{error::Unspecified, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key that a client has for what is encrypted to it.
pub struct ReaderKey {
    private: Private,
    jwk: Value,
}

enum Private {
    P256(PrivateKey),
    Rsa(OaepPrivateDecryptingKey),
}

impl ReaderKey {
    /// A new key of P-256.
    pub fn p256(kid: &str) -> Self {
        let private = PrivateKey::generate(&ECDH_P256).expect("keys can be made");
        let public = private.compute_public_key().expect("it has a public half");
        let (x, y) = public.as_ref()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "enc", "kid": kid, "x": encoded(x), "y": encoded(y) });
        Self { private: Private::P256(private), jwk }
    }

    /// A new key of RSA with 2048 bits.
    pub fn rsa(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("a key can be written");
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).expect("what was written can be read");
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let [n, e] = [n, e].map(|number| encoded(number.big_endian_without_leading_zero()));
        let jwk = json!({ "kty": "RSA", "use": "enc", "kid": kid, "n": n, "e": e });
        let private = OaepPrivateDecryptingKey::new(private).expect("it decrypts");
        Self { private: Private::Rsa(private), jwk }
    }

    /// The public half. RFC 7517 §4.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The header and the content of what was encrypted to this key; `None` when it was not.
    pub fn read(&self, token: &str) -> Option<(Value, String)> {
        let parts: Vec<_> = token.split('.').collect();
        let [protected, wrapped, iv, content, tag] = parts[..] else { return None };
        let header: Value = serde_json::from_slice(&decoded(protected)?).ok()?;
        let enc = header["enc"].as_str()?;
        let key = self.content_key(&header, &decoded(wrapped)?, length_of(enc)?)?;
        let sealed =
            Sealed { iv: decoded(iv)?, content: decoded(content)?, tag: decoded(tag)?, aad: protected };
        let opened = match enc.ends_with("GCM") {
            true => sealed.by_gcm(&key),
            false => sealed.by_cbc(&key),
        };
        Some((header, String::from_utf8(opened.ok()?).ok()?))
    }

    /// RFC 7518 §4.3, §4.6
    fn content_key(&self, header: &Value, wrapped: &[u8], length: usize) -> Option<Vec<u8>> {
        let (alg, enc) = (header["alg"].as_str()?, header["enc"].as_str()?);
        match &self.private {
            Private::Rsa(key) => {
                let oaep = if alg == "RSA-OAEP" { &OAEP_SHA1_MGF1SHA1 } else { &OAEP_SHA256_MGF1SHA256 };
                let mut output = vec![0; key.min_output_size()];
                key.decrypt(oaep, wrapped, &mut output, None).ok().map(|key| key.to_vec())
            }
            Private::P256(key) => match alg {
                "ECDH-ES" => wrapped.is_empty().then(|| agreed(key, &header["epk"], enc, length))?,
                "ECDH-ES+A128KW" => unwrapped(&agreed(key, &header["epk"], alg, 16)?, wrapped),
                "ECDH-ES+A256KW" => unwrapped(&agreed(key, &header["epk"], alg, 32)?, wrapped),
                _ => None,
            },
        }
    }
}

/// How many bytes the content key has. RFC 7518 §5.1.
fn length_of(enc: &str) -> Option<usize> {
    Some(match enc {
        "A128GCM" => 16,
        "A256GCM" | "A128CBC-HS256" => 32,
        "A256CBC-HS512" => 64,
        _ => return None,
    })
}

/// What both sides agree upon for this purpose, without names of theirs. RFC 7518 §4.6.2.
fn agreed(own: &PrivateKey, other: &Value, purpose: &str, length: usize) -> Option<Vec<u8>> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(decoded(other[name].as_str()?)?);
    }
    let bits = u32::try_from(length * 8).ok()?;
    let nobody = [0; 4];
    let sized = u32::try_from(purpose.len()).ok()?;
    let info = [&sized.to_be_bytes(), purpose.as_bytes(), &nobody, &nobody, &bits.to_be_bytes()].concat();
    derived(own, &point, &info, length).ok()
}

fn derived(own: &PrivateKey, point: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Unspecified> {
    let sha256 = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(Unspecified)?;
    agree(own, UnparsedPublicKey::new(&ECDH_P256, point), Unspecified, |secret| {
        let mut key = vec![0; length];
        sskdf_digest(sha256, secret, info, &mut key)?;
        Ok(key)
    })
}

/// RFC 7518 §4.4
fn unwrapped(by: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let cipher = if by.len() == 16 { &key_wrap::AES_128 } else { &key_wrap::AES_256 };
    let mut output = vec![0; wrapped.len().checked_sub(8)?];
    AesKek::new(cipher, by).ok()?.unwrap(wrapped, &mut output).ok().map(|key| key.to_vec())
}

struct Sealed<'a> {
    iv: Vec<u8>,
    content: Vec<u8>,
    tag: Vec<u8>,
    aad: &'a str,
}

impl Sealed<'_> {
    /// RFC 7518 §5.3
    fn by_gcm(&self, key: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let cipher = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let nonce = Nonce::try_assume_unique_for_key(&self.iv)?;
        let mut sealed = [&self.content[..], &self.tag].concat();
        let key = LessSafeKey::new(UnboundKey::new(cipher, key)?);
        key.open_in_place(nonce, Aad::from(self.aad), &mut sealed).map(|content| content.to_vec())
    }

    /// RFC 7518 §5.2.2.2
    fn by_cbc(&self, key: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (mac, encryption) = key.split_at(key.len() / 2);
        let (digest, cipher) = match mac.len() {
            16 => (hmac::HMAC_SHA256, &AES_128),
            _ => (hmac::HMAC_SHA512, &AES_256),
        };
        let bits = (self.aad.len() as u64 * 8).to_be_bytes();
        let signed = [self.aad.as_bytes(), &self.iv, &self.content, &bits].concat();
        let tag = hmac::sign(&hmac::Key::new(digest, mac), &signed);
        if tag.as_ref()[..mac.len()] != self.tag[..] {
            return Err(Unspecified);
        }
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, encryption)?)?;
        let iv: [u8; 16] = self.iv.as_slice().try_into().map_err(|_| Unspecified)?;
        let mut content = self.content.clone();
        key.decrypt(&mut content, DecryptionContext::Iv128(FixedLength::from(iv)))
            .map(|content| content.to_vec())
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7518 Appendix C, where both sides have names.
    #[test]
    fn keys_are_agreed_upon_as_in_the_standards_example() {
        let bob = decoded("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw").unwrap();
        let bob = PrivateKey::from_private_key(&ECDH_P256, &bob).unwrap();
        let [x, y] =
            ["gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"];
        let point = [vec![4], decoded(x).unwrap(), decoded(y).unwrap()].concat();
        let info = b"\0\0\0\x07A128GCM\0\0\0\x05Alice\0\0\0\x03Bob\0\0\0\x80";
        assert_eq!(encoded(&derived(&bob, &point, info, 16).unwrap()), "VqqN6vgjbSBcIijNcacQGg");
    }

    /// RFC 7518 Appendix B.1
    #[test]
    fn content_is_decrypted_as_in_the_standards_example() {
        let hex = |text: &str| -> Vec<u8> {
            let digits: Vec<_> = text.split_whitespace().collect();
            digits.iter().map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
        };
        let key: Vec<u8> = (0..32).collect();
        let sealed = Sealed {
            iv: hex("1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04"),
            content: hex(
                "c8 0e df a3 2d df 39 d5 ef 00 c0 b4 68 83 42 79 a2 e4 6a 1b 80 49 f7 92 f7 6b fe 54 b9 03 a9 c9 \
                          a9 4a c9 b4 7a d2 65 5c 5f 10 f9 ae f7 14 27 e2 fc 6f 9b 3f 39 9a 22 14 89 f1 63 62 c7 03 23 36 \
                          09 d4 5a c6 98 64 e3 32 1c f8 29 35 ac 40 96 c8 6e 13 33 14 c5 40 19 e8 ca 79 80 df a4 b9 cf 1b \
                          38 4c 48 6f 3a 54 c5 10 78 15 8e e5 d7 9d e5 9f bd 34 d8 48 b3 d6 95 50 a6 76 46 34 44 27 ad e5 \
                          4b 88 51 ff b5 98 f7 f8 00 74 b9 47 3c 82 e2 db",
            ),
            tag: hex("65 2c 3f a3 6b 0a 7c 5b 32 19 fa b3 a3 0b c1 c4"),
            aad: "The second principle of Auguste Kerckhoffs",
        };
        let content = sealed.by_cbc(&key).unwrap();
        assert!(content.starts_with(b"A cipher system must not be required to be secret"));
        let forged = Sealed { tag: vec![0; 16], ..sealed };
        assert!(forged.by_cbc(&key).is_err());
    }
}
