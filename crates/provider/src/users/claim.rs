//! What may be known of somebody, and what it must look like. OpenID Connect Core 1.0 §5.1.

use serde_json::Value;

/// The claims that are not strings.
const BOOLEANS: [&str; 2] = ["email_verified", "phone_number_verified"];

/// What a token says by itself, which nobody's claim can stand for. RFC 7519 §4.1, OpenID Connect Core 1.0 §2.
const OF_TOKENS: [&str; 20] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "scope",
    "client_id",
    "cnf",
    "active",
];

/// The strings of §5.1.
const STRINGS: [&str; 15] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
];

/// Whether a claim of a user may have this value; otherwise what would be right.
///
/// ```
/// use enroll_provider::check_claim;
/// use serde_json::json;
///
/// assert!(check_claim("email_verified", &json!(true)).is_ok());
/// assert!(check_claim("email_verified", &json!("yes")).unwrap_err().contains("true or false"));
/// assert!(check_claim("department", &json!(["sales"])).is_ok());
/// ```
pub fn check_claim(name: &str, value: &Value) -> Result<(), String> {
    if name.is_empty() || OF_TOKENS.contains(&name) {
        return Err(format!("{name}: is not a claim of a user, but of tokens"));
    }
    let wrong = |expected: &str| Err(format!("{name}: must be {expected}"));
    if BOOLEANS.contains(&name) && !value.is_boolean() {
        return wrong("true or false");
    }
    if name == "updated_at" && !value.is_u64() {
        return wrong("a number of seconds since 1970");
    }
    if name == "address" && !value.is_object() {
        return wrong("a JSON object");
    }
    if STRINGS.contains(&name) && !value.is_string() {
        return wrong("a string");
    }
    Ok(())
}
