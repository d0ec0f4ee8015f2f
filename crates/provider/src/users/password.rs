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

    /// Whether it can be somebody's at all.
    pub(super) fn is_usable(&self) -> bool {
        (1..=LONGEST).contains(&self.octets().len())
    }

    fn octets(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
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

/// How many wait for each thread that hashes: about a second's work.
const QUEUE: usize = 32;

/// Hashes passwords, a few at a time, since each takes memory and a core for tens of milliseconds.
#[derive(Clone)]
pub(super) struct Passwords {
    params: Params,
    room: Arc<Semaphore>,
    pub(super) strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
    random: Arc<dyn Random>,
    /// What is verified for somebody who is not there, so that this takes as long.
    nobody: Arc<str>,
}

/// Whether a password is right.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// It is, and its hash is one that fewer resources were spent on than today: here is another.
    RightButWeak(String),
}

/// Why nobody knows whether a password is right.
#[derive(Debug)]
pub(super) enum Unverified {
    /// Too many wait already.
    Busy,
    Internal(BoxError),
}

impl Passwords {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        let params =
            Params::new(MEMORY, PASSES, LANES, None).expect("these parameters are within the limits");
        Self::costing(params, random)
    }

    /// With other parameters than today's.
    pub(super) fn costing(params: Params, random: Arc<dyn Random>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = (cores - 1).max(1);
        let queue = || Arc::new(Semaphore::new(threads * QUEUE));
        let nobody = hash(&params, b"nobody", random.as_ref()).unwrap_or_default().into();
        let room = Arc::new(Semaphore::new(threads));
        Self { params, room, strangers: queue(), known: queue(), random, nobody }
    }

    /// The hash to be stored.
    pub(super) async fn hash(&self, password: Password) -> Result<String, BoxError> {
        let (params, random) = (self.params.clone(), self.random.clone());
        self.apart(move || hash(&params, password.octets(), random.as_ref())).await?
    }

    /// Whether it is the password of this hash; `None` is somebody who is not there, which takes as long to deny. Strangers
    /// wait in a line of their own, so that however many there are, those whose browser is known get in line.
    pub(super) async fn verify(
        &self,
        password: Password,
        stored: Option<&str>,
        is_known: bool,
    ) -> Result<Verdict, Unverified> {
        let queue = if is_known { &self.known } else { &self.strangers };
        let _place = queue.try_acquire().map_err(|_| Unverified::Busy)?;
        let is_there = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let (params, random) = (self.params.clone(), self.random.clone());
        let verdict = self.apart(move || {
            let octets = password.octets();
            // What is too long is verified all the same, cut off, and never right.
            let cut = &octets[..octets.len().min(LONGEST)];
            let known = PasswordHash::new(&stored).map_err(|error| error.to_string())?;
            let fits = hasher(&params).verify_password(cut, &known).is_ok();
            match fits && is_there && octets.len() <= LONGEST {
                false => Ok(Verdict::Wrong),
                true if is_weak(&known, &params) => {
                    hash(&params, cut, random.as_ref()).map(Verdict::RightButWeak)
                }
                true => Ok(Verdict::Right),
            }
        });
        verdict.await.and_then(|verdict| verdict).map_err(Unverified::Internal)
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

fn hasher(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(params: &Params, password: &[u8], random: &dyn Random) -> Result<String, BoxError> {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    let hash: PasswordHash =
        hasher(params).hash_password_with_salt(password, &salt).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Whether a guess at this hash costs less than at one of these parameters.
fn is_weak(known: &PasswordHash, params: &Params) -> bool {
    let cost = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    let is_current = known.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && known.version == Some(Version::V0x13.into());
    !is_current || Params::try_from(known).map_or(true, |known| cost(&known) < cost(params))
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;

    use super::*;

    fn cheap(memory: u32) -> Passwords {
        Passwords::costing(Params::new(memory, 1, 1, None).unwrap(), Arc::new(SystemRandom))
    }

    fn typed(text: &str) -> Password {
        Password::presented(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_hash_alone_and_does_not_print() {
        let passwords = Passwords::new(Arc::new(SystemRandom));
        let stored = passwords.hash(typed("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let verdict = passwords.verify(typed("correct horse"), Some(&stored), false).await.unwrap();
        assert_eq!(verdict, Verdict::Right);
        for wrong in ["correct", "", &"a".repeat(LONGEST + 1)] {
            let verdict = passwords.verify(typed(wrong), Some(&stored), false).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong, "{wrong}");
        }
        assert_eq!(passwords.verify(typed("nobody"), None, false).await.unwrap(), Verdict::Wrong);
        assert_eq!(format!("{:?}", typed("secret")), "[redacted]");
    }

    #[tokio::test]
    async fn a_password_that_was_cut_off_is_not_the_longer_one() {
        let passwords = cheap(8);
        let longest = "a".repeat(LONGEST);
        let stored = passwords.hash(typed(&longest)).await.unwrap();
        let longer = passwords.verify(typed(&format!("{longest}a")), Some(&stored), false).await.unwrap();
        assert_eq!(longer, Verdict::Wrong);
        assert!(typed(&longest).is_usable() && !typed(&format!("{longest}a")).is_usable());
        assert!(!typed("").is_usable());
    }

    /// RFC 9106 §4: what was enough once is not for ever.
    #[tokio::test]
    async fn a_weak_hash_is_replaced_once_the_password_is_known_and_a_strong_one_stays() {
        let (weak, strong) = (cheap(8), cheap(16));
        let stored = weak.hash(typed("right")).await.unwrap();
        assert_eq!(strong.verify(typed("wrong"), Some(&stored), false).await.unwrap(), Verdict::Wrong);
        let verdict = strong.verify(typed("right"), Some(&stored), false).await.unwrap();
        let Verdict::RightButWeak(again) = verdict else { panic!("{verdict:?}") };
        for passwords in [&strong, &weak] {
            let verdict = passwords.verify(typed("right"), Some(&again), false).await.unwrap();
            assert_eq!(verdict, Verdict::Right, "{again}");
        }
    }

    #[tokio::test]
    async fn a_line_of_strangers_ends_somewhere_and_holds_up_nobody_who_is_known() {
        let passwords = cheap(8);
        let stored = passwords.hash(typed("right")).await.unwrap();
        let line = passwords.strangers.available_permits();
        let in_line = passwords.strangers.acquire_many(line.try_into().unwrap()).await.unwrap();
        let stranger = passwords.verify(typed("right"), Some(&stored), false).await;
        assert!(matches!(stranger, Err(Unverified::Busy)), "{stranger:?}");
        assert_eq!(passwords.verify(typed("right"), Some(&stored), true).await.unwrap(), Verdict::Right);
        drop(in_line);
        assert_eq!(passwords.verify(typed("right"), Some(&stored), false).await.unwrap(), Verdict::Right);
    }
}
