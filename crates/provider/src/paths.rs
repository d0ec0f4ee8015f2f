//! Where the endpoints are, below the issuer.

/// RFC 6749 §3.2
pub const TOKEN: &str = "/connect/token";
/// RFC 7662 §2
pub const INTROSPECTION: &str = "/connect/introspect";
/// RFC 7009 §2
pub const REVOCATION: &str = "/connect/revocation";
/// RFC 7517 §5
pub const JWKS: &str = "/.well-known/openid-configuration/jwks";
/// Where clients go that found no metadata.
pub const GUESSED_TOKEN: &str = "/token";
