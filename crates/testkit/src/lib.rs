//! For tests: a registration app with a clock that stands still and repeatable randomness, and identities that call
//! it without a socket.

mod app;
mod described;
mod identity;
mod server;

pub use app::{SCOPES, TestApp};
pub use identity::{Answer, Identity, as_update};
pub use server::{RepeatableRandom, StandingClock};
