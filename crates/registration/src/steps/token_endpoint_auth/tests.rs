use serde_json::{Value, json};

use crate::steps::trial::{Trial, app, keys, machine};

fn keys_with_certificate() -> Value {
    let mut keys = keys();
    keys["keys"][0]["x5c"] = json!(["MIIB"]);
    keys
}

/// RFC 7591 §2
#[test]
fn the_default_is_client_secret_basic() {
    assert_eq!(Trial::new().accepts(&app(json!({})))["token_endpoint_auth_method"], "client_secret_basic");
    let json = Trial::new().accepts(&app(json!({ "jwks": keys() })));
    assert_eq!(json["token_endpoint_auth_method"], "client_secret_basic");
}

#[test]
fn a_method_is_one_of_the_servers() {
    let body = app(json!({ "token_endpoint_auth_method": "client_secret" }));
    Trial::new().refuses_about("token_endpoint_auth_method", &body);
    let trial = Trial::new().capable(|own| own.token_endpoint_auth_methods = vec!["private_key_jwt".into()]);
    let refusal = trial.refuses(&app(json!({})));
    assert_eq!(refusal, "invalid_client_metadata token_endpoint_auth_method: must be private_key_jwt");
}

/// RFC 6749 §4.4
#[test]
fn a_client_that_acts_for_itself_authenticates() {
    let body = machine(json!({ "token_endpoint_auth_method": "none" }));
    Trial::new().refuses_about("token_endpoint_auth_method", &body);
    for grant in ["urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:openid:params:grant-type:ciba"] {
        let trial = Trial::new().capable(|own| own.grant_types.push(grant.into()));
        let body = json!({
            "grant_types": [grant], "token_endpoint_auth_method": "none",
            "backchannel_token_delivery_mode": "poll",
        });
        trial.refuses_about("token_endpoint_auth_method", &body);
    }
}

/// OpenID Connect Core §9
#[test]
fn private_key_jwt_needs_a_key_that_signs() {
    let with = |jwks: Value| app(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks }));
    Trial::new().accepts(&with(keys()));
    let body =
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/k" });
    Trial::new().accepts(&app(body));
    Trial::new().refuses_about("jwks", &app(json!({ "token_endpoint_auth_method": "private_key_jwt" })));
    let mut for_encryption = keys();
    for_encryption["keys"][0]["use"] = json!("enc");
    Trial::new().refuses_about("jwks", &with(for_encryption));
    Trial::new().refuses_about("jwks", &with(json!({ "keys": [{ "kty": "AKP-of-tomorrow" }] })));
}

/// RFC 8705 §2.2.2
#[test]
fn a_self_signed_certificate_stands_with_its_key() {
    let with = |jwks: Value| {
        app(json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": jwks }))
    };
    Trial::new().accepts(&with(keys_with_certificate()));
    Trial::new().refuses_about("jwks", &with(keys()));
    let mut mixed = keys_with_certificate();
    let mut bare = keys()["keys"][0].clone();
    bare["kid"] = json!("2");
    mixed["keys"].as_array_mut().unwrap().push(bare);
    Trial::new().refuses_about("jwks", &with(mixed));
}

/// RFC 8705 §2.1.2
#[test]
fn a_certificate_is_known_by_exactly_one_name() {
    let with = |over: Value| {
        let mut body = app(json!({ "token_endpoint_auth_method": "tls_client_auth" }));
        body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        body
    };
    for (member, value) in [
        ("tls_client_auth_subject_dn", "CN=app,O=Example,C=DE"),
        ("tls_client_auth_san_dns", "app.example"),
        ("tls_client_auth_san_uri", "spiffe://example/app"),
        ("tls_client_auth_san_ip", "2001:db8::1"),
        ("tls_client_auth_san_email", "app@app.example"),
    ] {
        assert_eq!(Trial::new().accepts(&with(json!({ member: value })))[member], value);
    }
    Trial::new().refuses_about("tls_client_auth_subject_dn", &with(json!({})));
    let two = with(json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "192.0.2.1" }));
    Trial::new().refuses_about("tls_client_auth_san_ip", &two);
}

#[test]
fn a_name_in_a_certificate_has_the_form_of_its_kind() {
    for (member, value) in [
        ("tls_client_auth_subject_dn", "app"),
        ("tls_client_auth_san_dns", "app..example"),
        ("tls_client_auth_san_uri", "JaVaScRiPt:alert(1)"),
        ("tls_client_auth_san_ip", "192.0.2"),
        ("tls_client_auth_san_email", "app"),
        ("tls_client_auth_san_email", "a@b\n"),
    ] {
        let body = app(json!({ "token_endpoint_auth_method": "tls_client_auth", member: value }));
        Trial::new().refuses_about(member, &body);
    }
}

#[test]
fn names_of_certificates_without_their_method_are_left_out() {
    let body = app(json!({ "tls_client_auth_san_dns": "app.example" }));
    let registered = Trial::new().register(&body).unwrap();
    assert!(registered.json.get("tls_client_auth_san_dns").is_none());
    assert!(registered.notes_about("tls_client_auth_san_dns"));
    Trial::strict().refuses_about("tls_client_auth_san_dns", &body);
}

/// OpenID Connect Dynamic Client Registration 1.0 §2
#[test]
fn the_algorithm_of_assertions_fits_the_method() {
    const MEMBER: &str = "token_endpoint_auth_signing_alg";
    let with = |method: &str, algorithm: &str| {
        app(json!({ "token_endpoint_auth_method": method, MEMBER: algorithm, "jwks": keys() }))
    };
    assert_eq!(Trial::new().accepts(&with("private_key_jwt", "ES256"))[MEMBER], "ES256");
    assert_eq!(Trial::new().accepts(&with("client_secret_jwt", "HS512"))[MEMBER], "HS512");
    for (method, algorithm) in [
        ("private_key_jwt", "HS256"),
        ("private_key_jwt", "none"),
        ("private_key_jwt", "ES999"),
        ("client_secret_jwt", "ES256"),
        ("client_secret_jwt", "none"),
        ("client_secret_basic", "ES256"),
        ("none", "ES256"),
    ] {
        Trial::new().refuses_about(MEMBER, &with(method, algorithm));
    }
}

#[test]
fn require_client_secret_agrees_with_the_method() {
    let json = Trial::new().accepts(&app(json!({ "require_client_secret": false })));
    assert_eq!(json["token_endpoint_auth_method"], "none");
    let json = Trial::new().accepts(&app(json!({ "require_client_secret": true })));
    assert_eq!(json["token_endpoint_auth_method"], "client_secret_basic");
    for (method, required) in [("none", true), ("client_secret_post", false), ("private_key_jwt", false)] {
        let body = app(json!({ "token_endpoint_auth_method": method, "require_client_secret": required }));
        Trial::new().refuses_about("require_client_secret", &body);
    }
    Trial::new()
        .refuses_about("token_endpoint_auth_method", &machine(json!({ "require_client_secret": false })));
}
