//! Dynamic client registration for OAuth 2.0 and OpenID Connect: the library as one crate, and the server.
//!
//! Without default features this is the library alone.
//!
#![doc = include_str!("../../../README.md")]

pub use enroll_access as access;
pub use enroll_oauth_types as oauth_types;
pub use enroll_outbound as outbound;
pub use enroll_provider as provider;
pub use enroll_registration as registration;
pub use enroll_store as store;
pub use enroll_store_sql as store_sql;

#[cfg(feature = "server")]
mod authorization;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "server")]
mod clock;
#[cfg(feature = "server")]
mod commands;
#[cfg(feature = "server")]
mod config;
#[cfg(feature = "server")]
mod failure;
#[cfg(feature = "server")]
mod retention;
#[cfg(feature = "server")]
mod sealed;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod service;
#[cfg(all(test, feature = "server"))]
mod snapshot;
#[cfg(feature = "server")]
mod telemetry;
