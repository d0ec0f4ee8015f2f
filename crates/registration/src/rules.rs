//! How rough a request may be: what is mended, and what is refused.

use std::time::Duration;

use enroll_oauth_types::ReadingRules;

use crate::{ProtectedNames, RotateToken};

/// What happens to members that no standard we know names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownMembers {
    /// They are ignored. RFC 7591 §2.
    #[default]
    Drop,
    /// They are stored apart and returned as they were sent.
    Keep,
    /// The registration is refused.
    Refuse,
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
    /// Drop scopes that are unknown or not allowed as long as one is left.
    pub drop_scopes: bool,
    /// Take a client for `native` when it does not say and has a redirect URI that only a native one can have.
    pub infer_native: bool,
    /// Mend what a client asks beyond its policy, or what has no effect beside the rest, and return the effective
    /// value; refuse otherwise.
    pub substitute: bool,
    /// Accept http redirect URIs of remote hosts: for development.
    pub insecure_allow_http_redirect_uris: bool,
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
            drop_scopes: true,
            infer_native: true,
            substitute: true,
            insecure_allow_http_redirect_uris: false,
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
            drop_scopes: false,
            infer_native: false,
            substitute: false,
            insecure_allow_http_redirect_uris: false,
            allow_https_loopback: false,
            allow_short_schemes: false,
            ..Self::default()
        }
    }
}
