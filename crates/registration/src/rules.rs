//! How rough a request may be: what is mended, and what is refused.

use std::time::Duration;

use enroll_oauth_types::ReadingRules;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ProtectedNames, RotateToken};

/// What happens to members that no standard we know names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMembers {
    /// They are ignored. RFC 7591 §2.
    #[default]
    Drop,
    /// They are stored apart and returned as they were sent.
    Keep,
    /// The registration is refused.
    Refuse,
}

/// What happens to scopes that the server does not know, and to those that the caller's policy does not allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownScope {
    /// They are left out, as long as one scope is left.
    #[default]
    Drop,
    /// The registration is refused.
    Refuse,
    /// Unknown ones are registered where the caller's policy allows every scope, for a server that learns of its scopes
    /// later. Others are left out.
    Store,
}

/// What is refused though the standards allow it, to judge as another server does. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct AlsoRefuse {
    /// A request without `grant_types`. RFC 7591 §2 gives it a default.
    pub missing_grant_types: bool,
    /// `jwks` beside another method than `private_key_jwt`.
    pub keys_without_private_key_jwt: bool,
    /// `private_key_jwt` with a `jwks_uri` alone.
    pub private_key_jwt_without_jwks: bool,
    /// `require_signed_request_object` without `jwks`.
    pub signed_request_objects_without_jwks: bool,
    /// A `default_max_age` of 0, which asks users to log in each time.
    pub max_age_of_zero: bool,
    /// `default_max_age` without the grant `authorization_code`.
    pub max_age_without_code: bool,
}

/// The leniencies, each on by default because real clients need it. A strict server turns them all off.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Rules {
    /// How the body is read.
    pub reading: ReadingRules,
    /// Unknown members.
    pub unknown_members: UnknownMembers,
    /// Drop `grant_types` and `response_types` that are not supported as long as a usable one is left. RFC 7591 §2
    /// lets the server replace what was asked.
    pub drop_unsupported: bool,
    /// Scopes that are unknown or not allowed.
    pub unknown_scope: UnknownScope,
    /// Leave `offline_access` out of `scope`: the grant `refresh_token` says it already.
    pub strip_offline_access: bool,
    /// Take a client for `native` when it does not say and has a redirect URI that only a native one can have.
    pub infer_native: bool,
    /// Mend what a client asks beyond its policy, or what has no effect beside the rest, and return the effective
    /// value; refuse otherwise.
    pub substitute: bool,
    /// Take a client that sends `jwks` and no method for one of `private_key_jwt`. RFC 7591 §2 has `client_secret_basic`.
    pub infer_private_key_jwt: bool,
    /// Leave redirect URIs out that no grant needs, instead of refusing them.
    pub drop_needless_redirects: bool,
    /// Register `frontchannel_logout_session_required` and its sibling as true where a client has the URI and does not say.
    pub logout_session_required: bool,
    /// Refused, though the standards allow it.
    pub also_refuse: AlsoRefuse,
    /// Let clients manage themselves. RFC 7592.
    pub management: bool,
    /// Give all who register the same public client without a credential one `client_id`, and none of them its
    /// management. Off by default. RFC 7591 §3.2.1.
    pub reuse_identical: bool,
    /// Accept http redirect URIs of remote hosts: for development.
    pub insecure_allow_http_redirect_uris: bool,
    /// Accept an http `jwks_uri`: for development.
    pub insecure_allow_http_jwks_uri: bool,
    /// Accept `https` on loopback hosts from native clients.
    pub allow_https_loopback: bool,
    /// Accept private-use schemes without a dot, against RFC 8252 §7.1.
    pub allow_short_schemes: bool,
    /// Names that a client takes only if its policy grants the privilege `client_name`.
    pub protected_names: ProtectedNames,
    /// When a client gets another registration access token.
    pub rotate_token: RotateToken,
    /// How long the registration access token before works at the most. By default a day, for clients that come once a
    /// night and whose answer got lost.
    pub token_overlap: Duration,
    /// How long the client secrets before go on to work when their owner asks for another. By default a day.
    pub secret_overlap: Duration,
    /// An update within this time before a client secret ends brings another one; within the last quarter of its lifetime
    /// if that is shorter. By default seven days.
    pub secret_renewal: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reading: ReadingRules::default(),
            unknown_members: UnknownMembers::Drop,
            drop_unsupported: true,
            unknown_scope: UnknownScope::Drop,
            strip_offline_access: false,
            infer_native: true,
            substitute: true,
            infer_private_key_jwt: false,
            drop_needless_redirects: false,
            logout_session_required: false,
            also_refuse: AlsoRefuse::default(),
            management: true,
            reuse_identical: false,
            insecure_allow_http_redirect_uris: false,
            insecure_allow_http_jwks_uri: false,
            allow_https_loopback: true,
            allow_short_schemes: true,
            protected_names: ProtectedNames::default(),
            rotate_token: RotateToken::OnUpdate,
            token_overlap: Duration::from_hours(24),
            secret_overlap: Duration::from_hours(24),
            secret_renewal: Duration::from_hours(7 * 24),
        }
    }
}

impl Rules {
    /// Every leniency off.
    pub fn strict() -> Self {
        Self {
            reading: ReadingRules::strict(),
            unknown_members: UnknownMembers::Refuse,
            drop_unsupported: false,
            unknown_scope: UnknownScope::Refuse,
            infer_native: false,
            substitute: false,
            allow_https_loopback: false,
            allow_short_schemes: false,
            ..Self::default()
        }
    }

    /// As the Configuration API of `Duende IdentityServer` judges, for clients that were written for it; but no URI, no key
    /// and no method becomes less safe for it.
    pub fn duende() -> Self {
        Self {
            unknown_members: UnknownMembers::Keep,
            unknown_scope: UnknownScope::Store,
            strip_offline_access: true,
            infer_private_key_jwt: true,
            logout_session_required: true,
            also_refuse: AlsoRefuse {
                missing_grant_types: true,
                keys_without_private_key_jwt: true,
                private_key_jwt_without_jwks: true,
                signed_request_objects_without_jwks: true,
                max_age_of_zero: true,
                max_age_without_code: true,
            },
            management: false,
            reuse_identical: false,
            ..Self::default()
        }
    }
}
