//! Issuers that the configuration names: of access tokens (RFC 9068, RFC 6750), of software statements (RFC 7591 §2.3).

use std::time::{SystemTime, UNIX_EPOCH};

use enroll_testkit::ClientKey;
use serde_json::json;

use crate::harness::{Answer, Home, Server};

/// An issuer with one key.
struct Issuer {
    name: &'static str,
    key: ClientKey,
}

impl Issuer {
    fn new(name: &'static str) -> Self {
        Self { name, key: ClientKey::new("one") }
    }

    fn token(&self, audience: &str, scope: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.key.sign(&json!({
            "iss": self.name, "aud": audience, "sub": "ci", "client_id": "ci", "scope": scope,
            "iat": now, "exp": now + 300, "jti": "1",
        }))
    }

    fn config(&self, keys: &str, policy: &str) -> String {
        format!(
            "[[registration.issuers]]\nissuer = \"{}\"\naudience = \"https://enroll.example\"\n\
             scope = \"enroll.registration\"\n{keys}\npolicy = \"{policy}\"\n",
            self.name
        )
    }
}

#[tokio::test]
async fn the_tokens_of_configured_issuers_register_each_under_its_policy() {
    let (one, two) = (Issuer::new("https://one.example"), Issuer::new("https://two.example"));
    let home = Home::with_config(&format!(
        "[policies.narrow]\nscopes = [\"openid\"]\n[policies.wide]\nscopes = [\"openid\", \"profile\"]\n{}{}",
        one.config(&format!("jwks = '{}'", one.key.jwks()), "narrow"),
        two.config("jwks_file = \"two.jwks\"", "wide"),
    ));
    home.write("two.jwks", &two.key.jwks().to_string());
    let server = Server::start(&home, "");
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    for (issuer, scope) in [(&one, "openid"), (&two, "openid profile")] {
        let token = issuer.token("https://enroll.example", "something enroll.registration");
        let answer = server.register(&app, Some(&token)).await;
        assert_eq!((answer.status, answer.member("scope")), (201, scope), "{answer:?}");
    }

    let without_scope = server.register(&app, Some(&one.token("https://enroll.example", "openid"))).await;
    without_scope.assert_error(403, "insufficient_scope");
    let for_another =
        server.register(&app, Some(&one.token("https://api.example", "enroll.registration"))).await;
    for_another.assert_error(401, "invalid_token");
    let stranger = Issuer::new("https://one.example").token("https://enroll.example", "enroll.registration");
    server.register(&app, Some(&stranger)).await.assert_error(401, "invalid_token");

    // Initial access tokens work beside them, and no first one is printed: there is a way in already.
    assert_eq!(server.register(&app, Some(&home.token("--uses 1"))).await.status, 201);
    assert!(!server.stop().log.contains("curl"));
}

const SCOPES: &str = "scopes = [{ name = \"openid\" }]\n";

/// A server that issues tokens to a pipeline of its own, for the registration of another.
struct Other {
    home: Home,
    server: Server,
}

const AUDIENCE: &str = "https://enroll.example";

impl Other {
    fn start() -> Self {
        let home = Home::with_config(&format!(
            "[[scopes]]\nname = \"register\"\ndynamic = \"allowed\"\n\
             [[resources]]\nidentifier = \"{AUDIENCE}\"\nscopes = [\"register\"]\n"
        ));
        let server = Server::open(&home);
        Self { home, server }
    }

    async fn token(&self) -> String {
        let client = json!({ "grant_types": ["client_credentials"], "scope": "register" });
        let client = self.server.register(&client, None).await;
        let [id, secret] = ["client_id", "client_secret"].map(|name| client.member(name));
        let answer = Answer::to(self.server.client_credentials(id, secret, "&scope=register")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.member("access_token").to_owned()
    }

    /// How another server trusts this one.
    fn trusted(&self, more: &str) -> String {
        format!(
            "[[registration.issuers]]\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\nscope = \"register\"\n{more}\n",
            self.server.url
        )
    }
}

/// OpenID Connect Discovery 1.0 §4
#[tokio::test]
async fn an_issuer_is_trusted_by_its_name_alone_and_need_not_be_there_at_the_start() {
    let other = Other::start();
    let token = other.token().await;
    let config = other.trusted("insecure_allow_private = true");
    let home = Home::with_config(&format!("{SCOPES}{config}"));
    let server = Server::start(&home, "");
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = server.register(&app, Some(&token)).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let touched = format!("{}AAAA", &token[..token.len() - 4]);
    server.register(&app, Some(&touched)).await.assert_error(401, "invalid_token");

    // Gone: whoever started before knows its keys, whoever starts now does not, and serves everybody else.
    other.server.stop();
    assert_eq!(server.register(&app, Some(&token)).await.status, 201);
    let late = Home::with_config(&format!("{SCOPES}{config}"));
    let server = Server::start(&late, "");
    server.register(&app, Some(&token)).await.assert_error(503, "temporarily_unavailable");
    assert_eq!(server.register(&app, Some(&late.token("--uses 1"))).await.status, 201);
    let log = server.stop().log;
    assert!(log.contains("the keys of the issuer"), "{log}");
    drop(other.home);
}

/// A private address is not reached by its name alone.
#[tokio::test]
async fn an_issuer_in_a_private_network_needs_leave() {
    let other = Other::start();
    let home = Home::with_config(&other.trusted(""));
    let ran = home.run("config check");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("registration.issuers[0]") && ran.stderr.contains("https URL"), "{ran:?}");

    let named = Home::with_config(&other.trusted("").replace("http://", "https://"));
    assert_eq!(named.run("config check").code, Some(0));
    let server = Server::start(&named, "");
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    let issuer = Issuer { name: "", key: ClientKey::new("one") };
    let claims = json!({
        "iss": other.server.url.replace("http://", "https://"), "aud": AUDIENCE, "scope": "register",
        "exp": 4_000_000_000_u64,
    });
    let refused = server.register(&app, Some(&issuer.key.sign(&claims))).await;
    refused.assert_error(503, "temporarily_unavailable");
    assert!(server.stop().log.contains("does not resolve to public addresses"));
}

/// RFC 7591 §3.1.1
#[tokio::test]
async fn the_statements_of_configured_issuers_are_believed() {
    let vouching = Issuer::new("https://vouch.example");
    let home = Home::with_config(
        "[registration]\nopen = true\n[[registration.statement_issuers]]\nissuer = \"https://vouch.example\"\n\
         jwks_file = \"vouch.jwks\"\nclaims = { software_name = \"client_name\" }\n",
    );
    home.write("vouch.jwks", &vouching.key.jwks().to_string());
    let server = Server::start(&home, "");
    let body = |issuer: &str| {
        let claims = json!({ "iss": issuer, "software_name": "Vouched", "software_id": "S1" });
        json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "Own",
            "software_statement": vouching.key.sign(&claims) })
    };
    let vouched = server.register(&body("https://vouch.example"), None).await;
    assert_eq!((vouched.status, vouched.member("client_name")), (201, "Vouched"), "{vouched:?}");
    assert!(vouched.json["software_statement"].is_string());
    let stranger = server.register(&body("https://else.example"), None).await;
    stranger.assert_error(400, "unapproved_software_statement");
    let none = server.register(&json!({ "redirect_uris": ["https://app.example/cb"] }), None).await;
    assert_eq!(none.status, 201, "{none:?}");
}
