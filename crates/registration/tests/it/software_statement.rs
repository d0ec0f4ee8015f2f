//! Software statements. RFC 7591 §2.3, §3.1.1, §3.2.2.

use enroll_access::{Gate, Policy as _, StatementIssuer, StatementIssuers, Terms, policy};
use enroll_oauth_types::ClientMetadata;
use enroll_registration::Statements;
use enroll_testkit::{Answer, ClientKey, TestApp, as_update};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://vouch.example";

/// An app that believes one issuer, and that issuer's key.
struct Trusting {
    app: TestApp,
    key: ClientKey,
}

impl Trusting {
    fn new(required: bool) -> Self {
        Self::on(required, Terms::default())
    }

    fn on(required: bool, terms: Terms) -> Self {
        let key = ClientKey::new("k");
        let issuer = StatementIssuer::new(ISSUER, &key.jwks().to_string()).unwrap();
        let statements =
            Statements::of(StatementIssuers::new([issuer.taking("software_client_name", "client_name")]));
        let statements = if required { statements.required() } else { statements };
        let gate = Gate::require(policy::open().on(terms));
        Self { app: TestApp::build(|builder| builder.gate(gate).statements(statements)), key }
    }

    fn statement(&self, claims: Value) -> String {
        let mut all =
            json!({ "iss": ISSUER, "iat": 1_800_000_000, "exp": 1_800_000_300, "software_id": "S1" });
        merge(&mut all, claims);
        self.key.sign(&all)
    }

    async fn register(&self, claims: Value, body: Value) -> Answer {
        let mut request = json!({ "software_statement": self.statement(claims) });
        merge(&mut request, body);
        self.app.anonymous().register(request).await
    }
}

fn merge(into: &mut Value, over: Value) {
    let Value::Object(over) = over else { panic!("an object") };
    into.as_object_mut().unwrap().extend::<Map<String, Value>>(over);
}

/// RFC 7591 §2.3: what the statement says stands over what the client says.
#[tokio::test]
async fn claims_of_a_statement_take_precedence_and_are_answered() {
    let trusting = Trusting::new(false);
    let claims = json!({
        "redirect_uris": ["https://vouched.example/cb"], "software_client_name": "Vouched", "client_name#de": "Verbürgt",
        "jti": "1", "org_id": "not metadata", "client_id": "mine", "software_statement": "another",
    });
    let body = json!({
        "redirect_uris": ["https://own.example/cb"], "client_name": "Own", "client_name#fr": "Propre",
        "software_id": "S2", "contacts": ["ops@own.example"],
    });
    let answer = trusting.register(claims.clone(), body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let told = answer.json();
    for (member, value) in [
        ("redirect_uris", json!(["https://vouched.example/cb"])),
        ("client_name", json!("Vouched")),
        ("client_name#de", json!("Verbürgt")),
        ("client_name#fr", json!("Propre")),
        ("software_id", json!("S1")),
        ("contacts", json!(["ops@own.example"])),
        ("software_statement", json!(trusting.statement(claims))),
    ] {
        match member {
            // A signature of ECDSA is another one each time.
            "software_statement" => assert_eq!(payload(&told[member]), payload(&value)),
            _ => assert_eq!(told[member], value, "{member}"),
        }
    }
    for absent in ["org_id", "iss", "jti", "exp"] {
        assert!(told.get(absent).is_none(), "{absent}");
    }
}

fn payload(statement: &Value) -> String {
    statement.as_str().unwrap().split('.').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn what_a_statement_says_is_judged_like_everything() {
    let trusting = Trusting::new(false);
    let script = json!({ "redirect_uris": ["javascript:alert(1)"] });
    let answer = trusting.register(script, json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (400, Some("invalid_redirect_uri"))
    );
    let wrong = trusting.register(json!({ "redirect_uris": "not a list" }), json!({})).await;
    assert_eq!(wrong.json()["error"], "invalid_software_statement", "{}", wrong.body);
    // Privileges are those of the caller's policy, whoever vouches.
    let granted = trusting
        .register(json!({ "require_consent": false }), json!({ "redirect_uris": ["https://own.example/cb"] }))
        .await;
    assert!(granted.json().get("require_consent").is_none(), "{}", granted.body);
    assert_eq!(trusting.app.clients().await, 1);
}

/// RFC 7591 §2: either by value or by address.
#[tokio::test]
async fn keys_of_a_statement_are_the_only_ones() {
    let trusting = Trusting::new(false);
    let own = ClientKey::new("own").jwks();
    let body = json!({ "redirect_uris": ["https://own.example/cb"], "jwks": own });
    let told = trusting.register(json!({ "jwks_uri": "https://vouched.example/jwks" }), body).await.json();
    assert_eq!(told["jwks_uri"], "https://vouched.example/jwks");
    assert!(told.get("jwks").is_none(), "{told}");
}

/// RFC 7591 §3.2.2
#[tokio::test]
async fn a_statement_that_is_not_believed_refuses_the_registration() {
    let trusting = Trusting::new(false);
    let other = ClientKey::new("k");
    let forged = other.sign(&json!({ "iss": ISSUER, "exp": 1_800_000_300 }));
    let stranger = other.sign(&json!({ "iss": "https://else.example", "exp": 1_800_000_300 }));
    let expired = trusting.key.sign(&json!({ "iss": ISSUER, "exp": 1_799_999_000 }));
    for (statement, code) in [
        (forged, "invalid_software_statement"),
        (stranger, "unapproved_software_statement"),
        (expired, "invalid_software_statement"),
        ("nonsense".to_owned(), "invalid_software_statement"),
    ] {
        let body = json!({ "redirect_uris": ["https://own.example/cb"], "software_statement": statement });
        let answer = trusting.app.anonymous().register(body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (400, Some(code)),
            "{}",
            answer.body
        );
    }
    assert_eq!(trusting.app.clients().await, 0);
}

#[tokio::test]
async fn a_statement_may_be_required() {
    let body = json!({ "redirect_uris": ["https://own.example/cb"] });
    let free = Trusting::new(false);
    assert_eq!(free.app.anonymous().register(body.clone()).await.status, 201);
    let bound = Trusting::new(true);
    let refused = bound.app.anonymous().register(body.clone()).await;
    assert_eq!(refused.json()["error"], "invalid_software_statement", "{}", refused.body);
    assert_eq!(bound.register(json!({}), body.clone()).await.status, 201);
    // A policy's template may hold it.
    let template = json!({ "software_statement": bound.statement(json!({})) });
    let template = ClientMetadata::try_from(template).unwrap();
    let templated = Trusting::on(true, Terms { template, ..Terms::default() });
    let foreign = templated.app.anonymous().register(body).await;
    assert_eq!(foreign.json()["error"], "invalid_software_statement", "its key is another: {}", foreign.body);
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_keeps_the_statement_or_brings_a_newer_one() {
    let trusting = Trusting::new(false);
    let told = trusting
        .register(json!({ "redirect_uris": ["https://vouched.example/cb"] }), json!({ "client_name": "Own" }))
        .await
        .json();
    let owner = trusting.app.bearer(told["registration_access_token"].as_str().unwrap());
    let uri = told["registration_client_uri"].as_str().unwrap();
    trusting.app.clock.advance(3600);

    // It has ended meanwhile, and is settled. What it says cannot be changed.
    let mut body = as_update(&told);
    body["client_name"] = "New".into();
    body["redirect_uris"] = json!(["https://own.example/cb"]);
    let updated = owner.update(uri, &body).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(updated.json()["redirect_uris"], json!(["https://vouched.example/cb"]));
    assert_eq!(updated.json()["client_name"], "New");

    body.as_object_mut().unwrap().shift_remove("software_statement");
    assert_eq!(owner.update(uri, &body).await.json()["error"], "invalid_software_statement");

    let valid = json!({ "exp": 1_800_007_200, "redirect_uris": ["https://newer.example/cb"] });
    body["software_statement"] = trusting.statement(valid.clone()).into();
    assert_eq!(owner.update(uri, &body).await.json()["redirect_uris"], valid["redirect_uris"]);
    let mut other = valid;
    other["software_id"] = "S9".into();
    body["software_statement"] = trusting.statement(other).into();
    assert_eq!(owner.update(uri, &body).await.json()["error"], "invalid_software_statement");
}
