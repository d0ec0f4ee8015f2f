//! What may be known of somebody, and what it must look like. OpenID Connect Core 1.0 §5.1.

use serde_json::Value;

/// The claims that are true or false.
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

/// Whether a claim of a user may have this value; otherwise what would be right. A name may have the tag of a language
/// behind it. OpenID Connect Core 1.0 §5.2.
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
    let full_name = name;
    let name = full_name.split_once('#').map_or(full_name, |(name, _)| name);
    if name.is_empty() {
        return Err("a claim must have a name".to_owned());
    }
    if OF_TOKENS.contains(&name) {
        return Err(format!("{name}: is not a claim of a user, but of tokens"));
    }
    let wrong = |expected: &str| Err(format!("{full_name}: must be {expected}"));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// OpenID Connect Core 1.0 §5.1, §5.1.1, §5.2.
    #[test]
    fn what_the_standard_names_has_its_type_and_anything_else_any() {
        for (name, right, wrong) in [
            ("name", json!("Alice"), json!(1)),
            ("name#ja-Kana-JP", json!("アリス"), json!(["アリス"])),
            ("birthdate", json!("1990"), json!(1990)),
            ("phone_number_verified", json!(false), json!("false")),
            ("address", json!({ "country": "CH" }), json!("Bahnhofstrasse 1")),
            ("updated_at", json!(1_767_225_600), json!("2026-01-01")),
        ] {
            assert_eq!(check_claim(name, &right), Ok(()), "{name}");
            let refused = check_claim(name, &wrong).unwrap_err();
            assert!(refused.starts_with(name) && refused.contains("must be"), "{refused}");
        }
        assert_eq!(check_claim("https://corp.example/groups", &json!(["a"])), Ok(()));
    }

    #[test]
    fn what_a_token_says_nobody_can_be_given() {
        for name in OF_TOKENS {
            assert!(check_claim(name, &json!("root")).unwrap_err().contains("of tokens"), "{name}");
        }
        assert!(check_claim("sub#en", &json!("root")).is_err());
        assert!(check_claim("", &json!("root")).is_err());
    }
}
