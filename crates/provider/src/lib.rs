//! The authorization server that serves the clients that Enroll registers. RFC 6749, OpenID Connect Core 1.0, RFC 9068,
//! RFC 7662, RFC 7009.

mod activity;
mod authorization;
mod browser;
mod catalog;
mod client_authentication;
mod endpoints;
mod error;
mod face;
mod grants;
mod html;
mod keys;
mod own_tokens;
mod parameters;
pub mod paths;
mod provider;
mod session;
mod tokens;
mod users;

#[cfg(feature = "jwe")]
pub use enroll_jose::{ContentEncryption, KeyManagement};

pub use activity::Activity;
pub use catalog::{Catalog, Resource, ScopeMeaning};
pub use error::ProtocolError;
pub use keys::{KeyEntry, KeyStoreError, Keys, list_keys};
pub use own_tokens::OwnTokens;
pub use provider::{Provider, ProviderBuilder};
pub use users::{LogIn, LogInError, NewUser, Password, User, UserError, Users, check_claim};
