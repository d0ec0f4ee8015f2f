//! The authorization server that serves the clients that Enroll registers. RFC 6749, RFC 9068, RFC 7662, RFC 7009.

mod access_token;
mod catalog;
mod client_authentication;
mod client_credentials;
mod error;
mod form;
mod introspection;
mod keys;
mod own_tokens;
pub mod paths;
mod provider;
mod revocation;
mod token;

pub use catalog::{Catalog, Resource};
pub use error::ProtocolError;
pub use keys::{KeyStoreError, Keys};
pub use own_tokens::OwnTokens;
pub use provider::{Provider, ProviderBuilder};
