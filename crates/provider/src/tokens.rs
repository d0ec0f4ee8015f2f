//! What tokens say, and how they are made.

pub(crate) mod access_token;
pub(crate) mod claims;
pub(crate) mod encryption;
pub(crate) mod id_token;
pub(crate) mod signing;
mod subject;
