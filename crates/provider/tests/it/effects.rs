//! What each member of client metadata changes on the wire: clients with it, and without it. `docs/effects.md` names the test
//! for each. This file: who a client is, and what people see and are asked.

use enroll_testkit::{ClientKey, FakeWeb, Form, WebAnswer};
use http::{Request, header};
use serde_json::{Value, json};

use crate::harness::{Browser, CALLBACK, Client, ISSUER, Server, claims, form, head};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `token_endpoint_auth_method`, `require_client_secret`: RFC 7591 §2.
#[tokio::test]
async fn the_method_decides_how_a_client_proves_who_it_is() {
    let server = Server::new().await;
    let secret = server.register(json!({})).await;
    let public = server.register(json!({ "token_endpoint_auth_method": "none" })).await;
    let also_public = server.register(json!({ "require_client_secret": false })).await;
    for (client, status) in [(&secret, 401), (&public, 400), (&also_public, 400)] {
        let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", client.id())];
        assert_eq!(server.send(form("/connect/token", &fields)).await.status, status, "{}", client.told);
    }
}

/// `token_endpoint_auth_signing_alg`: OpenID Connect Registration §2.
#[tokio::test]
async fn the_algorithm_of_assertions_is_the_registered_one() {
    let server = Server::new().await;
    let key = ClientKey::new("k");
    for (members, status) in [
        (json!({}), 400),
        (json!({ "token_endpoint_auth_signing_alg": "ES256" }), 400),
        (json!({ "token_endpoint_auth_signing_alg": "ES384" }), 401),
    ] {
        let mut all = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": both_curves(&key) });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let client = server.register(all).await;
        let answer = present(&server, &client, &key, "1").await;
        assert_eq!(answer, status, "{members}");
    }
}

/// The key, and one of another curve that nobody signs with.
fn both_curves(key: &ClientKey) -> Value {
    let mut jwks = key.jwks();
    jwks["keys"].as_array_mut().unwrap().push(json!({
        "kty": "EC", "crv": "P-384", "kid": "other",
        "x": "lInTxl8fjLKp_UCrxI0WDklahi-7-_6JbtiHjiRvMvhedhKVdHBfi2HCY8t_QJyc",
        "y": "y6N1IC-2mXxHreETBW7K3mBcw0qGr3CWHCs-yl09yCQRLcyfGv7XhqAngHOu51Zv",
    }));
    jwks
}

async fn present(server: &Server, client: &Client, key: &ClientKey, jti: &str) -> u16 {
    let now = server.now();
    let says = json!({ "iss": client.id(), "sub": client.id(), "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti });
    let assertion = key.sign(&says);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "x"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
    ];
    server.send(form("/connect/token", &fields)).await.status.as_u16()
}

/// `jwks_uri`: a key that is not known yet is looked for. `oidcc-registration-jwks-uri`,
/// `oidcc-refresh-token-rp-key-rotation`.
#[tokio::test]
async fn keys_are_read_where_the_client_keeps_them_and_again_when_it_has_a_new_one() {
    let web = FakeWeb::of(&["app.example"]).await;
    let server = Server::connected(&web).await;
    let (first, second) = (ClientKey::new("first"), ClientKey::new("second"));
    web.answer("/keys", WebAnswer::document("application/jwk-set+json", first.jwks().to_string()));
    let members = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": web.url("app.example", "/keys") });
    let client = server.register(members).await;
    assert_eq!(present(&server, &client, &first, "1").await, 400, "known, with a code that is none");
    assert_eq!(present(&server, &client, &second, "2").await, 401);
    web.answer("/keys", WebAnswer::document("application/jwk-set+json", second.jwks().to_string()));
    web.clock().advance(60);
    assert_eq!(present(&server, &client, &second, "3").await, 400);
}

/// `grant_types`, `response_types`: RFC 7591 §2.1.
#[tokio::test]
async fn a_client_gets_what_it_registered_for_and_nothing_else() {
    let server = Server::new().await;
    let machine = json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "scope": "api1" });
    let machine = server.register(machine).await;
    server.browser().goes(&machine.asks(&[("scope", "api1")])).await.is_error_page("invalid_request");
    let fields = [("grant_type", "client_credentials")];
    assert_eq!(server.post_as(&machine, "/connect/token", &fields).await.status, 200);
    let web = server.register(json!({})).await;
    server.post_as(&web, "/connect/token", &fields).await.is_refused(400, "unauthorized_client");
}

/// `scope`: RFC 6749 §3.3.
#[tokio::test]
async fn a_scope_is_given_to_those_who_registered_it() {
    let server = Server::new().await;
    for (scope, told) in [("openid api1", None), ("openid", Some("invalid_scope"))] {
        let client = server.register(json!({ "scope": scope })).await;
        let answer = server.browser().authorizes(&client.asks(&[("scope", "openid api1")]), "alice").await;
        assert_eq!(answer.told("error").as_deref(), told, "{scope}");
    }
}

/// `application_type`: RFC 8252 §7.3.
#[tokio::test]
async fn a_native_client_chooses_its_loopback_port_anew() {
    let server = Server::new().await;
    for (kind, uri, fits) in
        [("native", "http://127.0.0.1:50123/cb", true), ("web", "https://app.example:50123/cb", false)]
    {
        let registered = uri.replace(":50123", "");
        let client =
            server.register(json!({ "application_type": kind, "redirect_uris": [registered] })).await;
        let page = server.browser().goes(&client.asks(&[("redirect_uri", uri)])).await;
        assert_eq!(page.asks_for_password(), fits, "{kind}");
    }
}

/// `response_modes`: OAuth 2.0 Multiple Response Types §2.1.
#[tokio::test]
async fn of_a_client_that_registered_one_mode_that_one_is_meant() {
    let server = Server::new().await;
    let any = server.register(json!({})).await;
    let posted = server.register(json!({ "response_modes": ["form_post"] })).await;
    let none = &[("prompt", "none")];
    server.browser().goes(&any.asks(none)).await.is_told("login_required");
    let answer = server.browser().goes(&posted.asks(none)).await;
    assert_eq!(answer.form().action, CALLBACK);
    let asked = posted.asks(&[("prompt", "none"), ("response_mode", "query")]);
    server.browser().goes(&asked).await.is_told("unsupported_response_mode");
}

/// `authorization_signed_response_alg`: JARM §2, §3.
#[tokio::test]
async fn a_signed_answer_is_signed_as_registered() {
    let server = Server::new().await;
    for (members, algorithm) in
        [(json!({}), "RS256"), (json!({ "authorization_signed_response_alg": "EdDSA" }), "EdDSA")]
    {
        let client = server.register(members).await;
        for mode in ["jwt", "query.jwt", "form_post.jwt"] {
            let asked = client.asks(&[("response_mode", mode)]);
            let answer = server.browser().authorizes(&asked, "alice").await;
            let response = match Form::of(&answer.body) {
                Some(form) => form.hidden[0].1.clone(),
                None => answer.told("response").unwrap(),
            };
            assert_eq!(answer.told("code"), None, "{mode}");
            assert_eq!(head(&response)["alg"], algorithm, "{mode}");
            let says = claims(&response);
            assert_eq!(
                (&says["iss"], &says["aud"], &says["state"]),
                (&ISSUER.into(), &client.id().into(), &"a state".into())
            );
            assert_eq!(server.redeem(&client, &asked, says["code"].as_str().unwrap()).await.status, 200);
        }
    }
}

/// `client_name`, `client_uri`, `policy_uri`, `tos_uri`: OpenID Connect Registration §2.
#[tokio::test]
async fn people_see_who_asks() {
    let server = Server::new().await;
    for (member, value, shown) in [
        ("client_name", "Photo Album", "Photo Album"),
        ("client_uri", "https://app.example/home", "href=\"https://app.example/home\""),
        ("policy_uri", "https://app.example/policy", "href=\"https://app.example/policy\""),
        ("tos_uri", "https://app.example/tos", "href=\"https://app.example/tos\""),
    ] {
        for is_there in [false, true] {
            let client = server.register(if is_there { json!({ member: value }) } else { json!({}) }).await;
            let mut browser = server.browser();
            let login = browser.goes(&client.asks(&[])).await;
            let consent = browser.logs_in(login, "alice").await;
            let login = server.browser().goes(&client.asks(&[])).await;
            for page in [login, consent] {
                assert_eq!(page.body.contains(shown), is_there, "{member}: {page:?}");
            }
        }
    }
}

/// `logo_uri`: `oidcc-registration-logo-uri`. From this server, so that nobody else hears who looks.
#[tokio::test]
async fn people_see_the_picture_of_a_client_from_this_server() {
    let web = FakeWeb::of(&["app.example"]).await;
    let server = Server::connected(&web).await;
    let png = b"\x89PNG\r\n\x1a\nand so on".to_vec();
    web.answer("/logo", WebAnswer::document("image/png", png));
    let without = server.register(json!({})).await;
    let with = server.register(json!({ "logo_uri": web.url("app.example", "/logo") })).await;
    for (client, is_there) in [(&without, false), (&with, true)] {
        let page = server.browser().goes(&client.asks(&[])).await;
        assert_eq!(page.body.contains("<img"), is_there, "{page:?}");
        assert!(!page.body.contains("app.example/logo"), "{page:?}");
        let path = format!("/connect/logo/{}", client.id());
        let answer = server.bytes(Request::get(path).body("".into()).unwrap()).await;
        assert_eq!(answer.0 == 200, is_there);
        if is_there {
            assert_eq!(answer.1[header::CONTENT_TYPE], "image/png");
            assert_eq!(answer.1[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }
}

/// Somebody who is logged in and has allowed this client what it asks, with a tick to remember it.
async fn remembered<'a>(server: &'a Server, client: &Client) -> Browser<'a> {
    let mut browser = server.browser();
    let login = browser.goes(&client.asks(&[])).await;
    let consent = browser.logs_in(login, "alice").await;
    let fields = [("decision", "allow"), ("remember", "yes")];
    assert!(browser.fills_in(&consent, &fields).await.told("code").is_some());
    browser
}

/// `require_consent`: OpenID Connect Core 1.0 §3.1.2.4.
#[tokio::test]
async fn people_are_asked_unless_the_client_is_registered_otherwise() {
    let server = Server::new().await;
    for (members, asks) in [(json!({}), true), (json!({ "require_consent": false }), false)] {
        let client = server.register(members).await;
        let mut browser = server.browser();
        let page = browser.goes(&client.asks(&[])).await;
        let page = browser.logs_in(page, "alice").await;
        assert_eq!(page.asks_for_consent(), asks);
        assert!(browser.goes(&client.asks(&[("prompt", "consent")])).await.asks_for_consent());
    }
}

/// `allow_remember_consent`.
#[tokio::test]
async fn an_answer_is_remembered_where_that_is_allowed() {
    let server = Server::new().await;
    let on_device =
        json!({ "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb", CALLBACK] });
    for (members, asks) in
        [(json!({}), false), (json!({ "allow_remember_consent": false }), true), (on_device, true)]
    {
        let client = server.register(members.clone()).await;
        let mut browser = remembered(&server, &client).await;
        let page = browser.goes(&client.asks(&[])).await;
        assert_eq!(page.asks_for_consent(), asks, "{members}");
    }
}

/// What was remembered holds for this browser, these scopes, and as long as the client is what it was.
#[tokio::test]
async fn a_remembered_answer_is_asked_for_again_when_anything_changed() {
    let server = Server::new().await;
    let mut client = server.register(json!({})).await;
    let mut browser = remembered(&server, &client).await;
    assert!(browser.goes(&client.asks(&[])).await.told("code").is_some());
    assert!(browser.goes(&client.asks(&[("scope", "openid email")])).await.asks_for_consent());
    assert!(browser.goes(&client.asks(&[("resource", "https://api.example/1")])).await.asks_for_consent());
    let mut other = server.browser();
    let page = other.goes(&client.asks(&[])).await;
    assert!(other.logs_in(page, "alice").await.asks_for_consent(), "another browser");
    server.update(&mut client, json!({ "client_name": "Bank" })).await;
    assert!(browser.goes(&client.asks(&[])).await.asks_for_consent(), "another name");
}

/// `consent_lifetime`, from the very second on.
#[tokio::test]
async fn a_remembered_answer_ends_when_the_client_registered_so() {
    for (members, asks) in [(json!({}), false), (json!({ "consent_lifetime": 100 }), true)] {
        let server = Server::new().await;
        let client = server.register(members).await;
        let mut browser = remembered(&server, &client).await;
        server.clock.advance(99);
        assert!(browser.goes(&client.asks(&[])).await.told("code").is_some());
        server.clock.advance(1);
        assert_eq!(browser.goes(&client.asks(&[])).await.asks_for_consent(), asks);
    }
}

/// `enable_local_login`.
#[tokio::test]
async fn a_client_that_wants_no_passwords_here_gets_nobody_who_has_one() {
    let server = Server::new().await;
    let with = server.register(json!({})).await;
    let without = server.register(json!({ "enable_local_login": false })).await;
    let mut browser = server.browser();
    let page = browser.goes(&with.asks(&[])).await;
    assert!(page.asks_for_password());
    let (_, transaction) = page.form().hidden.remove(0);
    let page = server.browser().goes(&without.asks(&[])).await;
    assert!(!page.asks_for_password() && page.status == 200, "{page:?}");
    let fields = [("transaction", transaction.as_str()), ("username", "alice"), ("password", "alice")];
    browser.post("/connect/authorize/login", &fields).await;
    let page = browser.goes(&without.asks(&[])).await;
    assert!(
        !page.asks_for_consent() && !page.asks_for_password(),
        "a session by password is none here: {page:?}"
    );
}

/// `post_logout_redirect_uris`: see `oidc_logout.rs`, too.
#[tokio::test]
async fn people_come_back_after_logout_where_the_client_registered() {
    let server = Server::new().await;
    let back = "https://app.example/bye";
    for (members, status) in [(json!({}), 400), (json!({ "post_logout_redirect_uris": [back] }), 303)] {
        let (_, told) = server.tokens(members, "openid").await;
        let hint = told["id_token"].as_str().unwrap();
        let path = format!("/connect/endsession?id_token_hint={hint}&post_logout_redirect_uri={back}");
        assert_eq!(server.browser().get(&path).await.status, status);
    }
}
