//! The keys of this server, and how to sign with them. RFC 7515, RFC 7517, RFC 7518, RFC 8037.
//!
//! A [`SigningKey`] signs with one [`SigningAlgorithm`]. A [`Schedule`] says, of keys that it knows by name and age alone,
//! which signs now, which are published, when another is due and which may go. A [`KeyRing`] holds the keys themselves.
//!
//! ```
//! use enroll_jose::{KeyRing, Schedule, SigningAlgorithm, SigningKey};
//! use enroll_oauth_types::{SealingKey, SystemRandom, Timestamp};
//! use serde_json::json;
//!
//! // At first start: a key is made, and stored sealed under its name.
//! let sealing_key = SealingKey::generate(&SystemRandom);
//! let key = SigningKey::generate(SigningAlgorithm::Es256);
//! let (kid, stored) = (key.kid().to_owned(), sealing_key.seal_private_key(&key.to_pkcs8(), key.kid()));
//!
//! // At every start: the stored keys become a ring.
//! let pkcs8 = sealing_key.open_private_key(&stored, &kid).expect("it was sealed under this key and name");
//! let key = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &pkcs8)?;
//! let now = Timestamp(1_800_000_000);
//! let ring = KeyRing::new([(key, now)], Schedule::default())?;
//!
//! let signer = ring.signer(SigningAlgorithm::Es256, now).expect("there is a key");
//! let token = signer.sign_jwt(Some("at+jwt"), &json!({ "iss": "https://id.example", "sub": "client" }))?;
//! assert_eq!(ring.jwks(now)["keys"][0]["kid"], *kid);
//!
//! let verified = ring.verify(&token, now)?;
//! assert_eq!(verified.typ.as_deref(), Some("at+jwt"));
//! assert_eq!(verified.claims["sub"], "client");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `jwe`, what was signed is encrypted to a client, by a `Recipient`.
//!
//! No input or output happens here, nothing is async, and time is an argument. Randomness is not: keys are made by the
//! cryptographic library, of its own.

mod algorithm;
#[cfg(feature = "jwe")]
mod encryption;
mod error;
mod key_pair;
mod key_ring;
mod public_key;
mod schedule;
mod signing_key;

pub use algorithm::SigningAlgorithm;
#[cfg(feature = "jwe")]
pub use encryption::{ContentEncryption, EncryptionError, KeyManagement, Recipient};
pub use error::{KeyError, SigningError, VerifyError};
pub use key_ring::{KeyRing, VerifiedToken};
pub use schedule::{KeyAge, KeyState, Plan, Schedule, Stage};
pub use signing_key::SigningKey;
