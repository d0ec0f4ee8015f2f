//! Secrets: shown once, stored as a hash, never printed.

use std::fmt;
use std::marker::PhantomData;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Random, SealingKey};

/// What a secret is for; its prefix makes it recognisable wherever it leaks.
pub trait SecretKind: Send + Sync + 'static {
    /// The first characters of every secret of this kind.
    const PREFIX: &'static str;
}

/// A secret of one kind: 256 random bits behind a prefix. It has no readable `Debug` and is wiped when dropped.
pub struct Secret<K> {
    text: SecretString,
    kind: PhantomData<fn() -> K>,
}

impl<K: SecretKind> Secret<K> {
    /// A new secret.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self::presented(format!("{}{}", K::PREFIX, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What somebody presents as such a secret, right or wrong.
    pub fn presented(text: String) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The text itself. Every call of this is a place to look at.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// The secret that takes the place of this one, or, of another kind, comes along with that. Whoever holds this one and
    /// the salt can compute it again; the salt alone, or this one alone, tells nothing of it.
    #[must_use]
    pub fn successor<Other: SecretKind>(&self, salt: &str) -> Secret<Other> {
        let key = hmac::Key::new(HMAC_SHA256, self.expose().as_bytes());
        let bytes = hmac::sign(&key, format!("successor {} {salt}", Other::PREFIX).as_bytes());
        Secret::presented(format!("{}{}", Other::PREFIX, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret that belongs to a text: who has the key computes it again, and nobody else can.
    pub fn derived(key: &SealingKey, text: &str) -> Self {
        Self::presented(format!("{}{}", K::PREFIX, key.derived(text, K::PREFIX)))
    }

    /// What may be stored.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.expose())
    }
}

impl<K> fmt::Debug for Secret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 of a secret. Enough, since a secret has 256 random bits; compared in constant time.
#[derive(Clone, Copy, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of this text.
    pub fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(bytes)
    }

    /// The hash that was written as text: 43 characters of base64url.
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The hash as text. It gives the secret away to nobody.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The hash for a database column.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for SecretHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hash = Self::from_text(&String::deserialize(deserializer)?);
        hash.ok_or_else(|| serde::de::Error::custom("expected a SHA-256 hash in base64url"))
    }
}

macro_rules! secret_kinds {
    ($($(#[$doc:meta])* $alias:ident = $prefix:literal in $module:ident;)*) => {
        $(
            $(#[$doc])*
            pub type $alias = Secret<$module::Kind>;

            mod $module {
                #[derive(Debug)]
                pub struct Kind;

                impl super::SecretKind for Kind {
                    const PREFIX: &'static str = $prefix;
                }
            }
        )*
    };
}

secret_kinds! {
    /// `client_secret`. RFC 7591 §3.2.1.
    ClientSecret = "enr_cs_" in client_secret;
    /// `registration_access_token`: lets a client manage its own registration. RFC 7592 §3.
    RegistrationAccessToken = "enr_rat_" in registration_access_token;
    /// Lets its holder register clients. RFC 7591 §1.2.
    InitialAccessToken = "enr_iat_" in initial_access_token;
    /// An access token that says nothing by itself. RFC 6749 §1.4.
    ReferenceToken = "enr_rt_" in reference_token;
    /// A refresh token. RFC 6749 §1.5.
    RefreshToken = "enr_ref_" in refresh_token;
    /// An authorization code. RFC 6749 §4.1.2.
    AuthorizationCode = "enr_ac_" in authorization_code;
    /// What an API shows to be told of the tokens that are sent to it. RFC 7662 §2.1.
    ResourceSecret = "enr_rs_" in resource_secret;
    /// What a browser shows of a session.
    SessionToken = "enr_ses_" in session_token;
    /// What tells a browser from others, whether or not anybody has logged in.
    BrowserToken = "enr_br_" in browser_token;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn a_secret_is_recognisable_long_and_does_not_print() {
        let secret = ClientSecret::generate(&SystemRandom);
        assert!(secret.expose().starts_with("enr_cs_"));
        assert_eq!(secret.expose().len(), "enr_cs_".len() + 43);
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "[redacted] [hash]");
    }

    #[test]
    fn a_successor_needs_both_the_secret_and_the_salt() {
        let (one, other) = (ClientSecret::generate(&SystemRandom), ClientSecret::generate(&SystemRandom));
        let successor: ClientSecret = one.successor("a");
        assert_eq!(successor.expose(), one.successor::<client_secret::Kind>("a").expose());
        assert_eq!(successor.expose().len(), one.expose().len());
        for different in [one.successor("b"), other.successor("a"), one] {
            assert_ne!(successor.expose(), ClientSecret::expose(&different));
        }
    }

    #[test]
    fn a_derived_secret_depends_on_key_text_and_kind() {
        let (key, other) = (SealingKey::generate(&SystemRandom), SealingKey::generate(&SystemRandom));
        let secret = ClientSecret::derived(&key, "a");
        assert_eq!(secret.expose(), ClientSecret::derived(&key, "a").expose());
        assert_eq!(secret.expose().len(), ClientSecret::generate(&SystemRandom).expose().len());
        for different in [ClientSecret::derived(&key, "b"), ClientSecret::derived(&other, "a")] {
            assert_ne!(secret.expose(), different.expose());
        }
        let token = RegistrationAccessToken::derived(&key, "a");
        assert_ne!(token.expose().strip_prefix("enr_rat_"), secret.expose().strip_prefix("enr_cs_"));
    }

    #[test]
    fn a_hash_survives_storage_and_matches_only_its_secret() {
        let (one, other) = (ClientSecret::generate(&SystemRandom), ClientSecret::generate(&SystemRandom));
        let stored: SecretHash = serde_json::from_str(&serde_json::to_string(&one.hash()).unwrap()).unwrap();
        assert_eq!(stored, one.hash());
        assert_ne!(stored, other.hash());
    }
}
