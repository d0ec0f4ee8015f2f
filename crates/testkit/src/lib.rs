//! For tests: a registration app with a clock that stands still and repeatable randomness, and identities that call
//! it without a socket; and a web of strangers' hosts, for what the server fetches.

mod app;
mod browser;
mod described;
mod identity;
mod key;
mod reader;
mod server;
mod web;

pub use app::{SCOPES, TestApp};
pub use browser::{Cookies, Form};
pub use identity::{Answer, Identity, as_update};
pub use key::ClientKey;
pub use reader::ReaderKey;
pub use server::{RepeatableRandom, StandingClock};
pub use web::{FakeWeb, WebAnswer, WebNames};
