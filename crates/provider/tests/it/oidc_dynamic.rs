//! The checks of the OpenID plans for discovery and for clients that register themselves, each under the name of its module.
//! OpenID Connect Discovery 1.0, OpenID Connect Dynamic Client Registration 1.0.

use enroll_jose::{SigningAlgorithm, SigningKey};
use enroll_oauth_types::{Capabilities, ServerMetadata};
use enroll_testkit::{ClientKey, Form};
use http::Request;
use serde_json::{Value, json};

use crate::harness::{CALLBACK, ISSUER, Server, claims, form, head};

/// OpenID Connect Discovery 1.0 §3
#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let server = Server::new().await;
    let metadata = ServerMetadata::new(ISSUER, &Capabilities::code_and_client_credentials());
    let told = serde_json::to_value(metadata.with_authorization_server(server.described.clone())).unwrap();
    for (name, value) in [
        ("authorization_response_iss_parameter_supported", true),
        ("claims_parameter_supported", true),
        ("request_parameter_supported", false),
        ("request_uri_parameter_supported", false),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    for (name, value) in [
        ("response_types_supported", "code"),
        ("response_modes_supported", "form_post"),
        ("grant_types_supported", "refresh_token"),
        ("subject_types_supported", "pairwise"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("userinfo_signing_alg_values_supported", "RS256"),
        ("token_endpoint_auth_methods_supported", "none"),
        ("code_challenge_methods_supported", "S256"),
        ("claims_supported", "email_verified"),
        ("claims_supported", "auth_time"),
        ("prompt_values_supported", "select_account"),
        ("ui_locales_supported", "ja"),
    ] {
        assert!(
            told[name].as_array().is_some_and(|list| list.contains(&value.into())),
            "{name}: {}",
            told[name]
        );
    }
    for endpoint in told.as_object().unwrap().keys().filter(|name| name.ends_with("_endpoint")) {
        let url = told[endpoint].as_str().unwrap();
        assert!(url.starts_with("https://id.example/connect/"), "{endpoint}: {url}");
        let answer = server.send(Request::get(url).body("".into()).unwrap()).await;
        assert_ne!(answer.status, 404, "{endpoint}");
    }
    let methods = told["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!methods.contains(&"none".into()) && !methods.contains(&"tls_client_auth".into()), "{methods:?}");
}

/// OpenID Connect Core 1.0 §10.1.1: both keys are there, and what was signed before is still known.
#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid").await;
    let before = server.kids().await;
    // Of two keys of the same second, either may be the one that signs.
    server.clock.advance(1);
    server.keys.rotate().await.unwrap();
    let after = server.kids().await;
    assert_eq!(after.len(), before.len() + SigningAlgorithm::ALL.len());
    assert!(before.iter().all(|kid| after.contains(kid)));
    server.clock.advance(24 * 3600 + 1);
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    let again = server.redeem(&client, &asked, &code).await.json();
    let kid = |told: &Value| head(told["id_token"].as_str().unwrap())["kid"].clone();
    assert_ne!(kid(&told), kid(&again));
    let hint = told["id_token"].as_str().unwrap();
    let answer = server.browser().authorizes(&client.asks(&[("id_token_hint", hint)]), "alice").await;
    assert!(answer.told("code").is_some(), "{answer:?}");
}

/// The page of the login shows who asks, with links, to people who read these languages.
#[tokio::test]
async fn oidcc_registration_policy_uri_tos_uri() {
    let server = Server::new().await;
    let members = json!({
        "client_name": "Fotoalbum",
        "client_uri": "https://app.example/",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos",
        "tos_uri#de": "https://app.example/agb",
    });
    let client = server.register(members).await;
    let page = server.browser().goes(&client.asks(&[("ui_locales", "de")])).await;
    for shown in ["Fotoalbum", "href=\"https://app.example/policy\"", "href=\"https://app.example/agb\""] {
        assert!(page.body.contains(shown), "{shown} in {page:?}");
    }
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let server = Server::new().await;
    let answer = server.try_to_register(&json!({ "redirect_uris": ["https://app.example/cb#x"] })).await;
    answer.is_refused(400, "invalid_redirect_uri");
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok_mismatch_and_added() {
    let server = Server::new().await;
    let registered = "https://app.example/cb?foo=bar";
    let client = server.register(json!({ "redirect_uris": [registered] })).await;
    let answer = server.browser().authorizes(&client.asks(&[("redirect_uri", registered)]), "alice").await;
    assert!(answer.location().starts_with("https://app.example/cb?foo=bar&code="), "{answer:?}");
    for other in [CALLBACK, "https://app.example/cb?foo=baz", "https://app.example/cb?foo=bar&bar=foo"] {
        let answer = server.browser().goes(&client.asks(&[("redirect_uri", other)])).await;
        answer.is_error_page("invalid_request");
    }
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let server = Server::new().await;
    let two = server.register(json!({ "redirect_uris": [CALLBACK, "https://app.example/cb2"] })).await;
    for scope in ["openid", "api1"] {
        let asked = two.asks(&[("redirect_uri", ""), ("scope", scope)]);
        server.browser().goes(&asked).await.is_error_page("invalid_request");
    }
    // With one, OAuth 2.0 needs none; OpenID Connect does.
    let one = server.register(json!({})).await;
    server.browser().goes(&one.asks(&[("redirect_uri", "")])).await.is_error_page("invalid_request");
    let asked = one.asks(&[("redirect_uri", ""), ("scope", "api1")]);
    let code = server.browser().code(&asked).await;
    let fields =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", &asked.verifier)];
    assert_eq!(server.post_as(&one, "/connect/token", &fields).await.status, 200);
}

/// OpenID Connect Core 1.0 §3.1.3.7; with `none` refused at registration.
#[tokio::test]
async fn oidcc_idtoken_rs256_and_unsigned() {
    let server = Server::new().await;
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let (_, told) = server.tokens(json!({ "id_token_signed_response_alg": algorithm }), "openid").await;
        assert_eq!(head(told["id_token"].as_str().unwrap())["alg"], algorithm);
    }
    let unsigned = json!({ "redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none" });
    server.try_to_register(&unsigned).await.is_refused(400, "invalid_client_metadata");
}

/// OpenID Connect Core 1.0 §5.3.2
#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let server = Server::new().await;
    let (client, told) =
        server.tokens(json!({ "userinfo_signed_response_alg": "RS256" }), "openid email").await;
    let answer = server.userinfo(told["access_token"].as_str().unwrap()).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    assert_eq!(head(&answer.body)["alg"], "RS256");
    let says = claims(&answer.body);
    assert_eq!((&says["iss"], &says["aud"]), (&ISSUER.into(), &client.id().into()));
    assert_eq!(says["email"], "alice@example.com");
}

/// RFC 7523 §3; `oidcc-ensure-client-assertion-with-iss-aud-succeeds`
#[tokio::test]
async fn oidcc_private_key_jwt_with_the_issuer_or_the_endpoint_as_audience() {
    let server = Server::new().await;
    let key = ClientKey::new("k");
    let members = json!({ "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "jwks": key.jwks() });
    let client = server.register(members).await;
    for (number, audience) in
        [json!(ISSUER), json!("https://id.example/connect/token"), json!([ISSUER])].iter().enumerate()
    {
        let asked = client.asks(&[]);
        let code = server.browser().code(&asked).await;
        let now = server.now();
        let assertion = key.sign(&json!({
            "iss": client.id(), "sub": client.id(), "aud": audience, "exp": now + 60, "iat": now, "jti": number.to_string(),
        }));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &asked.verifier),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        assert_eq!(server.send(form("/connect/token", &fields)).await.status, 200, "{audience}");
        server.send(form("/connect/token", &fields)).await.is_refused(401, "invalid_client");
    }
}

/// OpenID Connect Core 1.0 §4
#[tokio::test]
async fn oidcc_3rd_party_init_login_and_nohttps() {
    let server = Server::new().await;
    let client = server.register(json!({ "initiate_login_uri": "https://app.example/start" })).await;
    assert_eq!(client.member("initiate_login_uri"), "https://app.example/start");
    let plain = json!({ "redirect_uris": [CALLBACK], "initiate_login_uri": "http://app.example/start" });
    server.try_to_register(&plain).await.is_refused(400, "invalid_client_metadata");
}

/// OAuth 2.0 Form Post Response Mode 1.0 §2
#[tokio::test]
async fn form_post_carries_the_code_in_a_form_that_posts_itself() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let asked = client.asks(&[("response_mode", "form_post"), ("state", "\"><script>")]);
    let page = server.browser().authorizes(&asked, "alice").await;
    let Form { action, hidden: fields, .. } = page.form();
    assert_eq!(action, CALLBACK);
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert!(!page.body.contains("<script>\""), "{page:?}");
    assert_eq!(server.redeem(&client, &asked, &fields[0].1).await.status, 200);
    let refused =
        server.browser().goes(&client.asks(&[("response_mode", "form_post"), ("prompt", "none")])).await;
    assert!(refused.form().hidden.contains(&("error".to_owned(), "login_required".to_owned())));
}

/// A key that this server never made signs nothing here.
#[tokio::test]
async fn a_token_of_another_key_is_nobodys() {
    let server = Server::new().await;
    let (_, told) = server.tokens(json!({}), "openid").await;
    let says = claims(told["access_token"].as_str().unwrap());
    let forged = SigningKey::generate(SigningAlgorithm::Es256).sign_jwt(Some("at+jwt"), &says).unwrap();
    server.userinfo(&forged).await.is_refused(401, "invalid_token");
}
