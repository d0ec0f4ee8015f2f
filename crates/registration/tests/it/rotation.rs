//! Registration access tokens and client secrets take turns, and nobody is locked out. RFC 7592 §2.1, §2.2, §5.

use enroll_access::{Gate, Policy as _, Terms, policy};
use enroll_oauth_types::{Seconds, Timestamp};
use enroll_registration::{RotateToken, Rules};
use enroll_store::ClientReader as _;
use enroll_testkit::{Answer, ClientKey, TestApp, as_update};
use serde_json::{Value, json};

fn rotating(rotate_token: RotateToken) -> TestApp {
    let mut rules = Rules::default();
    rules.rotate_token = rotate_token;
    TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(rules))
}

async fn register(app: &TestApp, metadata: Value) -> Value {
    app.anonymous().register(metadata).await.json()
}

fn web() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"] })
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("no {member} in {body}")).to_owned()
}

fn token(body: &Value) -> String {
    text(body, "registration_access_token")
}

/// How many secrets the stored client has.
async fn secrets(app: &TestApp, body: &Value) -> usize {
    app.store.client(&text(body, "client_id").as_str().into()).await.unwrap().unwrap().secrets.len()
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_brings_a_token_and_the_one_before_works_until_it_is_used() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let first = app.bearer(&token(&registered));
    let updated = first.update(&uri, &as_update(&registered)).await.json();
    assert_ne!(token(&updated), token(&registered));
    assert_eq!(first.read(&uri).await.status, 200);
    let second = app.bearer(&token(&updated));
    assert_eq!(second.read(&uri).await.json()["registration_access_token"], token(&updated));
    assert_eq!(first.read(&uri).await.status, 401);
    assert_eq!(first.update(&uri, &as_update(&registered)).await.status, 401);
    assert_eq!(second.read(&uri).await.status, 200);
}

/// An answer that got lost is had again by asking again: the same token, as often as need be.
#[tokio::test]
async fn whoever_lost_the_answer_is_shown_the_same_token_again() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let first = app.bearer(&token(&registered));
    let lost = first.update(&uri, &as_update(&registered)).await.json();
    for again in [first.update(&uri, &as_update(&registered)).await, first.read(&uri).await] {
        assert_eq!(token(&again.json()), token(&lost));
    }
    assert_eq!(app.bearer(&token(&lost)).read(&uri).await.status, 200);
    assert_eq!(first.read(&uri).await.status, 401);
}

#[tokio::test]
async fn the_token_before_ends_after_a_while_even_if_the_new_one_is_never_used() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let first = app.bearer(&token(&registered));
    let updated = first.update(&uri, &as_update(&registered)).await.json();
    app.clock.advance(86_399);
    assert_eq!(first.read(&uri).await.status, 200);
    app.clock.advance(1);
    assert_eq!(first.read(&uri).await.status, 401);
    assert_eq!(app.bearer(&token(&updated)).read(&uri).await.status, 200);
}

#[tokio::test]
async fn the_operator_says_when_tokens_rotate() {
    for (rotate, by_read, by_update) in [
        (RotateToken::Never, false, false),
        (RotateToken::OnUpdate, false, true),
        (RotateToken::OnUse, true, true),
    ] {
        let app = rotating(rotate);
        let registered = register(&app, web()).await;
        let uri = text(&registered, "registration_client_uri");
        let read = app.bearer(&token(&registered)).read(&uri).await.json();
        assert_eq!(token(&read) != token(&registered), by_read, "{rotate:?}");
        let updated = app.bearer(&token(&read)).update(&uri, &as_update(&registered)).await.json();
        assert_eq!(token(&updated) != token(&read), by_update, "{rotate:?}");
        assert_eq!(app.bearer(&token(&updated)).delete(&uri).await.status, 204, "{rotate:?}");
    }
}

#[tokio::test]
async fn a_refused_update_rotates_nothing() {
    let app = rotating(RotateToken::OnUse);
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let owner = app.bearer(&token(&registered));
    let mut bad = as_update(&registered);
    bad["redirect_uris"] = json!(["https://app.example/#fragment"]);
    assert_eq!(owner.update(&uri, &bad).await.status, 400);
    let stored = app.store.client(&text(&registered, "client_id").as_str().into()).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.superseded_tokens.len()), (1, 0));
}

/// RFC 7592 §5
#[tokio::test]
async fn an_owner_gets_another_secret_and_the_one_before_works_for_a_while() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let owner = app.bearer(&token(&registered));
    let answer = owner.rotate_secret(&uri).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let rotated = answer.json();
    assert_ne!(text(&rotated, "client_secret"), text(&registered, "client_secret"));
    assert_eq!(rotated["client_secret_expires_at"], 0);
    // Each of the two is the client's own in an update.
    for secret in [&registered["client_secret"], &rotated["client_secret"]] {
        let mut body = as_update(&registered);
        body["client_secret"] = secret.clone();
        assert_eq!(app.bearer(&token(&rotated)).update(&uri, &body).await.status, 200);
    }
    let stored = app.store.client(&text(&registered, "client_id").as_str().into()).await.unwrap().unwrap();
    let ends: Vec<_> =
        stored.secrets.iter().map(|secret| secret.expires_at.map(Timestamp::seconds)).collect();
    assert_eq!(ends, [Some(1_800_000_000 + 86_400), None]);
}

#[tokio::test]
async fn only_so_many_secrets_work_at_a_time() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let mut token = token(&registered);
    for _ in 0..4 {
        let answer = app.bearer(&token).rotate_secret(&uri).await.json();
        token = text(&answer, "registration_access_token");
    }
    let refused = app.bearer(&token).rotate_secret(&uri).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "86400"));
    assert_eq!(secrets(&app, &registered).await, 5);
    app.clock.advance(86_400);
    assert_eq!(app.bearer(&token).rotate_secret(&uri).await.status, 200);
    assert_eq!(secrets(&app, &registered).await, 2);
}

#[tokio::test]
async fn a_client_without_a_secret_gets_none() {
    let app = TestApp::open();
    let mut public = web();
    public["token_endpoint_auth_method"] = "none".into();
    let registered = register(&app, public).await;
    let answer =
        app.bearer(&token(&registered)).rotate_secret(&text(&registered, "registration_client_uri")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (400, Some("invalid_client_metadata"))
    );
    let unknown = app.bearer("enr_rat_x").rotate_secret("/connect/dcr/unknown").await;
    assert_eq!(unknown.status, 401);
}

struct Signer {
    app: TestApp,
    key: ClientKey,
    registered: Value,
    uri: String,
}

impl Signer {
    async fn new() -> Self {
        Self::on(TestApp::open()).await
    }

    async fn on(app: TestApp) -> Self {
        let key = ClientKey::new("k");
        let mut metadata = web();
        metadata["jwks"] = key.jwks();
        metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
        let registered = register(&app, metadata).await;
        let uri = text(&registered, "registration_client_uri");
        Self { app, key, registered, uri }
    }

    fn claims(&self, jti: &str) -> Value {
        let id = &self.registered["client_id"];
        json!({ "iss": id, "sub": id, "aud": self.uri, "jti": jti, "exp": 1_800_000_060 })
    }

    async fn read(&self, claims: &Value) -> Answer {
        self.app.bearer(&self.key.sign(claims)).read(&self.uri).await
    }
}

/// RFC 7523 §3
#[tokio::test]
async fn a_client_that_lost_its_token_signs_for_another() {
    let signer = Signer::new().await;
    let read = signer.read(&signer.claims("1")).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let found = token(&read.json());
    assert_ne!(found, token(&signer.registered));
    let owner = signer.app.bearer(&found);
    assert_eq!(owner.read(&signer.uri).await.status, 200);
    assert_eq!(signer.app.bearer(&token(&signer.registered)).read(&signer.uri).await.status, 401);

    let owner = signer.app.bearer(&signer.key.sign(&signer.claims("2")));
    assert_eq!(owner.update(&signer.uri, &as_update(&signer.registered)).await.status, 200);
    let owner = signer.app.bearer(&signer.key.sign(&signer.claims("3")));
    assert_eq!(owner.delete(&signer.uri).await.status, 204);
    assert_eq!(signer.read(&signer.claims("4")).await.status, 401);
}

/// Whatever answer was the last that its owner saw, the token in it works.
#[tokio::test]
async fn a_signed_request_whose_answer_got_lost_takes_no_token_away() {
    let signer = Signer::new().await;
    let works = async |token: &str| signer.app.bearer(token).read(&signer.uri).await.status == 200;
    let first = token(&signer.registered);
    let update = signer.app.bearer(&first).update(&signer.uri, &as_update(&signer.registered)).await;
    let second = token(&update.json());
    let mut shown = Vec::new();
    for jti in 0..20 {
        shown.push(token(&signer.read(&signer.claims(&jti.to_string())).await.json()));
    }
    let newest = shown.pop().unwrap();
    for before in [&first, shown.last().unwrap()] {
        let read = signer.app.bearer(before).read(&signer.uri).await;
        assert_eq!((read.status.as_u16(), token(&read.json())), (200, before.clone()));
    }
    assert!(!works(&second).await, "only so many are kept");
    let goes_on = token(
        &signer.app.bearer(&shown[12]).update(&signer.uri, &as_update(&signer.registered)).await.json(),
    );
    assert!(works(&newest).await, "whoever has it may use it");
    assert!(works(&goes_on).await);
    for ended in [&first, shown.last().unwrap()] {
        assert!(!works(ended).await, "the newest was used");
    }
}

/// The token that an update shows must last, whatever was signed meanwhile.
#[tokio::test]
async fn an_update_by_the_token_before_a_signed_request_goes_on_with_that() {
    for rotate in [RotateToken::Never, RotateToken::OnUpdate, RotateToken::OnUse] {
        let signer = Signer::on(rotating(rotate)).await;
        let owner = signer.app.bearer(&token(&signer.registered));
        let other = token(&signer.read(&signer.claims("1")).await.json());
        let updated = owner.update(&signer.uri, &as_update(&signer.registered)).await;
        assert_eq!(updated.status, 200, "{rotate:?}");
        assert_eq!(
            signer.app.bearer(&other).read(&signer.uri).await.status,
            200,
            "{rotate:?}: it may be used"
        );
        signer.app.clock.advance(2 * 86_400);
        let goes_on = signer.app.bearer(&token(&updated.json()));
        assert_eq!(goes_on.read(&signer.uri).await.status, 200, "{rotate:?}");
    }
}

/// Two machines of one owner that lost count of each other: the token that is used as the newest ends all others.
#[tokio::test]
async fn tokens_that_were_shown_end_when_the_newest_is_used() {
    let signer = Signer::new().await;
    let first = token(&signer.registered);
    let shown = token(&signer.read(&signer.claims("1")).await.json());
    let updated = signer.app.bearer(&first).update(&signer.uri, &as_update(&signer.registered)).await;
    let newest = token(&updated.json());
    let again = signer.app.bearer(&first).read(&signer.uri).await;
    assert_eq!(token(&again.json()), newest);
    assert_eq!(signer.app.bearer(&newest).read(&signer.uri).await.status, 200);
    for ended in [&first, &shown] {
        assert_eq!(signer.app.bearer(ended).read(&signer.uri).await.status, 401);
    }
}

/// What was shown once and has ended is neither shown again nor given again.
#[tokio::test]
async fn a_secret_that_has_ended_is_not_shown_again() {
    let terms = Terms { secret_lifetime: Seconds::new(60), ..Terms::default() };
    let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open().on(terms))));
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let first = app.bearer(&token(&registered));
    let rotated = first.rotate_secret(&uri).await.json();
    app.clock.advance(60);
    assert_eq!(first.read(&uri).await.json().get("client_secret"), None);
    let another = first.rotate_secret(&uri).await.json();
    assert_ne!(text(&another, "client_secret"), text(&rotated, "client_secret"));
    assert_eq!(another["client_secret_expires_at"], 1_800_000_120);
}

/// A secret is shown again to whoever asks again with the token by which it was given.
#[tokio::test]
async fn a_secret_whose_answer_got_lost_is_shown_again() {
    let app = TestApp::open();
    let mut public = web();
    public["token_endpoint_auth_method"] = "none".into();
    let registered = register(&app, public).await;
    let uri = text(&registered, "registration_client_uri");
    let first = app.bearer(&token(&registered));
    let mut confidential = as_update(&registered);
    confidential["token_endpoint_auth_method"] = "client_secret_basic".into();
    let lost = first.update(&uri, &confidential).await.json();
    for again in
        [first.update(&uri, &confidential).await, first.read(&uri).await, first.rotate_secret(&uri).await]
    {
        assert_eq!(text(&again.json(), "client_secret"), text(&lost, "client_secret"));
    }
    assert_eq!(secrets(&app, &registered).await, 1);
    let second = app.bearer(&token(&lost));
    assert_eq!(second.read(&uri).await.json().get("client_secret"), None);
    let lost = second.rotate_secret(&uri).await.json();
    assert_eq!(second.rotate_secret(&uri).await.json()["client_secret"], lost["client_secret"]);
    assert_eq!(secrets(&app, &registered).await, 2);
}

/// RFC 7592 §2.2: the secret must be the client's present one.
#[tokio::test]
async fn a_secret_that_has_ended_is_not_the_clients_own() {
    let app = TestApp::open();
    let registered = register(&app, web()).await;
    let uri = text(&registered, "registration_client_uri");
    let rotated = app.bearer(&token(&registered)).rotate_secret(&uri).await.json();
    app.clock.advance(86_400);
    let mut body = as_update(&registered);
    body["client_secret"] = registered["client_secret"].clone();
    let refused = app.bearer(&token(&rotated)).update(&uri, &body).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

/// RFC 7523 §3, item 7
#[tokio::test]
async fn a_signed_request_is_taken_once() {
    let signer = Signer::new().await;
    assert_eq!(signer.read(&signer.claims("1")).await.status, 200);
    let again = signer.read(&signer.claims("1")).await;
    assert_eq!((again.status.as_u16(), again.json()["error"].as_str()), (401, Some("invalid_token")));
    assert!(again.body.contains("used before"), "{}", again.body);
    // It is forgotten only when it has ended by itself.
    signer.app.clock.advance(119);
    assert!(signer.read(&signer.claims("1")).await.body.contains("used before"));
    signer.app.clock.advance(1);
    assert!(signer.read(&signer.claims("1")).await.body.contains("expired"));
}

#[tokio::test]
async fn a_client_signs_no_more_often_than_can_be_remembered() {
    let signer = Signer::new().await;
    for number in 0..64 {
        assert_eq!(signer.read(&signer.claims(&number.to_string())).await.status, 200);
    }
    let refused = signer.read(&signer.claims("64")).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    signer.app.clock.advance(refused.header("retry-after").parse().unwrap());
    let mut later = signer.claims("65");
    later["exp"] = 1_800_000_600.into();
    assert_eq!(signer.read(&later).await.status, 200);
}

/// RFC 7592 §2.1: what does not come from the client looks like what does not exist.
#[tokio::test]
async fn a_request_that_another_signed_tells_nothing() {
    let signer = Signer::new().await;
    let other = ClientKey::new("k");
    let forged = signer.app.bearer(&other.sign(&signer.claims("1"))).read(&signer.uri).await;
    let mut claims = signer.claims("1");
    (claims["iss"], claims["sub"]) = ("unknown".into(), "unknown".into());
    let unknown = signer.app.bearer(&other.sign(&claims)).read("/connect/dcr/unknown").await;
    assert_eq!(forged.status, 401);
    assert_eq!((forged.body, forged.status), (unknown.body, unknown.status));
}
