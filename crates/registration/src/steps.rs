//! The standard steps: one file each, named for the members that it owns.
//!
//! A step copies the members it owns from the request to the client, judged and completed. A member that no step
//! owns is not registered.

/// Copies members that need no judgement as they were asked.
macro_rules! take_over {
    ($r:ident: $($member:ident),+ $(,)?) => {
        $($r.client.metadata.$member.clone_from(&$r.request.$member);)+
    };
}

mod algorithms;
mod application_type;
mod choices;
mod ciba;
mod client_id;
mod client_secret;
mod compatibility;
mod consent;
mod declarations;
mod display;
mod extensions;
mod grant_types;
mod keys;
mod lifetimes;
mod lists;
mod logout;
mod mend;
mod names;
mod policy;
mod proof;
mod redirect_uris;
mod registration_access_token;
mod remote_keys;
mod requests;
mod response_types;
mod scope;
mod seal;
mod sector_identifier;
mod signing;
mod software;
mod subject;
mod supported;
mod text;
mod token_endpoint_auth;
#[cfg(test)]
mod trial;

use crate::Pipeline;

pub use application_type::application_type;
pub use choices::choices;
pub use ciba::ciba;
pub use client_id::client_id;
pub use client_secret::client_secret;
pub(crate) use client_secret::{another_secret, end_after_overlap};
pub use compatibility::compatibility;
pub use consent::consent;
pub use declarations::declarations;
pub use display::display;
pub use extensions::extensions;
pub use grant_types::grant_types;
pub use keys::keys;
pub use lifetimes::{
    DEFAULT_ABSOLUTE_REFRESH_TOKEN_LIFETIME, DEFAULT_ACCESS_TOKEN_LIFETIME,
    DEFAULT_AUTHORIZATION_CODE_LIFETIME, DEFAULT_IDENTITY_TOKEN_LIFETIME,
    DEFAULT_SLIDING_REFRESH_TOKEN_LIFETIME, lifetimes,
};
pub use logout::logout;
pub use policy::policy;
pub use proof::proof;
pub use redirect_uris::redirect_uris;
pub use registration_access_token::registration_access_token;
pub use remote_keys::RemoteKeys;
pub use requests::requests;
pub use response_types::response_types;
pub use scope::scope;
pub use seal::seal;
pub use sector_identifier::SectorIdentifier;
pub use signing::signing;
pub use software::software;
pub use subject::subject;
pub use token_endpoint_auth::token_endpoint_auth;

macro_rules! step_names {
    ($($constant:ident = $name:ident $(($step:ident))?: $about:literal,)*) => {
        $(#[doc = $about] pub const $constant: &str = stringify!($name);)*

        /// Every standard step in its order, with what it is about.
        pub const ABOUT: &[(&str, &str)] = &[$(($constant, $about)),*];

        pub(crate) fn standard() -> Pipeline {
            Pipeline::empty()$(.push($constant, step!($name $(, $step)?)))*
        }
    };
}

/// A rule is the function of its name; what asks others is a type.
macro_rules! step {
    ($rule:ident) => {
        $rule
    };
    ($name:ident, $step:ident) => {
        $step
    };
}

step_names! {
    COMPATIBILITY = compatibility: "What another server refuses, and the standards allow: off by default.",
    CHOICES = choices: "`*_values_supported`: what the server chose of what the client can do.",
    SOFTWARE = software: "`software_id`, `software_version`, `software_statement`: what it is, and who vouches for it.",
    GRANT_TYPES = grant_types: "`grant_types`: how it gets tokens.",
    RESPONSE_TYPES = response_types: "`response_types`, `response_modes`: what it asks of the authorization endpoint.",
    APPLICATION_TYPE = application_type: "`application_type`: web or native.",
    REDIRECT_URIS = redirect_uris: "`redirect_uris`: where users may be sent back to.",
    SCOPE = scope: "`scope`: what it may ask for.",
    KEYS = keys: "`jwks`, `jwks_uri`: its public keys.",
    TOKEN_ENDPOINT_AUTH = token_endpoint_auth: "`token_endpoint_auth_method` and its like: how it proves who it is.",
    PROOF = proof: "Sender-constrained tokens: mutual TLS and `DPoP`.",
    DISPLAY = display: "Names, links and contacts: what people see.",
    DECLARATIONS = declarations: "What it says of itself beyond that: kept and returned, and nothing else.",
    LOGOUT = logout: "Logout URIs and what they need.",
    SUBJECT = subject: "`subject_type`, `sector_identifier_uri`: who its users are to it.",
    SIGNING = signing: "Algorithms: how tokens and responses are signed and encrypted.",
    REQUESTS = requests: "What its authorization requests must be, and where they come from.",
    CIBA = ciba: "Backchannel authentication: how it hears of the outcome.",
    LIFETIMES = lifetimes: "How long its tokens live, and how they are renewed.",
    CONSENT = consent: "What its users are asked, and how they log in.",
    EXTENSIONS = extensions: "Unknown members: dropped, kept or refused.",
    SECTOR_IDENTIFIER = sector_identifier(SectorIdentifier): "What stands at `sector_identifier_uri`: asks its host.",
    POLICY = policy: "What the caller's policy grants; judges the final client.",
    CLIENT_ID = client_id: "`client_id`: what the server calls it.",
    CLIENT_SECRET = client_secret: "`client_secret`: when it needs one.",
    REGISTRATION_ACCESS_TOKEN = registration_access_token: "`registration_access_token`: how it manages itself.",
    SEAL = seal: "All of it in its `client_id`, where the policy wants nothing stored.",
}

#[cfg(test)]
mod tests;
