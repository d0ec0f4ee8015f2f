//! Secrets that the server must read again: `client_secret_jwt` and HS* need the secret itself, not its hash. They are
//! stored sealed, under a key that is kept outside of the database. OpenID Connect Core §10.1.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ClientId, ClientSecret, Random};

/// The key that client secrets are sealed under: 256 bits, AES-GCM. A sealed secret is bound to its client.
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
        let mut text = secret.expose().as_bytes().to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(client.as_str()), &mut text);
        let nonce = nonce.expect("a secret is far below the cipher's limit");
        SealedSecret([nonce.as_ref().as_slice(), &text].concat())
    }

    /// The secret again; `None` when it was sealed under another key or for another client, or was changed.
    pub fn open(&self, sealed: &SealedSecret, client: &ClientId) -> Option<ClientSecret> {
        let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self.key.open_in_place(nonce, Aad::from(client.as_str()), &mut text).ok()?;
        Some(ClientSecret::presented(String::from_utf8(text.to_vec()).ok()?))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A client secret that can be read again with the [`SealingKey`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

impl Serialize for SealedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for SealedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(serde::de::Error::custom)
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
    fn text_that_is_no_key_is_refused() {
        for text in ["", "short", "not base64 !", &"A".repeat(44)] {
            assert!(SealingKey::from_text(text).is_none(), "{text}");
        }
    }
}
