//! Documents at addresses that a client names. OpenID Connect Dynamic Client Registration 1.0 §5, RFC 7591 §2.

use enroll_access::{Gate, policy};
use enroll_oauth_types::Timestamp;
use enroll_outbound::Limits;
use enroll_registration::{Pipeline, Remote, steps};
use enroll_store::ClientReader as _;
use enroll_testkit::{Answer, ClientKey, FakeWeb, TestApp, WebAnswer, as_update};
use serde_json::{Value, json};

const URIS: &str = r#"["https://a.example/cb", "https://b.example/cb"]"#;

/// An app that fetches from a web of its own.
struct Connected {
    web: FakeWeb,
    app: TestApp,
}

impl Connected {
    async fn new() -> Self {
        Self::with(Pipeline::standard()).await
    }

    async fn with(pipeline: Pipeline) -> Self {
        let web = FakeWeb::of(&["sector.example", "other.example"]).await;
        let remote = Remote::Fetched(web.outbound());
        let gate = Gate::require(policy::open());
        let app = TestApp::build(|builder| builder.gate(gate).remote(remote).pipeline(pipeline));
        Self { web, app }
    }

    /// A pairwise client on two hosts, whose sector document is here.
    fn pairwise(&self) -> Value {
        json!({
            "subject_type": "pairwise",
            "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
            "sector_identifier_uri": self.web.url("sector.example", "/sector"),
        })
    }

    async fn register(&self, answer: WebAnswer) -> Answer {
        self.web.answer("/sector", answer);
        self.app.anonymous().register(self.pairwise()).await
    }
}

#[tokio::test]
async fn a_client_is_registered_when_its_sector_document_lists_its_redirect_uris() {
    let connected = Connected::new().await;
    let answer = connected.register(WebAnswer::json(URIS)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.json()["sector_identifier_uri"], connected.pairwise()["sector_identifier_uri"]);
    assert_eq!(connected.web.requests("/sector").len(), 1);
}

#[tokio::test]
async fn a_sector_document_that_is_not_what_it_should_be_is_refused() {
    for (answer, why) in [
        (WebAnswer::json(r#"["https://a.example/cb"]"#), "redirect_uris[1] is not in it"),
        (WebAnswer::json(r#"["https://a.example/cb", "https://B.example/cb"]"#), "redirect_uris[1]"),
        (WebAnswer::json(r#"{"redirect_uris": []}"#), "a JSON array of strings"),
        (WebAnswer::json(r#"["https://a.example/cb", 1]"#), "a JSON array of strings"),
        (WebAnswer::json("not JSON"), "a JSON array of strings"),
        (WebAnswer::document("text/html", URIS), "could not be fetched"),
        (WebAnswer::json(URIS).status(404), "could not be fetched"),
        (WebAnswer::redirect(302, "https://other.example/sector"), "could not be fetched"),
        (WebAnswer::json(URIS).header("Content-Encoding", "gzip"), "could not be fetched"),
        (WebAnswer::json(vec![b' '; 65 * 1024]), "could not be fetched"),
        (WebAnswer::json(URIS).broken_off(), "could not be fetched"),
    ] {
        let connected = Connected::new().await;
        let answer = connected.register(answer).await;
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 400, "{why}: {}", answer.body);
        assert!(
            description.starts_with("sector_identifier_uri: ") && description.contains(why),
            "{description}"
        );
        assert_eq!(connected.app.clients().await, 0);
    }
}

/// Incident class `ssrf`: nothing within is reached, and nothing tells whether there is something.
#[tokio::test]
async fn a_sector_document_within_is_not_asked_for() {
    let connected = Connected::new().await;
    let gate = Gate::require(policy::open());
    let strict = connected.web.builder(Limits::default()).build().unwrap();
    let app = TestApp::build(|builder| builder.gate(gate).remote(Remote::Fetched(strict)));
    let mut told = Vec::new();
    for uri in [
        connected.web.url("sector.example", "/sector"),
        "https://127.0.0.1/sector".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::ffff:10.0.0.1]/sector".to_owned(),
        "https://2130706433/sector".to_owned(),
    ] {
        let mut body = connected.pairwise();
        body["sector_identifier_uri"] = uri.into();
        told.push(app.anonymous().register(body).await.body);
    }
    assert_eq!(connected.web.connections(), 0);
    assert!(told.iter().all(|body| body.contains("sector_identifier_uri: ")), "{told:?}");
    assert_eq!(told[0], told[1], "a name that leads within and an address within look alike");
}

/// OpenID Connect Dynamic Client Registration 1.0 §5: no later fetch is asked for, but a new URI must be listed.
#[tokio::test]
async fn an_update_asks_again_only_when_there_is_something_to_find() {
    let connected = Connected::new().await;
    let registered = connected.register(WebAnswer::json(URIS)).await.json();
    let owner = connected.app.bearer(registered["registration_access_token"].as_str().unwrap());
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let mut body = as_update(&registered);
    connected.web.answer("/sector", WebAnswer::json("[]").status(500));
    body["client_name"] = "New".into();
    assert_eq!(owner.update(uri, &body).await.status, 200);
    assert_eq!(connected.web.requests("/sector").len(), 1);

    body["redirect_uris"] = json!(["https://a.example/cb", "https://c.example/cb"]);
    connected.web.answer("/sector", WebAnswer::json(r#"["https://a.example/cb", "https://c.example/cb"]"#));
    connected.web.clock().advance(31);
    let added = owner.update(uri, &body).await;
    assert_eq!(added.status, 200, "{}", added.body);
    body["redirect_uris"] = json!(["https://d.example/cb"]);
    assert_eq!(owner.update(uri, &body).await.status, 400);
    body["redirect_uris"] = json!(["https://a.example/cb"]);
    body["sector_identifier_uri"] = connected.web.url("other.example", "/sector").into();
    let moved = owner.update(uri, &body).await;
    assert!(moved.body.contains("every user would get another subject"), "{}", moved.body);
}

/// RFC 7591 §2: the host of the keys may come up after the client.
#[tokio::test]
async fn keys_are_not_fetched_when_a_client_registers() {
    let connected = Connected::new().await;
    let answer = connected.app.anonymous().register(by_keys(&connected.web)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(connected.web.connections(), 0);
}

fn by_keys(web: &FakeWeb) -> Value {
    json!({
        "redirect_uris": ["https://a.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": web.url("sector.example", "/jwks"),
    })
}

#[tokio::test]
async fn keys_are_judged_at_once_by_a_pipeline_that_asks_for_it() {
    let eager = || Pipeline::standard().before(steps::POLICY, "remote_keys", steps::RemoteKeys);
    let key = ClientKey::new("k");
    let mut private = key.jwks();
    private["keys"][0]["d"] = "AAAA".into();
    let mut for_encryption = key.jwks();
    for_encryption["keys"][0]["use"] = "enc".into();
    for (answer, refused) in [
        (WebAnswer::json(key.jwks().to_string()), None),
        (WebAnswer::document("application/jwk-set+json", key.jwks().to_string()), None),
        (WebAnswer::json(private.to_string()), Some("jwks.keys[0].d")),
        (WebAnswer::json(for_encryption.to_string()), Some("a key that signs")),
        (WebAnswer::json("[]"), Some("public keys")),
        (WebAnswer::json("no"), Some("a JWK Set")),
        (WebAnswer::document("text/plain", key.jwks().to_string()), Some("could not be fetched")),
    ] {
        let connected = Connected::with(eager()).await;
        connected.web.answer("/jwks", answer);
        let answer = connected.app.anonymous().register(by_keys(&connected.web)).await;
        match refused {
            None => assert_eq!(answer.status, 201, "{}", answer.body),
            Some(why) => {
                assert_eq!(answer.status, 400, "{why}");
                assert!(answer.body.contains("jwks_uri: ") && answer.body.contains(why), "{}", answer.body);
            }
        }
    }
}

/// RFC 7523 §3: a signed request is verified with the keys at `jwks_uri`, a new one among them.
#[tokio::test]
async fn a_client_with_a_jwks_uri_signs_for_another_token() {
    let connected = Connected::new().await;
    let registered = connected.app.anonymous().register(by_keys(&connected.web)).await.json();
    let (uri, id) = (registered["registration_client_uri"].as_str().unwrap(), &registered["client_id"]);
    let claims = |jti: &str| json!({ "iss": id, "sub": id, "aud": uri, "jti": jti, "exp": 1_800_000_060 });
    let (old, new) = (ClientKey::new("old"), ClientKey::new("new"));
    let read = async |key: &ClientKey, jti: &str| {
        connected.app.bearer(&key.sign(&claims(jti))).read(uri).await.status.as_u16()
    };
    connected.web.answer("/jwks", WebAnswer::json(old.jwks().to_string()));
    assert_eq!(read(&old, "1").await, 200);
    assert_eq!(at_once(read(&new, "2")).await, 401);
    connected.web.answer("/jwks", WebAnswer::json(new.jwks().to_string()));
    connected.web.clock().advance(31);
    assert_eq!(read(&new, "3").await, 200);
    assert_eq!(at_once(read(&old, "4")).await, 401);
    let stored = connected.app.store.client(&id.as_str().unwrap().into()).await.unwrap().unwrap();
    assert!(stored.used_assertions.iter().all(|used| used.expires_at > Timestamp(1_800_000_060)));

    // Nobody is asked for a token that does not even claim to be the client's.
    let asked = connected.web.requests("/jwks").len();
    assert_eq!(connected.app.bearer("enr_rat_x").read(uri).await.status, 401);
    let mut others = claims("5");
    others["iss"] = "other".into();
    assert_eq!(connected.app.bearer(&new.sign(&others)).read(uri).await.status, 401);
    assert_eq!(connected.web.requests("/jwks").len(), asked);
}

/// Decisions of strangers about whom to ask are no failure of ours: 429, with when to come back.
#[tokio::test]
async fn whoever_makes_us_ask_too_often_is_told_when_to_come_back() {
    let web = FakeWeb::of(&["sector.example"]).await;
    let limits = Limits { per_host_per_minute: 1, ..Limits::default() };
    let remote = Remote::Fetched(web.outbound_within(limits));
    let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).remote(remote));
    let pairwise = |path: &str| {
        json!({
            "subject_type": "pairwise", "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
            "sector_identifier_uri": web.url("sector.example", path),
        })
    };
    assert_eq!(app.anonymous().register(pairwise("/1")).await.status, 400);
    let refused = app.anonymous().register(pairwise("/2")).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(app.clients().await, 0);
}

/// What waits for a time, and for nothing else, as if that had come.
async fn at_once<T>(future: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let output = future.await;
    tokio::time::resume();
    output
}

/// A forged request takes as long as the slowest host of keys, whether or not there is such a client and such a host.
#[tokio::test]
async fn the_time_of_a_forged_request_tells_nothing() {
    let connected = Connected::new().await;
    connected.web.answer("/jwks", WebAnswer::json("{}").held());
    let anonymous = connected.app.anonymous();
    let slow = anonymous.register(by_keys(&connected.web)).await.json();
    let inline = anonymous
        .register(json!({ "redirect_uris": ["https://a.example/cb"], "jwks": ClientKey::new("k").jwks() }))
        .await
        .json();
    let unknown = json!({ "client_id": "unknown", "registration_client_uri": "/connect/dcr/unknown" });
    for client in [slow, inline, unknown] {
        let (id, uri) = (&client["client_id"], client["registration_client_uri"].as_str().unwrap());
        let claims = json!({ "iss": id, "sub": id, "aud": uri, "jti": "1", "exp": 1_800_000_060 });
        let token = ClientKey::new("k").sign(&claims);
        let took = at_once(async {
            let begun = tokio::time::Instant::now();
            assert_eq!(connected.app.bearer(&token).read(uri).await.status, 401);
            begun.elapsed()
        });
        assert_eq!(took.await.as_secs(), Limits::default().total.as_secs(), "{id}");
    }
}
