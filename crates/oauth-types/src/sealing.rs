//! Secrets that the server must read again: `client_secret_jwt` and HS* need the secret itself, not its hash, and so does
//! whoever signs with a private key. They are stored sealed, under a key that is kept outside of the database. OpenID
//! Connect Core §10.1.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ClientId, ClientSecret, Random};

/// The key that secrets are sealed under: 256 bits, AES-GCM. A sealed client secret is bound to its client, a sealed private
/// key to its `kid`, a sealed text to its purpose.
///
/// ```
/// use enroll_oauth_types::{ClientId, ClientSecret, SealingKey, SystemRandom};
///
/// let key = SealingKey::generate(&SystemRandom);
/// let (secret, id) = (ClientSecret::generate(&SystemRandom), ClientId::from("client"));
/// let sealed = key.seal(&secret, &id);
/// assert_eq!(key.open(&sealed, &id).unwrap().hash(), secret.hash());
/// assert!(key.open(&sealed, &ClientId::from("another")).is_none());
/// ```
pub struct SealingKey {
    key: RandomizedNonceKey,
    text: secrecy::SecretString,
}

impl SealingKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self::of(&bytes)
    }

    /// The key that [`SealingKey::expose`] wrote; `None` when it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text.trim()).ok()?.try_into().ok()?;
        Some(Self::of(&bytes))
    }

    fn of(bytes: &[u8; 32]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("256 bits are a key for AES-256");
        Self { key, text: URL_SAFE_NO_PAD.encode(bytes).into() }
    }

    /// The key as text, for the file that keeps it. Every call of this is a place to look at.
    pub fn expose(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.text)
    }

    /// Seals a secret for one client.
    pub fn seal(&self, secret: &ClientSecret, client: &ClientId) -> SealedSecret {
        self.seal_octets(secret.expose().as_bytes(), client.as_str())
    }

    /// The secret again; `None` when it was sealed under another key or for another client, or was changed.
    pub fn open(&self, sealed: &SealedSecret, client: &ClientId) -> Option<ClientSecret> {
        let octets = self.open_octets(sealed, client.as_str())?;
        Some(ClientSecret::presented(str::from_utf8(&octets).ok()?.to_owned()))
    }

    /// Seals a private key under its name.
    pub fn seal_private_key(&self, key: &Pkcs8, kid: &str) -> SealedSecret {
        self.seal_octets(key.expose(), &bound_to_kid(kid))
    }

    /// The private key again; `None` when it was sealed under another key or another name, or was changed.
    pub fn open_private_key(&self, sealed: &SealedSecret, kid: &str) -> Option<Pkcs8> {
        self.open_octets(sealed, &bound_to_kid(kid)).map(Pkcs8)
    }

    /// Seals a text that is for one purpose: what is sealed for one opens for no other.
    ///
    /// ```
    /// use enroll_oauth_types::{SealingKey, SystemRandom};
    ///
    /// let key = SealingKey::generate(&SystemRandom);
    /// let sealed = key.seal_text("what was asked", "login");
    /// assert_eq!(key.open_text(&sealed, "login").as_deref(), Some("what was asked"));
    /// assert_eq!(key.open_text(&sealed, "logout"), None);
    /// ```
    pub fn seal_text(&self, text: &str, purpose: &str) -> SealedSecret {
        self.seal_octets(text.as_bytes(), &bound_to_purpose(purpose))
    }

    /// The text again; `None` when it was sealed under another key or for another purpose, or was changed.
    pub fn open_text(&self, sealed: &SealedSecret, purpose: &str) -> Option<String> {
        let octets = self.open_octets(sealed, &bound_to_purpose(purpose))?;
        str::from_utf8(&octets).ok().map(str::to_owned)
    }

    /// What nobody can compute of this text who has not the key, the same each time: 43 characters.
    pub fn derived(&self, text: &str, purpose: &str) -> String {
        let key = hmac::Key::new(HMAC_SHA256, self.expose().as_bytes());
        let bytes = hmac::sign(&key, format!("{}\n{text}", bound_to_purpose(purpose)).as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A key that is made of this one and a salt, for one purpose. Whoever seals under one of its own each time needs not
    /// count how often this one was used. NIST SP 800-38D §8.3.
    #[must_use]
    pub fn subkey(&self, salt: &str, purpose: &str) -> Self {
        Self::from_text(&self.derived(salt, purpose)).expect("what is derived has 256 bits in base64url")
    }

    fn seal_octets(&self, octets: &[u8], bound_to: &str) -> SealedSecret {
        // With room for the tag, so that no copy of the plain text is left behind where the octets were before.
        let mut text = Vec::with_capacity(octets.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(octets);
        let nonce = self.key.seal_in_place_append_tag(Aad::from(bound_to), &mut text);
        let nonce = nonce.expect("a secret is far below the cipher's limit");
        SealedSecret([nonce.as_ref().as_slice(), &text].concat())
    }

    fn open_octets(&self, sealed: &SealedSecret, bound_to: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.key.open_in_place(nonce, Aad::from(bound_to), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// What a private key is bound to. The line break keeps it apart from every client, whose identifier has none.
fn bound_to_kid(kid: &str) -> String {
    format!("private key\n{kid}")
}

/// The same for a text.
fn bound_to_purpose(purpose: &str) -> String {
    format!("text\n{purpose}")
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A private key in PKCS#8, unencrypted. It has no readable `Debug` and is wiped when dropped. RFC 5958.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// The key itself. Every call of this is a place to look at.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Pkcs8 {
    fn from(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A secret that can be read again with the [`SealingKey`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// As it is stored: base64url, which a cookie, a form and a URL can hold.
impl fmt::Display for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for SealedSecret {
    type Err = base64::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        URL_SAFE_NO_PAD.decode(text).map(Self)
    }
}

impl Serialize for SealedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SealedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn a_key_survives_its_file_and_nothing_prints() {
        let key = SealingKey::generate(&SystemRandom);
        let again = SealingKey::from_text(&format!("{}\n", key.expose())).unwrap();
        let (secret, id) = (ClientSecret::generate(&SystemRandom), ClientId::from("a"));
        let sealed = key.seal(&secret, &id);
        let stored: SealedSecret = serde_json::from_str(&serde_json::to_string(&sealed).unwrap()).unwrap();
        assert_eq!(again.open(&stored, &id).unwrap().expose(), secret.expose());
        assert_eq!(format!("{key:?} {sealed:?}"), "[redacted] [sealed]");
    }

    #[test]
    fn another_key_a_changed_byte_and_a_cut_end_open_nothing() {
        let (key, other) = (SealingKey::generate(&SystemRandom), SealingKey::generate(&SystemRandom));
        let (secret, id) = (ClientSecret::generate(&SystemRandom), ClientId::from("a"));
        let sealed = key.seal(&secret, &id);
        assert!(other.open(&sealed, &id).is_none());
        for position in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[position] ^= 1;
            assert!(key.open(&changed, &id).is_none(), "byte {position}");
            assert!(
                key.open(&SealedSecret(sealed.0[..position].to_vec()), &id).is_none(),
                "cut at {position}"
            );
        }
    }

    #[test]
    fn a_private_key_opens_under_its_name_alone() {
        let (key, other) = (SealingKey::generate(&SystemRandom), SealingKey::generate(&SystemRandom));
        let private = Pkcs8::from([0x30, 0x00, 0xff].as_slice());
        let sealed = key.seal_private_key(&private, "a");
        assert_eq!(key.open_private_key(&sealed, "a").unwrap().expose(), private.expose());
        assert!(key.open_private_key(&sealed, "b").is_none());
        assert!(other.open_private_key(&sealed, "a").is_none());
        assert_eq!(format!("{private:?}"), "[redacted]");
    }

    #[test]
    fn a_sealed_private_key_is_no_sealed_client_secret_and_the_other_way_round() {
        let key = SealingKey::generate(&SystemRandom);
        let private = key.seal_private_key(&Pkcs8::from(b"text".as_slice()), "a");
        assert!(key.open(&private, &ClientId::from("a")).is_none());
        let secret = key.seal(&ClientSecret::generate(&SystemRandom), &ClientId::from("a"));
        assert!(key.open_private_key(&secret, "a").is_none());
    }

    #[test]
    fn a_text_opens_for_its_purpose_alone() {
        let key = SealingKey::generate(&SystemRandom);
        let sealed: SealedSecret = key.seal_text("what was asked", "a").to_string().parse().unwrap();
        assert_eq!(key.open_text(&sealed, "a").as_deref(), Some("what was asked"));
        assert_eq!(key.open_text(&sealed, "b"), None);
        assert!(
            key.open_private_key(&sealed, "a").is_none() && key.open(&sealed, &ClientId::from("a")).is_none()
        );
    }

    #[test]
    fn what_is_derived_depends_on_key_text_and_purpose() {
        let (key, other) = (SealingKey::generate(&SystemRandom), SealingKey::generate(&SystemRandom));
        let derived = key.derived("text", "a");
        assert_eq!((derived.len(), key.derived("text", "a")), (43, derived.clone()));
        for different in [key.derived("text", "b"), key.derived("texts", "a"), other.derived("text", "a")] {
            assert_ne!(derived, different);
        }
    }

    #[test]
    fn a_subkey_is_the_same_each_time_and_opens_nothing_of_another() {
        let key = SealingKey::generate(&SystemRandom);
        let sealed = key.subkey("salt", "a").seal_text("text", "p");
        assert_eq!(key.subkey("salt", "a").open_text(&sealed, "p").as_deref(), Some("text"));
        for other in [key.subkey("salt", "b"), key.subkey("tlas", "a"), key] {
            assert_eq!(other.open_text(&sealed, "p"), None);
        }
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        for text in ["", "short", "not base64 !", &"A".repeat(44)] {
            assert!(SealingKey::from_text(text).is_none(), "{text}");
        }
    }
}
