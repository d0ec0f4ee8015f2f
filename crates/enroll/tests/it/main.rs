//! The program itself: started, configured, called, stopped, killed.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

mod authorization;
mod browser;
mod crash;
mod databases;
mod discovery;
mod examples;
mod harness;
mod health;
mod introspection;
mod issuers;
mod keys;
mod limits;
mod management;
mod nodes;
mod openapi;
mod openidconnect;
mod operator;
mod outbound;
mod people;
mod registration;
mod roles;
mod sealed;
mod secrets;
mod serve;
mod transfer;
mod users;
mod wire;
