//! How tokens come about. RFC 6749 §4, §6.

mod authorization_code;
mod client_credentials;
mod implicit;
mod refresh_token;
mod user_grant;

pub(crate) use refresh_token::is_superseded;
pub(crate) use user_grant::{UserGrant, is_coordinated};
