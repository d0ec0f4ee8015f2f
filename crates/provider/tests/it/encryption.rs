//! What is encrypted to clients that registered for it. OpenID Connect Core 1.0 §10.2, §16.14, OpenID Connect Dynamic Client
//! Registration 1.0 §2, RFC 9701, JARM.
//!
//! The server encrypts with one library, and the clients here read with another.

use enroll_testkit::{FakeWeb, ReaderKey};
use serde_json::{Value, json};

use crate::harness::Server;

/// The members of a client that has this key inline, and wants one kind of answer by this algorithm.
fn members(answer: &str, alg: &str, key: &ReaderKey) -> Value {
    json!({ format!("{answer}_encrypted_response_alg"): alg, "jwks": { "keys": [key.jwk()] } })
}

/// A build without the feature serves clients that one with it registered. What they wanted encrypted is not sent plain.
#[cfg(not(feature = "jwe"))]
#[tokio::test]
async fn a_server_that_cannot_encrypt_tells_nobody_what_should_be_encrypted() {
    let web = FakeWeb::of(&["app.example"]).await;
    let server = Server::encrypting(web.outbound(), ["ECDH-ES"], ["A128CBC-HS256"]).await;
    let key = ReaderKey::p256("k");
    let client = server.register(members("id_token", "ECDH-ES", &key)).await;
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    server.redeem(&client, &asked, &code).await.is_refused(400, "invalid_client_metadata");
    let (_, told) = server.tokens(members("userinfo", "ECDH-ES", &key), "openid").await;
    let answer = server.userinfo(told["access_token"].as_str().unwrap()).await;
    answer.is_refused(400, "invalid_client_metadata");
    let (client, told) = server.tokens(members("introspection", "ECDH-ES", &key), "openid").await;
    let token = told["access_token"].as_str().unwrap();
    for (media_type, error) in [
        ("application/json", "invalid_request"),
        ("application/token-introspection+jwt", "invalid_client_metadata"),
    ] {
        server.introspect(&client, token, media_type).await.is_refused(400, error);
    }
    let client = server.register(members("authorization", "ECDH-ES", &key)).await;
    let answer = server.browser().goes(&client.asks(&[("response_mode", "jwt")])).await;
    answer.is_error_page("invalid_request");
}

#[cfg(feature = "jwe")]
mod with_jwe {
    use enroll_oauth_types::{Capabilities, ServerMetadata};
    use enroll_outbound::Limits;
    use enroll_provider::{ContentEncryption, KeyManagement};
    use enroll_testkit::{ClientKey, Form, WebAnswer};

    use super::*;
    use crate::harness::{Answer, Asked, CALLBACK, Client, ISSUER, head};

    const INTROSPECTION: &str = "application/token-introspection+jwt";

    async fn encrypting(web: &FakeWeb) -> Server {
        Server::encrypting(web.outbound(), KeyManagement::ALL, ContentEncryption::ALL).await
    }

    async fn server() -> Server {
        encrypting(&FakeWeb::of(&["app.example"]).await).await
    }

    /// Each way to hand a content key over and each way to use it, with a key for it.
    fn ways() -> Vec<(&'static str, Option<&'static str>, ReaderKey)> {
        let rsa = || ReaderKey::rsa("of rsa");
        let agreed = || ReaderKey::p256("of p-256");
        vec![
            ("RSA-OAEP-256", None, rsa()),
            ("RSA-OAEP", Some("A128GCM"), rsa()),
            ("ECDH-ES", Some("A256CBC-HS512"), agreed()),
            ("ECDH-ES+A128KW", Some("A256GCM"), agreed()),
            ("ECDH-ES+A256KW", Some("A128CBC-HS256"), agreed()),
        ]
    }

    /// The members of a client that registers one of them for one kind of answer.
    fn registering(answer: &str, way: &(&str, Option<&str>, ReaderKey)) -> Value {
        let (alg, enc, key) = way;
        let mut members = members(answer, alg, key);
        if let Some(enc) = enc {
            members[format!("{answer}_encrypted_response_enc")] = (*enc).into();
        }
        members
    }

    /// What the client reads of a token that is encrypted in this way and signed by the server: the claims.
    #[track_caller]
    fn read(server: &Server, token: &str, way: &(&str, Option<&str>, ReaderKey)) -> Value {
        let (alg, enc, key) = way;
        let (header, signed) = key.read(token).unwrap_or_else(|| panic!("not for {alg}: {token}"));
        let expected = json!({
            "alg": alg, "enc": enc.unwrap_or("A128CBC-HS256"), "cty": "JWT", "kid": key.jwk()["kid"],
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&header[name], value, "{name}");
        }
        let verified = server.keys.ring().verify(&signed, enroll_oauth_types::Timestamp(server.now()));
        Value::Object(verified.unwrap_or_else(|error| panic!("{error}: {signed}")).claims)
    }

    fn parts(token: &str) -> usize {
        token.split('.').count()
    }

    fn of<'a>(told: &'a Value, name: &str) -> &'a str {
        told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}"))
    }

    /// `id_token_encrypted_response_alg`, `id_token_encrypted_response_enc`: also when it is refreshed.
    #[tokio::test]
    async fn an_id_token_is_encrypted_as_registered() {
        let server = server().await;
        let (_, told) = server.tokens(json!({}), "openid").await;
        assert_eq!(parts(of(&told, "id_token")), 3);
        for way in ways() {
            let members = registering("id_token", &way);
            let (client, told) = server.tokens(members, "openid offline_access").await;
            let says = read(&server, of(&told, "id_token"), &way);
            assert_eq!((&says["iss"], &says["aud"]), (&json!(ISSUER), &json!(client.id())));
            let again = server.refresh(&client, of(&told, "refresh_token")).await.json();
            assert_eq!(read(&server, of(&again, "id_token"), &way)["sub"], says["sub"]);
            assert_eq!(parts(of(&again, "access_token")), 3, "which is the resource's to read");
        }
    }

    /// `userinfo_encrypted_response_alg`, `userinfo_encrypted_response_enc`: OpenID Connect Core 1.0 §5.3.2.
    #[tokio::test]
    async fn claims_of_a_user_are_encrypted_as_registered() {
        let server = server().await;
        for way in ways() {
            let mut members = registering("userinfo", &way);
            for signed in [false, true] {
                if signed {
                    members["userinfo_signed_response_alg"] = "ES256".into();
                }
                let (client, told) = server.tokens(members.clone(), "openid email").await;
                let answer = server.userinfo(of(&told, "access_token")).await;
                assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/jwt"));
                assert_eq!(answer.header("cache-control"), "no-store");
                let says = if signed {
                    read(&server, &answer.body, &way)
                } else {
                    let (header, claims) = way.2.read(&answer.body).unwrap();
                    assert_eq!((&header["alg"], header.get("cty")), (&json!(way.0), None));
                    serde_json::from_str(&claims).unwrap()
                };
                assert_eq!((&says["email"], says.get("sub").is_some()), (&json!("alice@example.com"), true));
                assert_eq!(says.get("aud"), signed.then(|| json!(client.id())).as_ref());
            }
        }
        let (_, told) = server.tokens(json!({}), "openid email").await;
        assert_eq!(server.userinfo(of(&told, "access_token")).await.json()["email"], "alice@example.com");
    }

    /// `introspection_encrypted_response_alg`, `introspection_encrypted_response_enc`: RFC 9701 §5, §6.
    #[tokio::test]
    async fn an_introspection_is_encrypted_as_registered() {
        let server = server().await;
        for way in ways() {
            let (client, told) = server.tokens(registering("introspection", &way), "openid").await;
            for (token, active) in [(of(&told, "access_token"), true), ("unknown", false)] {
                let answer = server.introspect(&client, token, INTROSPECTION).await;
                assert_eq!(answer.header("content-type"), INTROSPECTION);
                let says = read(&server, &answer.body, &way);
                assert_eq!(says["token_introspection"]["active"], active);
                let plain = server.introspect(&client, token, "application/json").await;
                plain.is_refused(400, "invalid_request");
            }
        }
        let (client, told) = server.tokens(json!({}), "openid").await;
        let token = of(&told, "access_token");
        assert_eq!(parts(&server.introspect(&client, token, INTROSPECTION).await.body), 3);
        assert_eq!(server.introspect(&client, token, "application/json").await.json()["active"], true);
    }

    fn response(answer: &Answer) -> String {
        match Form::of(&answer.body) {
            Some(form) => form.hidden[0].1.clone(),
            None => answer.told("response").unwrap_or_else(|| panic!("{answer:?}")),
        }
    }

    /// `authorization_encrypted_response_alg`, `authorization_encrypted_response_enc`: JARM §2.2, §3.
    #[tokio::test]
    async fn an_authorization_response_is_encrypted_as_registered() {
        let server = server().await;
        let plain = server.register(json!({})).await;
        let answer = server.browser().authorizes(&plain.asks(&[("response_mode", "jwt")]), "alice").await;
        assert_eq!(parts(&response(&answer)), 3);
        for way in ways() {
            let client = server.register(registering("authorization", &way)).await;
            assert_eq!(client.member("authorization_signed_response_alg"), "RS256");
            let asked = client.asks(&[("response_mode", "jwt")]);
            let answer = server.browser().authorizes(&asked, "alice").await;
            let says = read(&server, &response(&answer), &way);
            assert_eq!((&says["iss"], &says["state"]), (&json!(ISSUER), &json!("a state")));
            assert_eq!(server.redeem(&client, &asked, of(&says, "code")).await.status, 200);
            for mode in ["query.jwt", "form_post.jwt"] {
                let asked = client.asks(&[("response_mode", mode), ("prompt", "none")]);
                let answer = server.browser().goes(&asked).await;
                assert_eq!(read(&server, &response(&answer), &way)["error"], "login_required");
            }
        }
    }

    /// A client that keeps its keys at this path, and wants every answer encrypted.
    async fn remote(server: &Server, web: &FakeWeb) -> Client {
        let mut members = json!({ "jwks_uri": web.url("app.example", "/keys") });
        for answer in ["id_token", "userinfo", "introspection", "authorization"] {
            members[format!("{answer}_encrypted_response_alg")] = "ECDH-ES".into();
        }
        server.register(members).await
    }

    fn publish(web: &FakeWeb, keys: &[&Value]) {
        let set = json!({ "keys": keys }).to_string();
        web.answer("/keys", WebAnswer::document("application/jwk-set+json", set));
    }

    async fn asks_for_a_code(server: &Server, client: &Client) -> (Asked, String) {
        let asked = client.asks(&[("scope", "openid email")]);
        let code = server.browser().code(&asked).await;
        (asked, code)
    }

    /// OpenID Connect Core 1.0 §10.2.1
    #[tokio::test]
    async fn keys_to_encrypt_to_are_read_where_the_client_keeps_them_and_again_when_none_fits() {
        let web = FakeWeb::of(&["app.example"]).await;
        let server = encrypting(&web).await;
        let client = remote(&server, &web).await;
        let (first, second) = (ReaderKey::p256("first"), ReaderKey::p256("second"));
        let signs = ClientKey::new("signs").jwks()["keys"][0].clone();
        publish(&web, &[&signs, first.jwk()]);
        let (asked, code) = asks_for_a_code(&server, &client).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        let (header, _) = first.read(of(&told, "id_token")).expect("the key for encryption comes first");
        assert_eq!(header["kid"], "first");
        let mut only_signs = signs;
        only_signs["use"] = "sig".into();
        publish(&web, &[&only_signs, second.jwk()]);
        web.clock().advance(24 * 60 * 60);
        let answer = server.userinfo(of(&told, "access_token")).await;
        assert!(second.read(&answer.body).is_some(), "{answer:?}");
    }

    /// The peers' answer: a client whose keys are of no use has to mend that, and gets nothing plain. The code is not used up.
    #[tokio::test]
    async fn without_a_key_to_encrypt_to_nothing_is_said() {
        let web = FakeWeb::of(&["app.example"]).await;
        let server = encrypting(&web).await;
        let client = remote(&server, &web).await;
        let key = ReaderKey::p256("k");
        let mut for_signatures = key.jwk().clone();
        for_signatures["use"] = "sig".into();
        let (asked, code) = asks_for_a_code(&server, &client).await;
        for (publishes, problem) in [
            (None, "jwks_uri could not be fetched"),
            (Some(&for_signatures), "none of the client's keys is for ECDH-ES"),
            (Some(ReaderKey::rsa("k").jwk()), "none of the client's keys is for ECDH-ES"),
        ] {
            if let Some(key) = publishes {
                publish(&web, &[key]);
            }
            web.clock().advance(24 * 60 * 60);
            let answer = server.redeem(&client, &asked, &code).await;
            answer.is_refused(400, "invalid_client_metadata");
            let told = answer.json();
            assert!(of(&told, "error_description").contains(problem), "{told}");
            assert!(
                of(&told, "error_description").starts_with("id_token_encrypted_response_alg: "),
                "{told}"
            );
            assert!(told.get("id_token").is_none() && told.get("access_token").is_none());
            let page = server.browser().goes(&client.asks(&[("response_mode", "jwt")])).await;
            page.is_error_page("invalid_request");
            assert!(page.body.contains("authorization_encrypted_response_alg"), "{page:?}");
            let introspected = server.introspect(&client, "x", INTROSPECTION).await;
            introspected.is_refused(400, "invalid_client_metadata");
        }
        publish(&web, &[key.jwk()]);
        web.clock().advance(24 * 60 * 60);
        let told = server.redeem(&client, &asked, &code).await.json();
        assert!(key.read(of(&told, "id_token")).is_some(), "{told}");
    }

    /// Too many fetches are the server's trouble, not the client's: it may try again.
    #[tokio::test]
    async fn a_client_whose_host_was_asked_too_often_is_told_to_come_back() {
        let web = FakeWeb::of(&["app.example"]).await;
        let limits = Limits { per_host_per_minute: 1, ..Limits::default() };
        let outbound = web.outbound_within(limits);
        let server = Server::encrypting(outbound.clone(), KeyManagement::ALL, ContentEncryption::ALL).await;
        let key = ReaderKey::p256("k");
        publish(&web, &[key.jwk()]);
        let client = remote(&server, &web).await;
        let (asked, code) = asks_for_a_code(&server, &client).await;
        outbound.jwk_set(&web.url("app.example", "/of/another")).await.unwrap_err();
        let answer = server.redeem(&client, &asked, &code).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after").is_empty()),
            (503, false),
            "{answer:?}"
        );
        web.clock().advance(60);
        let told = server.redeem(&client, &asked, &code).await.json();
        assert!(key.read(of(&told, "id_token")).is_some(), "{told}");
    }

    /// OpenID Connect Dynamic Client Registration 1.0 §2, JARM §3
    #[tokio::test]
    async fn a_client_cannot_register_for_what_it_could_not_read_or_this_server_not_do() {
        let server = server().await;
        let key = ReaderKey::p256("k");
        let signs = {
            let mut jwk = key.jwk().clone();
            jwk["use"] = "sig".into();
            jwk
        };
        for answer in ["id_token", "userinfo", "introspection", "authorization"] {
            let [alg, enc, sign] =
                ["encrypted_response_alg", "encrypted_response_enc", "signed_response_alg"]
                    .map(|rest| format!("{answer}_{rest}"));
            let with = |over: Value| {
                let mut metadata = json!({ "redirect_uris": [CALLBACK], "jwks": { "keys": [key.jwk()] } });
                metadata.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
                metadata
            };
            for (metadata, about) in [
                (with(json!({ &alg: "RSA1_5" })), &alg),
                (with(json!({ &alg: "dir" })), &alg),
                (with(json!({ &alg: "A256KW" })), &alg),
                (with(json!({ &alg: "RSA-OAEP-256" })), &alg),
                (with(json!({ &alg: "ECDH-ES", "jwks": { "keys": [signs] } })), &alg),
                (with(json!({ &alg: "ECDH-ES", "jwks": null })), &alg),
                (with(json!({ &alg: "ECDH-ES", &enc: "A192GCM" })), &enc),
                (with(json!({ &enc: "A128GCM" })), &enc),
                (with(json!({ &alg: "ECDH-ES", &sign: "none" })), &sign),
            ] {
                let answer = server.try_to_register(&metadata).await;
                answer.is_refused(400, "invalid_client_metadata");
                let told = answer.json();
                assert!(
                    of(&told, "error_description").starts_with(&format!("{about}: ")),
                    "{metadata}: {told}"
                );
            }
            let told = server.try_to_register(&with(json!({ &alg: "ECDH-ES" }))).await.json();
            assert_eq!(told[&enc], "A128CBC-HS256", "{told}");
        }
        let request_object =
            json!({ "redirect_uris": [CALLBACK], "request_object_encryption_alg": "ECDH-ES" });
        server.try_to_register(&request_object).await.is_refused(400, "invalid_client_metadata");
    }

    /// `id_token_hint`: OpenID Connect Core 1.0 §3.1.2.1, the client decrypts it first.
    #[tokio::test]
    async fn a_hint_is_what_was_signed_and_not_what_is_still_encrypted() {
        let server = server().await;
        let key = ReaderKey::p256("k");
        let mut members = members("id_token", "ECDH-ES", &key);
        members["require_consent"] = false.into();
        let (client, told) = server.tokens(members, "openid").await;
        let encrypted = of(&told, "id_token");
        let (_, signed) = key.read(encrypted).unwrap();
        assert_eq!(head(&signed)["alg"], "RS256");
        let none = |hint| client.asks(&[("prompt", "none"), ("id_token_hint", hint)]);
        let mut browser = server.browser();
        browser.code(&client.asks(&[])).await;
        assert!(browser.goes(&none(&signed)).await.told("code").is_some());
        browser.goes(&none(encrypted)).await.is_told("invalid_request");
    }

    /// OpenID Connect Discovery 1.0 §3, RFC 9701 §7, JARM §4
    #[tokio::test]
    async fn what_can_be_encrypted_is_told_and_works() {
        let capabilities = Capabilities::code_and_client_credentials()
            .with_encryption(KeyManagement::ALL, ContentEncryption::ALL);
        let told = serde_json::to_value(ServerMetadata::new(ISSUER, &capabilities)).unwrap();
        for answer in ["id_token", "userinfo", "introspection", "authorization"] {
            let algs = told[format!("{answer}_encryption_alg_values_supported")].as_array().unwrap();
            let encs = told[format!("{answer}_encryption_enc_values_supported")].as_array().unwrap();
            let tried = ways();
            assert!(algs.iter().all(|alg| tried.iter().any(|(own, _, _)| alg == own)), "{algs:?}");
            let default = "A128CBC-HS256";
            assert!(encs.iter().all(|enc| tried.iter().any(|(_, own, _)| enc == own.unwrap_or(default))));
        }
    }
}
