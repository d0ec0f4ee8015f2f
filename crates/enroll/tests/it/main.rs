//! The program itself: started, configured, called, stopped, killed.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

mod authorization;
mod backup;
mod browser;
mod crash;
mod databases;
mod discovery;
mod examples;
mod faults;
mod harness;
mod health;
mod identityserver;
mod introspection;
mod issuers;
mod keys;
mod limits;
mod management;
mod migration;
mod nodes;
mod openapi;
mod openidconnect;
mod operator;
mod outbound;
mod people;
mod registration;
mod retention;
mod roles;
mod sealed;
mod secrets;
mod serve;
mod transfer;
mod users;
mod wire;
