//! Where the endpoints are, below the issuer.

/// RFC 6749 §3.1
pub const AUTHORIZATION: &str = "/connect/authorize";
/// Where the page goes that asks who somebody is.
pub(crate) const LOGIN: &str = "/connect/authorize/login";
/// Where somebody goes on who has logged in.
pub(crate) const RESUME: &str = "/connect/authorize/resume";
/// Where the page goes that asks what a client may have.
pub(crate) const CONSENT: &str = "/connect/authorize/consent";
/// RFC 6749 §3.2
pub const TOKEN: &str = "/connect/token";
/// OpenID Connect Core 1.0 §5.3
pub const USERINFO: &str = "/connect/userinfo";
/// OpenID Connect RP-Initiated Logout 1.0 §2
pub const END_SESSION: &str = "/connect/endsession";
/// Where the page goes that asks whether to log out.
pub(crate) const CONFIRM: &str = "/connect/endsession/confirm";
/// Where the pictures of clients are.
pub(crate) const LOGO: &str = "/connect/logo";
/// RFC 7662 §2
pub const INTROSPECTION: &str = "/connect/introspect";
/// RFC 7009 §2
pub const REVOCATION: &str = "/connect/revocation";
/// RFC 7517 §5
pub const JWKS: &str = "/.well-known/openid-configuration/jwks";
/// Where clients go that found no metadata.
pub const GUESSED_AUTHORIZATION: &str = "/authorize";
/// Where clients go that found no metadata.
pub const GUESSED_TOKEN: &str = "/token";
