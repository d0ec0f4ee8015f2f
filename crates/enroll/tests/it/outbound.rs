//! What the program fetches, and from where. OpenID Connect Dynamic Client Registration 1.0 §5.

use enroll_testkit::{ClientKey, FakeWeb, WebAnswer};
use serde_json::{Value, json};

use crate::harness::{Home, Server};

/// A home whose program trusts the web on this machine.
fn home(web: &FakeWeb) -> Home {
    let home = Home::with_config("[outbound]\nca_file = \"ca.pem\"\n");
    home.write("ca.pem", web.certificate());
    home
}

fn pairwise(web: &FakeWeb) -> Value {
    json!({
        "subject_type": "pairwise",
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        "sector_identifier_uri": web.url("localhost", "/sector"),
    })
}

#[tokio::test]
async fn a_server_in_development_fetches_a_sector_document_of_this_machine() {
    let web = FakeWeb::of(&["localhost"]).await;
    web.answer("/sector", WebAnswer::json(r#"["https://a.example/cb", "https://b.example/cb"]"#));
    let home = home(&web);
    let server = Server::open(&home);
    let answer = server.register(&pairwise(&web), None).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(web.requests("/sector").len(), 1);
    let metrics = server.get("/metrics").await;
    assert!(metrics.text.contains("enroll_outbound_fetches_total{outcome=\"fetched\"} 1"), "{metrics:?}");
}

/// The exception for this machine is for development alone.
#[tokio::test]
async fn a_server_does_not_fetch_from_within() {
    let web = FakeWeb::of(&["localhost"]).await;
    let home = home(&web);
    let token = home.token("");
    let server = Server::start(&home, "");
    for uri in [web.url("localhost", "/sector"), "https://10.0.0.1/sector".to_owned()] {
        let mut body = pairwise(&web);
        body["sector_identifier_uri"] = uri.into();
        let answer = server.register(&body, Some(&token)).await;
        answer.assert_error(400, "invalid_client_metadata");
        assert!(
            answer.json["error_description"].as_str().unwrap().contains("public addresses"),
            "{answer:?}"
        );
    }
    assert_eq!(web.connections(), 0);
}

#[tokio::test]
async fn a_check_fetches_only_when_it_is_asked_to() {
    let web = FakeWeb::of(&["localhost"]).await;
    let home = home(&web);
    home.write("pairwise.json", &pairwise(&web).to_string());
    let open = home.run("check pairwise.json");
    assert_eq!(open.code, Some(0), "{open:?}");
    assert!(open.stdout.contains("sector_identifier_uri: not fetched now"), "{open:?}");
    let fetched = home.run("check --fetch pairwise.json");
    assert_eq!(fetched.code, Some(1), "{fetched:?}");
    assert!(fetched.stdout.contains("could not be fetched"), "{fetched:?}");

    let keys = json!({
        "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": web.url("localhost", "/jwks"),
    });
    web.answer("/jwks", WebAnswer::json(ClientKey::new("k").jwks().to_string()));
    home.write("keys.json", &keys.to_string());
    assert_eq!(home.run("check keys.json").code, Some(0));
    let fetched = home.run("check --fetch keys.json");
    assert!(fetched.stdout.contains("✗ remote_keys"), "{fetched:?}");
    assert_eq!(web.connections(), 0);
}
