//! What holds for the steps together.

use std::collections::BTreeSet;

use enroll_access::Terms;
use enroll_oauth_types::{Capabilities, ClientMetadata};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::trial::{Trial, app, keys, machine};
use crate::{Pipeline, UnknownMembers};

/// A server that supports whatever can be registered, for a caller who may register it.
fn able() -> Trial {
    let trial = Trial::new().on(Terms::unrestricted());
    trial.capable(|own| {
        *own = Capabilities::code_and_client_credentials()
            .with_scopes(["openid", "api1"])
            .with_legacy_implicit();
        own.grant_types.push("urn:openid:params:grant-type:ciba".into());
        own.response_modes.push("jwt".to_owned());
        own.encryption_algs = vec!["ECDH-ES".into()];
        own.encryption_encs = vec!["A128CBC-HS256".into()];
        own.request_object_encryption_algs = own.encryption_algs.clone();
        own.request_object_encryption_encs = own.encryption_encs.clone();
        own.acr_values = vec!["gold".to_owned()];
        own.authorization_details_types = vec!["payment".to_owned()];
    })
}

/// A plausible value for every member, in as few requests as agree with themselves.
fn plausible() -> [Value; 5] {
    let user_facing = json!({
        "redirect_uris": ["https://app.example/cb"], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "response_modes": ["query"], "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "jwks": keys(), "scope": "openid api1",
        "client_name": "App", "client_uri": "https://app.example/", "logo_uri": "https://app.example/logo.png",
        "tos_uri": "https://app.example/tos", "policy_uri": "https://app.example/privacy",
        "contacts": ["ops@app.example"], "software_id": "app", "software_version": "1", "application_type": "web",
        "subject_type": "pairwise", "id_token_signed_response_alg": "ES256",
        "id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A128CBC-HS256",
        "userinfo_signed_response_alg": "ES256", "userinfo_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_enc": "A128CBC-HS256", "request_object_signing_alg": "ES256",
        "request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A128CBC-HS256",
        "default_max_age": 60, "require_auth_time": true, "default_acr_values": ["gold"],
        "initiate_login_uri": "https://app.example/login", "request_uris": ["https://app.example/request"],
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "frontchannel_logout_uri": "https://app.example/out", "frontchannel_logout_session_required": true,
        "backchannel_logout_uri": "https://app.example/out", "backchannel_logout_session_required": true,
    });
    let tokens = app(json!({
        "grant_types": ["authorization_code", "refresh_token"], "jwks": keys(),
        "use_mtls_endpoint_aliases": true, "require_signed_request_object": true,
        "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true,
        "tls_client_certificate_bound_access_tokens": false, "authorization_details_types": ["payment"],
        "introspection_signed_response_alg": "ES256", "introspection_encrypted_response_alg": "ECDH-ES",
        "introspection_encrypted_response_enc": "A128CBC-HS256", "authorization_signed_response_alg": "ES256",
        "authorization_encrypted_response_alg": "ECDH-ES", "authorization_encrypted_response_enc": "A128CBC-HS256",
        "absolute_refresh_token_lifetime": 60, "sliding_refresh_token_lifetime": 60,
        "refresh_token_expiration": "Sliding", "refresh_token_usage": "OneTimeOnly",
        "update_access_token_claims_on_refresh": true, "access_token_lifetime": 60, "access_token_type": "Jwt",
        "identity_token_lifetime": 60, "allowed_identity_token_signing_algorithms": ["ES256"],
        "authorization_code_lifetime": 60, "require_consent": true, "allow_remember_consent": true,
        "consent_lifetime": 60, "allowed_cors_origins": ["https://app.example"], "require_client_secret": true,
        "enable_local_login": true, "identity_provider_restrictions": ["corp"],
        "coordinate_lifetime_with_user_session": true,
    }));
    let declaring = app(json!({
        "jwks_uri": "https://app.example/jwks", "claims_redirect_uris": ["https://app.example/claims"],
        "nfv_token_signed_response_alg": "ES256", "nfv_token_encrypted_response_alg": "ECDH-ES",
        "nfv_token_encrypted_response_enc": "A256GCM", "client_registration_types": ["automatic"],
        "signed_jwks_uri": "https://app.example/signed", "organization_name": "Example", "description": "An app",
        "keywords": ["app"], "information_uri": "https://app.example/about",
        "organization_uri": "https://example.com/", "encrypted_response_enc_values_supported": ["A256GCM"],
        "vp_formats_supported": {}, "credential_offer_endpoint": "https://app.example/offer",
    }));
    let ciba = json!({
        "grant_types": ["urn:openid:params:grant-type:ciba"], "jwks": keys(),
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://app.example/notify",
        "backchannel_authentication_request_signing_alg": "ES256", "backchannel_user_code_parameter": true,
    });
    let certified = machine(json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example",
    }));
    [user_facing, tokens, declaring, ciba, certified]
}

/// Incident class `ssrf_forgotten_member`: a member without a rule is not registered, and this test says so.
#[test]
fn every_member_has_a_step_that_owns_it() {
    let mut registered = BTreeSet::new();
    for body in plausible() {
        let json = able().accepts(&body);
        for (member, value) in body.as_object().unwrap() {
            assert_eq!(json.get(member), Some(value), "{member}");
            registered.insert(member.clone());
        }
    }
    for value in [
        ("tls_client_auth_subject_dn", "CN=app"),
        ("tls_client_auth_san_uri", "spiffe://example/app"),
        ("tls_client_auth_san_ip", "192.0.2.1"),
        ("tls_client_auth_san_email", "app@app.example"),
    ] {
        let (member, value) = value;
        let body = machine(json!({ "token_endpoint_auth_method": "tls_client_auth", member: value }));
        assert_eq!(able().accepts(&body)[member], value);
        registered.insert(member.to_owned());
    }
    let missing: Vec<_> = ClientMetadata::MEMBERS.iter().filter(|own| !registered.contains(**own)).collect();
    assert_eq!(
        missing,
        [&"software_statement", &"sector_identifier_uri"],
        "the two that this version does not take"
    );
}

/// The members whose values somebody may open, and so judge where they lead.
fn is_uri_member(member: &str) -> bool {
    member.ends_with("_uri")
        || member.ends_with("_uris")
        || member.ends_with("_endpoint")
        || member.ends_with("_origins")
}

/// Incident class `script_scheme`
#[test]
fn no_uri_member_takes_a_script() {
    let walked = ClientMetadata::MEMBERS.iter().filter(|own| is_uri_member(own)).count();
    assert_eq!(walked, 20, "a new URI member is walked, too; count it here");
    for member in ClientMetadata::MEMBERS.iter().copied().filter(|own| is_uri_member(own)) {
        for script in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,<script>",
            "DATA:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://a/b",
        ] {
            let list = member.ends_with("_uris") || member.ends_with("_origins");
            let value = if list { json!([script]) } else { json!(script) };
            let native = json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "native" });
            for base in [app(json!({})), native, machine(json!({}))] {
                let machine_redirects = base.get("redirect_uris").is_none() && member == "redirect_uris";
                let mut body = base;
                body[member] = value.clone();
                let rejection = able().register(&body).map(|own| own.json).unwrap_err();
                assert!(rejection.member.starts_with(member), "{body}: {rejection}");
                let code = if member == "redirect_uris" {
                    "invalid_redirect_uri"
                } else {
                    "invalid_client_metadata"
                };
                assert_eq!(rejection.code.as_str(), code, "{body}");
                let named =
                    if list && !machine_redirects { format!("{member}[0]") } else { member.to_owned() };
                assert_eq!(rejection.member, named, "{body}");
            }
        }
    }
}

#[test]
fn whoever_removes_a_step_loses_its_members_and_nothing_else() {
    let body = app(
        json!({ "client_name": "App", "backchannel_logout_uri": "https://app.example/out", "scope": "api1" }),
    );
    for (step, lost) in
        [(super::DISPLAY, "client_name"), (super::LOGOUT, "backchannel_logout_uri"), (super::SCOPE, "scope")]
    {
        let whole = Trial::new().accepts(&body);
        let without = Trial { pipeline: Pipeline::standard().remove(step), ..Trial::new() };
        let mut expected = whole.as_object().unwrap().clone();
        assert!(expected.remove(lost).is_some(), "{lost}");
        assert_eq!(without.accepts(&body), Value::Object(expected), "without {step}");
    }
}

/// RFC 7591 §3.2.1: what was not asked, not changed and not one of the five that are always told is not told.
#[test]
fn the_least_request_has_the_least_answer() {
    let expected = json!({
        "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"], "response_types": ["code"], "scope": "openid profile api1 api2",
        "application_type": "web",
    });
    assert_eq!(Trial::new().accepts(&app(json!({}))), expected);
}

/// A value that some client might send for each of many members, most of them sound.
fn requests() -> impl Strategy<Value = Value> {
    let values = |values: &[&str]| select(values.iter().map(|own| json!(own)).collect::<Vec<_>>()).boxed();
    let lists = |values: &'static [&'static str]| {
        subsequence(values.to_vec(), 1..=values.len()).prop_map(|own| json!(own)).boxed()
    };
    let seconds = select(vec![json!(0), json!(1), json!(600), json!(90_000), json!(2_147_483_647)]).boxed();
    let flag = any::<bool>().prop_map(Value::from).boxed();
    let mut members: Vec<(&'static str, BoxedStrategy<Value>)> = vec![
        (
            "redirect_uris",
            lists(&[
                "https://app.example/cb",
                "http://127.0.0.1/cb",
                "com.example.app:/cb",
                "https://b.example",
            ]),
        ),
        ("grant_types", lists(&["authorization_code", "client_credentials", "refresh_token", "made_up"])),
        ("response_types", lists(&["code", "token"])),
        (
            "token_endpoint_auth_method",
            values(&["none", "client_secret_basic", "private_key_jwt", "client_secret_jwt"]),
        ),
        ("token_endpoint_auth_signing_alg", values(&["ES256", "HS256"])),
        ("jwks", Just(keys()).boxed()),
        ("scope", values(&["openid", "api1 made_up", "openid offline_access api2", "made_up"])),
        ("application_type", values(&["web", "native"])),
        ("subject_type", values(&["public", "pairwise"])),
        ("client_name", values(&["App", "アプリ"])),
        ("id_token_signed_response_alg", values(&["RS256", "ES256"])),
        ("request_object_signing_alg", values(&["ES256", "HS256"])),
        ("refresh_token_usage", values(&["ReUse", "OneTimeOnly"])),
        ("refresh_token_expiration", values(&["Absolute", "Sliding"])),
        ("backchannel_logout_uri", values(&["https://app.example/out"])),
        ("post_logout_redirect_uris", lists(&["https://app.example/bye", "https://app.example/bye2"])),
        ("tls_client_auth_san_dns", values(&["app.example"])),
        ("identity_provider_restrictions", lists(&["corp"])),
        ("favourite_colour", values(&["blue"])),
    ];
    for member in [
        "require_client_secret",
        "dpop_bound_access_tokens",
        "require_consent",
        "enable_local_login",
        "backchannel_logout_session_required",
        "require_signed_request_object",
        "backchannel_user_code_parameter",
    ] {
        members.push((member, flag.clone()));
    }
    for member in [
        "access_token_lifetime",
        "absolute_refresh_token_lifetime",
        "sliding_refresh_token_lifetime",
        "default_max_age",
    ] {
        members.push((member, seconds.clone()));
    }
    let members: Vec<_> = members
        .into_iter()
        .map(|(member, value)| {
            let likely = if member == "redirect_uris" { 0.9 } else { 0.2 };
            proptest::option::weighted(likely, value).prop_map(move |value| Some((member, value?)))
        })
        .collect();
    members.prop_map(|members| {
        let chosen = members.into_iter().flatten().map(|(member, value)| (member.to_owned(), value));
        Value::Object(chosen.collect::<Map<_, _>>())
    })
}

fn keeping_unknown() -> Trial {
    let mut trial = Trial::new();
    trial.server.rules.unknown_members = UnknownMembers::Keep;
    trial
}

proptest! {
    /// RFC 7592 §2.2: a client sends back what it was told, and means the same.
    #[test]
    fn what_is_registered_registered_again_is_the_same(body in requests()) {
        for trial in [keeping_unknown(), Trial::strict()] {
            let Ok(first) = trial.register(&body) else { continue };
            let again = trial.register_metadata(&first.client.metadata);
            let again = again.map_err(|rejection| TestCaseError::fail(format!("{}: {rejection}", first.json)))?;
            prop_assert_eq!(&again.client.metadata, &first.client.metadata);
            prop_assert!(again.notes.iter().all(|note| note.member == "absolute_refresh_token_lifetime"));
            let update = Trial { current: Some(first.client.clone()), ..trial };
            let updated = update.register_metadata(&first.client.metadata).map_err(|own| TestCaseError::fail(own.to_string()))?;
            prop_assert_eq!(&updated.client.metadata, &first.client.metadata);
            prop_assert_eq!(&updated.client.secrets, &first.client.secrets);
        }
    }

    /// RFC 7591 §2: the defaults are the values that they are said to be.
    #[test]
    fn a_default_sent_is_a_default_left_out(sent in subsequence(vec![
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("application_type", json!("web")),
        ("scope", json!("openid profile api1 api2")),
    ], 0..=5)) {
        let sent: Map<_, _> = sent.into_iter().map(|(member, value)| (member.to_owned(), value)).collect();
        for trial in [Trial::new(), Trial::strict()] {
            prop_assert_eq!(trial.accepts(&app(Value::Object(sent.clone()))), trial.accepts(&app(json!({}))));
        }
    }

    /// Incident class `secret_not_enforced`: a secret is issued exactly where something uses it.
    #[test]
    fn a_public_client_never_has_a_secret(body in requests()) {
        if let Ok(registered) = Trial::new().register(&body) {
            let public = registered.json["token_endpoint_auth_method"] == "none";
            prop_assert!(!(public && registered.issued.client_secret.is_some()), "{}", registered.json);
        }
    }
}
