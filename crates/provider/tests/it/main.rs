//! The authorization server in memory: registered clients, people in browsers, and what goes over the wire.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

mod bad_browsers;
mod bad_input;
mod bad_tokens;
mod effects;
mod effects_on_tokens;
mod encryption;
mod harness;
mod local_login;
mod oidc_basic;
mod oidc_dynamic;
mod oidc_implicit;
mod oidc_logout;
mod partial_consent;
mod people_who_go;
mod recent_clients;
mod refresh_tokens;
mod remembered_consent;
mod scope_meanings;
mod signing_keys;
