//! Registrations that are kept in their `client_id`, on the wire. RFC 7591 Appendix A.5.2, RFC 7592 §2.

use std::sync::Arc;

use enroll_access::{Gate, InitialAccessTokens, NewInitialAccessToken, Policy as _, Terms, issue, policy};
use enroll_oauth_types::{
    Capabilities, ClientId, Clock as _, RegistrationAccessToken, SealingKey, SystemRandom,
};
use enroll_registration::{RotateToken, Rules};
use enroll_store::{
    ClientReader as _, ClientStore as _, MemoryStore, Page, RegistrationKeys, SealedStore, Storage,
    TokenStore as _,
};
use enroll_testkit::{ClientKey, SCOPES, StandingClock, TestApp, as_update};
use serde_json::{Value, json};

/// An app whose registrations are kept so, its rows, and what opens them.
struct Sealing {
    app: TestApp,
    rows: Arc<MemoryStore>,
    clients: Arc<SealedStore>,
    clock: Arc<StandingClock>,
}

impl Sealing {
    async fn of(storage: Storage, rules: Rules) -> Self {
        let (rows, clock) = (Arc::new(MemoryStore::default()), Arc::new(StandingClock::default()));
        let master = Arc::new(SealingKey::generate(&SystemRandom));
        let keys = RegistrationKeys::load(master.clone(), rows.clone()).await.unwrap();
        keys.keep_up(clock.now(), &SystemRandom).await.unwrap();
        let keys = Arc::new(keys);
        let clients = Arc::new(SealedStore::new(rows.clone(), keys.clone()));
        let terms = Terms { storage, ..Terms::default() };
        let allowed = policy::initial_access_token().unnamed(terms.clone()).or(policy::open().on(terms));
        let gate =
            Gate::require(allowed).authenticate(InitialAccessTokens::in_store(rows.clone(), clock.clone()));
        let app = TestApp::build(|builder| {
            let builder =
                builder.capabilities(Capabilities::code_and_client_credentials().with_scopes(SCOPES));
            let builder = builder.clients(clients.clone()).gate(gate).rules(rules).clock(clock.clone());
            builder.sealing_key(master).registration_keys(keys).random(Arc::new(SystemRandom))
        });
        Self { app, rows, clients, clock }
    }

    async fn stateless() -> Self {
        Self::of(Storage::Stateless, Rules::default()).await
    }

    async fn rows(&self) -> usize {
        self.rows.list(Page { after: None, limit: 100 }).await.unwrap().len()
    }

    async fn registered(&self, metadata: Value) -> Value {
        let answer = self.app.anonymous().register(metadata).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    async fn confirmed(&self, registered: &Value) {
        let client = self.clients.client(&id(registered)).await.unwrap().unwrap();
        self.clients.confirm(&client).await.unwrap();
    }
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_else(|| panic!("no {member} in {body}"))
}

fn id(body: &Value) -> ClientId {
    ClientId::from(text(body, "client_id"))
}

fn uri(body: &Value) -> &str {
    text(body, "registration_client_uri")
}

fn web() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App" })
}

/// RFC 7591 §3.2.1
#[tokio::test]
async fn the_answer_is_that_of_every_registration_and_a_read_says_the_same() {
    let sealing = Sealing::stateless().await;
    let stored = TestApp::open().anonymous().register(web()).await.json();
    let registered = sealing.registered(web()).await;
    let names = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&registered), names(&stored));
    assert_eq!(
        uri(&registered),
        format!("https://id.example/connect/dcr/{}", text(&registered, "client_id"))
    );
    let owner = sealing.app.bearer(text(&registered, "registration_access_token"));
    for _ in 0..3 {
        let read = owner.read(uri(&registered)).await;
        let mut expected = registered.clone();
        for shown_once in ["client_secret", "client_secret_expires_at"] {
            expected.as_object_mut().unwrap().shift_remove(shown_once);
        }
        assert_eq!((read.status.as_u16(), read.json()), (200, expected));
    }
    assert_eq!(sealing.rows().await, 0);
}

/// RFC 7592 §2.2: whether a client may change itself is the server's affair.
#[tokio::test]
async fn a_client_without_a_row_is_read_and_deleted_and_not_changed() {
    for storage in [Storage::Stateless, Storage::Provisional] {
        let sealing = Sealing::of(storage, Rules::default()).await;
        let registered = sealing.registered(web()).await;
        let owner = sealing.app.bearer(text(&registered, "registration_access_token"));
        let uri = uri(&registered);
        for refused in [owner.update(uri, &as_update(&registered)).await, owner.rotate_secret(uri).await] {
            let json = refused.json();
            assert_eq!(
                (refused.status.as_u16(), &json["error"]),
                (403, &json!("access_denied")),
                "{refused:?}"
            );
            assert!(text(&json, "error_description").contains("register again"), "{json}");
        }
        // Somebody else does not hear of it.
        let stranger = sealing.app.bearer("enr_rat_wrong");
        assert_eq!(stranger.update(uri, &as_update(&registered)).await.status, 401);
        assert_eq!(sealing.rows().await, 0);
        assert_eq!(owner.delete(uri).await.status, 204);
        for gone in [owner.delete(uri).await, owner.read(uri).await, owner.update(uri, &web()).await] {
            assert_eq!(gone.status, 401, "{gone:?}");
        }
        assert!(sealing.rows.deleted_at(&id(&registered)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_client_that_somebody_authorized_changes_itself_as_any_other() {
    let sealing = Sealing::of(Storage::Provisional, Rules::default()).await;
    let registered = sealing.registered(web()).await;
    sealing.confirmed(&registered).await;
    assert_eq!(sealing.rows().await, 1);
    let owner = sealing.app.bearer(text(&registered, "registration_access_token"));
    let mut body = as_update(&registered);
    body["client_name"] = "New".into();
    let updated = owner.update(uri(&registered), &body).await;
    assert_eq!(
        (updated.status.as_u16(), &updated.json()["client_name"]),
        (200, &json!("New")),
        "{updated:?}"
    );
    assert_ne!(updated.json()["registration_access_token"], registered["registration_access_token"]);
    let found = sealing.clients.client(&id(&registered)).await.unwrap().unwrap();
    assert_eq!(found.revision, 2);
}

/// Whatever the rule: a read that wrote would be a flood's second request.
#[tokio::test]
async fn a_read_gives_no_other_token_while_nothing_is_stored() {
    let mut rules = Rules::default();
    rules.rotate_token = RotateToken::OnUse;
    let sealing = Sealing::of(Storage::Provisional, rules).await;
    let registered = sealing.registered(web()).await;
    let owner = sealing.app.bearer(text(&registered, "registration_access_token"));
    let read = owner.read(uri(&registered)).await.json();
    assert_eq!(read["registration_access_token"], registered["registration_access_token"]);
    assert_eq!(sealing.rows().await, 0);
    sealing.confirmed(&registered).await;
    let read = owner.read(uri(&registered)).await.json();
    assert_ne!(read["registration_access_token"], registered["registration_access_token"]);
}

/// RFC 7523 §3, item 7: what is taken once has to be remembered.
#[tokio::test]
async fn a_signed_request_deletes_and_does_nothing_else() {
    let sealing = Sealing::stateless().await;
    let key = ClientKey::new("1");
    let mut metadata = web();
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    metadata["jwks"] = key.jwks();
    let registered = sealing.registered(metadata).await;
    let (id, uri) = (text(&registered, "client_id"), uri(&registered));
    let signed = |jti: &str| {
        let end = sealing.clock.now().seconds() + 60;
        let claims = json!({ "iss": id, "sub": id, "aud": uri, "jti": jti, "exp": end });
        sealing.app.bearer(&key.sign(&claims))
    };
    let refused = signed("1").read(uri).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (403, &json!("access_denied")),
        "{refused:?}"
    );
    assert_eq!(sealing.rows().await, 0);
    assert_eq!(signed("2").delete(uri).await.status, 204);
    for jti in ["2", "3"] {
        assert_eq!(signed(jti).delete(uri).await.status, 401);
    }
}

/// RFC 7591 §1.2
#[tokio::test]
async fn a_registration_that_takes_a_use_of_a_token_is_a_row() {
    let sealing = Sealing::stateless().await;
    let new = NewInitialAccessToken { uses: Some(1), ..NewInitialAccessToken::default() };
    let (secret, token) = issue(new, sealing.clock.now(), &SystemRandom).unwrap();
    sealing.rows.put(&token).await.unwrap();
    let holder = sealing.app.bearer(secret.expose());
    let registered = holder.register(web()).await;
    assert_eq!((registered.status.as_u16(), text(&registered.json(), "client_id").len()), (201, 36));
    assert_eq!(holder.register(web()).await.status, 401);
    assert_eq!(sealing.rows().await, 1);
}

/// What a registration may say stays as it was said, unknown members and odd numbers too.
#[tokio::test]
async fn every_member_comes_back_as_it_was_registered() {
    let mut rules = Rules::duende();
    rules.management = true;
    let (sealing, stored) = (Sealing::of(Storage::Stateless, rules.clone()).await, rules);
    let stored = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(stored));
    let mut metadata = web();
    metadata["grant_types"] = json!(["authorization_code"]);
    metadata["client_name#ja"] = "アプリ".into();
    metadata["x_unknown"] = json!({ "b": [1.0, null, "𝄞"], "a": true });
    metadata["default_max_age"] = 60.into();
    let app = stored.anonymous().register(metadata.clone()).await.json();
    let registered = sealing.registered(metadata).await;
    let owner = sealing.app.bearer(text(&registered, "registration_access_token"));
    let read = owner.read(uri(&registered)).await.json();
    for (member, value) in app.as_object().unwrap() {
        let of_its_own =
            ["client_id", "client_secret", "registration"].iter().any(|own| member.starts_with(own));
        assert!(of_its_own || read[member] == *value, "{member}: {value} became {}", read[member]);
    }
}

/// Each part of an identifier counts, and so does each part of a token.
#[tokio::test]
async fn a_changed_identifier_is_nobodys() {
    let sealing = Sealing::stateless().await;
    let registered = sealing.registered(web()).await;
    let token = text(&registered, "registration_access_token");
    let id = text(&registered, "client_id");
    for position in 0..id.len() {
        let other = if id.as_bytes()[position] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &id[..position], &id[position + 1..]);
        let answer = sealing.app.bearer(token).read(&format!("/connect/dcr/{changed}")).await;
        assert_eq!(answer.status, 401, "{position}");
    }
    let presented = RegistrationAccessToken::presented(token.to_owned());
    let found = sealing.clients.client(&ClientId::from(id)).await.unwrap().unwrap();
    assert_eq!(found.registration_access_token, Some(presented.hash()));
}
