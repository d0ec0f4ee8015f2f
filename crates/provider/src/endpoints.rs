//! The endpoints that clients and resources call, one a file. Each gets a sender that is known.

mod end_session;
mod introspection;
mod logo;
mod revocation;
mod token;
mod userinfo;

pub(crate) use token::TokenResponse;
