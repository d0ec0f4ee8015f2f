use enroll_oauth_types::Capabilities;
use serde_json::json;

use crate::steps::trial::{Trial, app, keys};

const SIGNED: &str = "id_token_signed_response_alg";
const ALG: &str = "id_token_encrypted_response_alg";
const ENC: &str = "id_token_encrypted_response_enc";

fn encrypting() -> Trial {
    Trial::new().capable(|own| {
        own.encryption_algs = ["ECDH-ES", "RSA-OAEP-256", "A256KW"].map(Into::into).into();
        own.encryption_encs = ["A128CBC-HS256", "A256GCM"].map(Into::into).into();
        own.response_modes.push("jwt".to_owned());
    })
}

/// OpenID Connect Dynamic Client Registration 1.0 §2
#[test]
fn signatures_are_of_the_servers_algorithms() {
    for member in [SIGNED, "userinfo_signed_response_alg", "introspection_signed_response_alg"] {
        assert_eq!(Trial::new().accepts(&app(json!({ member: "ES256" })))[member], "ES256");
        for bad in ["ES999", "es256", "none"] {
            Trial::new().refuses_about(member, &app(json!({ member: bad })));
        }
    }
    assert!(Trial::new().accepts(&app(json!({}))).get(SIGNED).is_none());
}

/// OpenID Connect Core §2
#[test]
fn an_unsigned_id_token_comes_straight_from_the_server() {
    let trial = Trial::new().capable(|own| {
        *own = Capabilities::code_and_client_credentials().with_legacy_implicit();
        own.id_token_signing_algs.push("none".into());
        own.introspection_signing_algs.push("none".into());
    });
    trial.accepts(&app(json!({ SIGNED: "none" })));
    trial.refuses_about(SIGNED, &app(json!({ SIGNED: "none", "response_types": ["id_token"] })));
    let body = app(json!({ "introspection_signed_response_alg": "none" }));
    trial.refuses_about("introspection_signed_response_alg", &body);
}

/// OpenID Connect Core §10.1: the secret is the key.
#[test]
fn a_public_client_has_no_secret_to_sign_with() {
    let trial = Trial::new().capable(|own| own.id_token_signing_algs.push("HS256".into()));
    trial.accepts(&app(json!({ SIGNED: "HS256" })));
    trial.refuses_about(SIGNED, &app(json!({ SIGNED: "HS256", "token_endpoint_auth_method": "none" })));
}

/// OpenID Connect Dynamic Client Registration 1.0 §2
#[test]
fn encryption_has_a_default_content_algorithm_and_is_signed_first() {
    let json = encrypting().accepts(&app(json!({ ALG: "ECDH-ES", "jwks": keys() })));
    assert_eq!(json[ENC], "A128CBC-HS256");
    assert_eq!(json[SIGNED], "RS256");
    let json = encrypting()
        .accepts(&app(json!({ ALG: "ECDH-ES", ENC: "A256GCM", SIGNED: "ES256", "jwks": keys() })));
    assert_eq!(json[ENC], "A256GCM");
    assert_eq!(json[SIGNED], "ES256");
}

/// OpenID Connect Dynamic Client Registration 1.0 §2
#[test]
fn encryption_needs_its_other_half_and_a_key() {
    encrypting().refuses_about(ENC, &app(json!({ ENC: "A256GCM" })));
    encrypting().refuses_about(ALG, &app(json!({ ALG: "ECDH-ES" })));
    let mut for_signatures = keys();
    for_signatures["keys"][0]["use"] = json!("sig");
    encrypting().refuses_about(ALG, &app(json!({ ALG: "ECDH-ES", "jwks": for_signatures })));
    encrypting().refuses_about(ENC, &app(json!({ ALG: "ECDH-ES", ENC: "A1", "jwks": keys() })));
    encrypting().refuses_about(ALG, &app(json!({ ALG: "RSA1_5", "jwks": keys() })));
    encrypting().refuses_about(ALG, &app(json!({ ALG: "RSA-OAEP-256", "jwks": keys() })));
    let mut for_another = keys();
    for_another["keys"][0]["alg"] = json!("ECDH-ES+A128KW");
    encrypting().refuses_about(ALG, &app(json!({ ALG: "ECDH-ES", "jwks": for_another })));
    encrypting().accepts(&app(json!({ ALG: "ECDH-ES", "jwks_uri": "https://app.example/jwks" })));
    encrypting().accepts(&app(json!({ ALG: "A256KW" })));
    encrypting().refuses_about(ALG, &app(json!({ ALG: "A256KW", "token_endpoint_auth_method": "none" })));
}

/// OpenID Connect Core §5.3.2: claims of a user may be encrypted without a signature; JARM §3: authorization responses never.
#[test]
fn what_is_encrypted_is_signed_unless_it_may_be_plain() {
    for (answer, signed) in
        [("userinfo", None), ("introspection", Some("RS256")), ("authorization", Some("RS256"))]
    {
        let [sign, alg] = ["signed", "encrypted"].map(|how| format!("{answer}_{how}_response_alg"));
        let json = encrypting().accepts(&app(json!({ &alg: "ECDH-ES", "jwks": keys() })));
        assert_eq!(json.get(&sign).and_then(|value| value.as_str()), signed, "{answer}");
        let body = app(json!({ &alg: "ECDH-ES", &sign: "none", "jwks": keys() }));
        encrypting().refuses_about(&sign, &body);
    }
}

#[test]
fn a_server_that_encrypts_nothing_says_so() {
    let refusal = Trial::new().refuses(&app(json!({ ALG: "RSA-OAEP-256", "jwks": keys() })));
    assert_eq!(
        refusal,
        format!("invalid_client_metadata {ALG}: must be left out: this server supports none")
    );
}

/// JWT Secured Authorization Response Mode §2.3, §3
#[test]
fn authorization_responses_are_signed_only_in_a_jwt_mode() {
    const MEMBER: &str = "authorization_signed_response_alg";
    assert_eq!(encrypting().accepts(&app(json!({ MEMBER: "PS256" })))[MEMBER], "PS256");
    encrypting().refuses_about(MEMBER, &app(json!({ MEMBER: "none" })));
    let unsigned = Trial::new().capable(|own| own.response_modes.retain(|mode| !mode.ends_with("jwt")));
    unsigned.refuses_about(MEMBER, &app(json!({ MEMBER: "PS256" })));
}

#[test]
fn the_allowed_id_token_algorithms_hold_the_chosen_one() {
    const MEMBER: &str = "allowed_identity_token_signing_algorithms";
    let json = Trial::new().accepts(&app(json!({ MEMBER: ["ES256", "PS256", "ES256"], SIGNED: "PS256" })));
    assert_eq!(json[MEMBER], json!(["ES256", "PS256"]));
    Trial::new().accepts(&app(json!({ MEMBER: [], SIGNED: "PS256" })));
    Trial::new().refuses_about(MEMBER, &app(json!({ MEMBER: ["ES256"], SIGNED: "PS256" })));
    let refusal = Trial::new().refuses(&app(json!({ MEMBER: ["ES256", "XS256"] })));
    assert!(refusal.contains(&format!("{MEMBER}[1]: ")), "{refusal}");
}
