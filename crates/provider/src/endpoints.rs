//! The endpoints that clients, resources and their users call, one a file.

mod end_session;
mod introspection;
mod logo;
mod revocation;
mod token;
mod userinfo;

pub(crate) use token::{TokenResponse, must_not_need_a_bound_token};
