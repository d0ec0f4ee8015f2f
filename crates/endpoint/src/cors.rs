//! Who may call from a browser. Fetch Standard, "CORS protocol".

use http::{HeaderName, header};
use tower_http::cors::{AllowMethods, AllowOrigin, CorsLayer};

/// What scripts of any origin may do with these methods: send what clients send, read what clients need, and never with
/// the cookies of whoever runs them.
pub fn cors(methods: impl Into<AllowMethods>) -> CorsLayer {
    let custom = HeaderName::from_static;
    let sent = [header::AUTHORIZATION, header::CONTENT_TYPE, custom("dpop"), custom("mcp-protocol-version")];
    let read = [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::LOCATION, custom("dpop-nonce")];
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods(methods)
        .allow_headers(sent)
        .expose_headers(read)
        .max_age(std::time::Duration::from_hours(1))
}
