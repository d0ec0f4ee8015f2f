//! An issuer on a web of its own, which changes its keys, lies and goes away.

use enroll_oauth_types::Clock;
use enroll_testkit::{FakeWeb, WebAnswer};
use serde_json::{Value, json};

use super::super::test_issuer::{AUDIENCE, Key, NOW, claims, header, jwks, present, with};
use super::*;
use crate::{AccessError, BearerJwt, BearerJwtError};

const OPENID: &str = "/.well-known/openid-configuration";

struct Login {
    web: Arc<FakeWeb>,
    issuer: String,
    tokens: BearerJwt,
}

struct WebClock(Arc<FakeWeb>);

impl Clock for WebClock {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }
}

impl Login {
    /// An issuer with this path that publishes nothing yet.
    async fn at(path: &str) -> Self {
        let web = Arc::new(FakeWeb::of(&["login.example"]).await);
        let issuer = web.url("login.example", path);
        let tokens = BearerJwt::issued_by(&issuer).for_audience(AUDIENCE);
        let tokens = tokens.clock(Arc::new(WebClock(web.clone()))).with_discovery(web.outbound()).unwrap();
        Self { web, issuer, tokens }
    }

    /// An issuer that publishes these keys.
    async fn with(keys: &[&Key]) -> Self {
        let login = Self::at("").await;
        login.describes(OPENID, &json!({}));
        login.publishes(keys);
        login
    }

    fn describes(&self, place: &str, changes: &Value) {
        let metadata = json!({ "issuer": self.issuer, "jwks_uri": self.web.url("login.example", "/keys"), "other": [1] });
        self.web.answer(place, WebAnswer::json(with(metadata, changes).to_string()));
    }

    fn publishes(&self, keys: &[&Key]) {
        self.web.answer("/keys", WebAnswer::json(jwks(keys)));
    }

    /// Nobody answers anything but this any more.
    fn fails(&self) {
        for place in [OPENID, "/keys"] {
            self.web.answer(place, WebAnswer::json("{}").status(500));
        }
    }

    fn token(&self, key: &Key, kid: &str) -> String {
        let claims = with(claims(), &json!({ "iss": self.issuer, "exp": NOW + 100_000 }));
        key.token(&header("ES256", kid), &claims)
    }

    async fn verdict(&self, token: &str) -> Result<(), String> {
        match present(&self.tokens, token).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("left to the next".to_owned()),
            Err(AccessError::Internal(error)) => Err(format!("503 {error}")),
            Err(error) => Err(format!("401 {error}")),
        }
    }

    fn asked_for_keys(&self) -> usize {
        self.web.requests("/keys").len()
    }
}

/// OpenID Connect Discovery 1.0 §4
#[tokio::test]
async fn keys_are_found_by_the_metadata_of_their_issuer_and_kept() {
    let key = Key::es256("a");
    let login = Login::with(&[&key]).await;
    assert_eq!(login.web.connections(), 0, "nobody is asked before a token comes");
    for _ in 0..3 {
        assert_eq!(login.verdict(&login.token(&key, "a")).await, Ok(()));
    }
    assert_eq!(login.web.connections(), 2);
    let forged = login.verdict(&login.token(&Key::es256("a"), "a")).await.unwrap_err();
    assert!(forged.starts_with("401 the signature"), "{forged}");
    assert_eq!(login.web.connections(), 2, "a key of that name is known");
}

/// RFC 8414 §3.1: between the host and the path.
#[tokio::test]
async fn an_issuer_may_publish_the_form_of_the_other_standard_alone() {
    let key = Key::es256("a");
    for elsewhere in [None, Some(WebAnswer::document("text/html", "<p>an app of one page</p>"))] {
        let login = Login::at("/tenant").await;
        login.describes("/.well-known/oauth-authorization-server/tenant", &json!({}));
        login.publishes(&[&key]);
        if let Some(page) = elsewhere {
            login.web.answer("/tenant/.well-known/openid-configuration", page);
        }
        assert_eq!(login.verdict(&login.token(&key, "a")).await, Ok(()));
    }
}

/// RFC 8414 §3.3
#[tokio::test]
async fn metadata_that_is_not_of_the_issuer_is_not_believed() {
    let key = Key::es256("a");
    for (changes, about) in [
        (json!({ "issuer": "https://other.example" }), "it is the metadata of `https://other.example`"),
        (json!({ "issuer": null }), "missing field `issuer`"),
        (json!({ "jwks_uri": null }), "missing field `jwks_uri`"),
        (json!({ "jwks_uri": "http://127.0.0.1:1/keys" }), "jwks_uri: must be an https URL"),
    ] {
        let login = Login::with(&[&key]).await;
        login.describes(OPENID, &changes);
        let why = login.verdict(&login.token(&key, "a")).await.unwrap_err();
        assert!(why.starts_with("503 ") && why.contains(about), "{changes}: {why}");
        assert_eq!(login.asked_for_keys(), 0, "{changes}");
    }
}

#[tokio::test]
async fn nobody_is_asked_for_a_token_that_is_refused_anyhow() {
    let key = Key::es256("a");
    let login = Login::with(&[&key]).await;
    for (header_changes, claim_changes) in [
        (json!({ "crit": ["x"] }), json!({})),
        (json!({}), json!({ "aud": "https://other.example" })),
        (json!({}), json!({ "exp": NOW - 60 })),
        (json!({}), json!({ "cnf": { "jkt": "x" } })),
    ] {
        let claims = with(with(claims(), &json!({ "iss": login.issuer })), &claim_changes);
        let token = key.token(&with(header("ES256", "a"), &header_changes), &claims);
        let why = login.verdict(&token).await.unwrap_err();
        assert!(why.starts_with("401 "), "{why}");
    }
    assert_eq!(login.web.connections(), 0);
}

/// OpenID Connect Core 1.0 §10.1.1
#[tokio::test]
async fn a_new_key_is_asked_for_when_a_token_names_it_but_not_by_everybody() {
    let (old, new) = (Key::es256("old"), Key::es256("new"));
    let login = Login::with(&[&old]).await;
    assert_eq!(login.verdict(&login.token(&old, "old")).await, Ok(()));
    login.publishes(&[&old, &new]);
    let early = login.verdict(&login.token(&new, "new")).await.unwrap_err();
    assert!(early.starts_with("401 the key of the token is not known"), "{early}");
    assert_eq!(login.asked_for_keys(), 1, "it was asked this very second");
    login.web.clock().advance(30);
    assert_eq!(login.verdict(&login.token(&new, "new")).await, Ok(()));
    for kid in ["x", "y", "z"] {
        assert!(login.verdict(&login.token(&new, kid)).await.is_err(), "{kid}");
    }
    assert_eq!(login.asked_for_keys(), 2, "however many names strangers think up");
    assert_eq!(login.verdict(&login.token(&old, "old")).await, Ok(()));
}

#[tokio::test]
async fn many_tokens_at_once_are_one_question() {
    let key = Key::es256("a");
    let login = Arc::new(Login::with(&[&key]).await);
    let mut tasks = tokio::task::JoinSet::new();
    let token = login.token(&key, "a");
    for _ in 0..16 {
        let (login, token) = (login.clone(), token.clone());
        tasks.spawn(async move { login.verdict(&token).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(login.web.connections(), 2);
}

#[tokio::test]
async fn the_keys_of_an_issuer_that_is_away_work_for_an_hour() {
    let key = Key::es256("a");
    let login = Login::with(&[&key]).await;
    let token = login.token(&key, "a");
    assert_eq!(login.verdict(&token).await, Ok(()));
    login.fails();
    login.web.clock().advance(3599);
    assert_eq!(login.verdict(&token).await, Ok(()));
    let unknown = login.verdict(&login.token(&key, "b")).await.unwrap_err();
    assert!(unknown.starts_with("503 "), "it may be a new key: {unknown}");
    login.web.clock().advance(1);
    let why = login.verdict(&token).await.unwrap_err();
    assert!(why.starts_with("503 ") && why.contains("the host answered"), "{why}");

    login.describes(OPENID, &json!({}));
    login.publishes(&[&key]);
    login.web.clock().advance(30);
    assert_eq!(login.verdict(&token).await, Ok(()), "it is back");
}

/// RFC 7517 §5: a set that cannot be read does not take away the one before it.
#[tokio::test]
async fn what_is_no_set_of_keys_leaves_those_that_were_there() {
    let key = Key::es256("a");
    let login = Login::with(&[&key]).await;
    let token = login.token(&key, "a");
    assert_eq!(login.verdict(&token).await, Ok(()));
    for set in ["{}", "[]", "nonsense", r#"{"keys":[]}"#] {
        login.web.answer("/keys", WebAnswer::json(set));
        login.web.clock().advance(600);
        assert_eq!(login.verdict(&token).await, Ok(()), "{set}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_no_place_for_metadata_is_refused_when_the_verifier_is_made() {
    let outbound = FakeWeb::of(&["a.example"]).await.outbound();
    for issuer in
        ["login", "urn:example:login", "https://a.example?x=1", "https://a.example#x", "ftp://a.example"]
    {
        let made = BearerJwt::issued_by(issuer).for_audience(AUDIENCE).with_discovery(outbound.clone());
        assert_eq!(made.err(), Some(BearerJwtError::Undiscoverable), "{issuer}");
    }
    let made = BearerJwt::issued_by("").for_audience(AUDIENCE).with_discovery(outbound);
    assert_eq!(made.err(), Some(BearerJwtError::Issuer));
}
