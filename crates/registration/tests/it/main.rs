//! The wire, by standard.

#![allow(clippy::unwrap_used)] // A test may.

mod cases;
mod challenges;
mod dry_run;
mod oidc_registration;
mod pipeline;
mod properties;
mod remote;
mod replays;
mod rfc7591;
mod rfc7592;
mod rotation;
mod sealed;
mod software_statement;
