//! Passwords: slow to guess, at rest as Argon2id with the parameters beside. RFC 9106.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use enroll_oauth_types::Random;
use enroll_store::BoxError;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

/// A password that somebody typed. It has no readable `Debug` and is wiped when dropped.
pub struct Password(SecretString);

impl Password {
    /// What somebody typed, right or wrong.
    pub fn presented(text: String) -> Self {
        Self(text.into())
    }

    /// Whether it can be somebody's: a longer one would be stored and then never be right.
    pub(super) fn fits(&self) -> bool {
        (1..=LONGEST).contains(&self.0.expose_secret().len())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// 19 MiB, two passes, one lane: what OWASP recommends for one core, and near the second choice of RFC 9106 §4 in cost.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Octets of salt. RFC 9106 §3.1.
const SALT: usize = 16;

/// The longest password that is looked at, in bytes: a longer one is nobody's.
const LONGEST: usize = 1024;

/// Hashes passwords, a few at a time, since each takes memory and a core for tens of milliseconds.
#[derive(Clone)]
pub(super) struct Passwords {
    room: Arc<Semaphore>,
    random: Arc<dyn Random>,
    /// What is verified for somebody who is not there, so that this takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut salt = [0; SALT];
        random.fill(&mut salt);
        let nobody = hash(b"nobody", &salt).unwrap_or_default();
        Self { room: Arc::new(Semaphore::new((cores - 1).max(1))), random, nobody: nobody.into() }
    }

    /// The hash to be stored.
    pub(super) async fn hash(&self, password: Password) -> Result<String, BoxError> {
        let mut salt = [0; SALT];
        self.random.fill(&mut salt);
        self.apart(move || hash(password.0.expose_secret().as_bytes(), &salt)).await?
    }

    /// Whether it is the password of this hash; `None` is somebody who is not there, which takes as long to deny.
    pub(super) async fn verify(&self, password: Password, stored: Option<&str>) -> Result<bool, BoxError> {
        let is_there = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let is_right = self.apart(move || {
            let text = password.0.expose_secret().as_bytes();
            // What is too long is verified all the same, cut off, and never right.
            let cut = &text[..text.len().min(LONGEST)];
            let hash = PasswordHash::new(&stored).map_err(|error| error.to_string())?;
            let fits = hasher().verify_password(cut, &hash).is_ok();
            Ok::<_, BoxError>(fits && text.len() <= LONGEST)
        });
        Ok(is_right.await?? && is_there)
    }

    /// On a thread that serves nobody else.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BoxError> {
        let room = self.room.clone().acquire_owned().await?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(room);
            done
        });
        Ok(done.await?)
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, LANES, None).expect("these parameters are within the limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8], salt: &[u8]) -> Result<String, BoxError> {
    let hash: PasswordHash =
        hasher().hash_password_with_salt(password, salt).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_alone_and_does_not_print() {
        let passwords = Passwords::new(Arc::new(SystemRandom));
        let typed = |text: &str| Password::presented(text.to_owned());
        let stored = passwords.hash(typed("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify(typed("correct horse"), Some(&stored)).await.unwrap());
        for wrong in ["correct", "", &"a".repeat(LONGEST + 1)] {
            assert!(!passwords.verify(typed(wrong), Some(&stored)).await.unwrap(), "{wrong}");
        }
        assert!(!passwords.verify(typed("nobody"), None).await.unwrap());
        assert_eq!(format!("{:?}", typed("secret")), "[redacted]");
    }
}
