//! The server beside a real issuer: Enroll's own, in memory.

use axum::body::Body;
use enroll::access::Terms;
use enroll::access::policy::Policy as _;
use enroll::oauth_types::{Capabilities, SealingKey, SystemRandom};
use enroll::provider::{Catalog, Keys, Provider, Resource, Users};
use enroll::registration::Registrar;
use enroll::store::{MemoryRecords, MemoryStore};
use enroll_jose::Schedule;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

const RESOURCE: &str = "http://127.0.0.1:3000/mcp";
const OTHER: &str = "http://127.0.0.1:4000/mcp";

/// An issuer on loopback, with a client that has all scopes.
struct Issuer {
    router: Router,
    url: String,
    client_id: String,
    client_secret: String,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (clients, records) = (Arc::new(MemoryStore::default()), Arc::new(MemoryRecords::default()));
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let sealing_key = Arc::new(SealingKey::generate(&SystemRandom));
        let keys = Keys::new(records.clone(), sealing_key.clone(), clock.clone(), Schedule::default());
        keys.refresh_quick().await.unwrap();
        let users = Users::new(records.clone(), sealing_key.clone(), clock, random);
        let resource = |identifier: &str| Resource {
            identifier: identifier.to_owned(),
            scopes: vec![SCOPE.to_owned(), "mcp:look".to_owned()],
            ..Resource::default()
        };
        let provider = Provider::builder(&url, clients.clone(), records, keys, users, sealing_key)
            .catalog(Catalog::new([resource(RESOURCE), resource(OTHER)]))
            .build();
        let registrar = Registrar::builder(format!("{url}/connect/dcr"))
            .clients(clients)
            .capabilities(Capabilities::code_and_client_credentials().with_scopes([SCOPE, "mcp:look"]))
            .gate(Gate::require(policy::open().on(Terms::unrestricted())))
            .build()
            .unwrap();
        let discovery = json!({ "issuer": url, "jwks_uri": provider.described().jwks_uri });
        let router = provider
            .cross_origin_routes("")
            .merge(registrar.router())
            .route("/.well-known/openid-configuration", get(async move || Json(discovery)));
        tokio::spawn(axum::serve(listener, router.clone()).into_future());

        let metadata = json!({
            "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post",
            "scope": format!("{SCOPE} mcp:look"),
        });
        let request = Request::post("/connect/dcr").header(header::CONTENT_TYPE, "application/json");
        let told = answer(&router, request.body(Body::from(metadata.to_string())).unwrap()).await;
        let text = |member: &str| told.body[member].as_str().unwrap_or_else(|| panic!("{told:?}")).to_owned();
        Self { url, client_id: text("client_id"), client_secret: text("client_secret"), router }
    }

    async fn token(&self, scope: &str, resource: &str) -> String {
        let Self { client_id, client_secret, .. } = self;
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}\
             &scope={scope}&resource={resource}"
        );
        let request = Request::post("/connect/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let answer = answer(&self.router, request).await;
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// The MCP server of this issuer.
    fn app(&self) -> Router {
        let outbound = Outbound::builder(Arc::new(SystemClock), Limits::default()).insecure_allow_private();
        app(&self.url, &Uri::from_static(RESOURCE), outbound.build().unwrap()).unwrap()
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    challenge: String,
    body: Value,
}

async fn answer(app: &Router, request: Request) -> Answer {
    let Ok(response) = app.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let challenge =
        parts.headers.get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        challenge: challenge.unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

async fn call(app: &Router, token: Option<&str>, tool: &str, arguments: Value) -> Answer {
    let mut request = Request::post("/mcp")
        .header(header::HOST, "127.0.0.1:3000")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments },
    });
    answer(app, request.body(Body::from(message.to_string())).unwrap()).await
}

#[tokio::test]
async fn whoever_has_a_token_for_this_server_calls_its_tools() {
    let issuer = Issuer::start().await;
    let (app, token) = (issuer.app(), issuer.token(SCOPE, RESOURCE).await);
    let sum = call(&app, Some(&token), "add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum.status, StatusCode::OK, "{sum:?}");
    assert_eq!(sum.body["result"]["content"][0]["text"], "5", "{sum:?}");
    let who = call(&app, Some(&token), "whoami", json!({})).await;
    let client = &issuer.client_id;
    assert_eq!(who.body["result"]["content"][0]["text"], format!("{client} through {client}"), "{who:?}");
}

/// RFC 9728 §3.2, §5.1
#[tokio::test]
async fn without_a_token_a_client_is_told_where_to_learn_who_gives_them() {
    let issuer = Issuer::start().await;
    let refused = call(&issuer.app(), None, "add", json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let url = "http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp";
    assert_eq!(refused.challenge, format!("Bearer realm=\"mcp\", resource_metadata=\"{url}\""));
    let metadata = answer(&issuer.app(), Request::get(url).body(Body::empty()).unwrap()).await;
    assert_eq!(metadata.status, StatusCode::OK);
    assert_eq!(metadata.body["resource"], RESOURCE);
    assert_eq!(metadata.body["authorization_servers"], json!([issuer.url]));
    let elsewhere = Request::get("/.well-known/oauth-authorization-server").body(Body::empty()).unwrap();
    assert_eq!(answer(&issuer.app(), elsewhere).await.status, StatusCode::NOT_FOUND);
}

/// RFC 6750 §3.1
#[tokio::test]
async fn a_token_without_the_scope_is_told_which_it_lacks() {
    let issuer = Issuer::start().await;
    let token = issuer.token("mcp:look", RESOURCE).await;
    let refused = call(&issuer.app(), Some(&token), "add", json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.challenge.contains("error=\"insufficient_scope\""), "{refused:?}");
    assert!(refused.challenge.contains("scope=\"mcp:tools\""), "{refused:?}");
}

/// RFC 9068 §4, RFC 8725 §3.9
#[tokio::test]
async fn a_token_for_another_server_or_of_another_issuer_opens_nothing() {
    let issuer = Issuer::start().await;
    let for_another = issuer.token(SCOPE, OTHER).await;
    let of_another = Issuer::start().await.token(SCOPE, RESOURCE).await;
    for token in [for_another.as_str(), of_another.as_str(), "no-token"] {
        let refused = call(&issuer.app(), Some(token), "add", json!({})).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{token}");
        assert!(refused.challenge.contains("error=\"invalid_token\""), "{refused:?}");
    }
}
