//! Randomness as an argument, so that tests can repeat themselves.

use rand::RngCore as _;

/// A source of unpredictable bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// A cryptographic generator in each thread, seeded by the operating system's again and again: that one itself takes a
/// call of the system for every few bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
