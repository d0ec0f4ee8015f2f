//! APIs that ask about the tokens that are sent to them. RFC 7662.

use enroll_oauth_types::{ResourceSecret, SystemRandom};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

const ONE: &str = "https://one.example/api?x=a b";
const TWO: &str = "urn:example:two";

/// Two APIs with secrets of their own, and a third without.
struct Apis {
    secrets: [ResourceSecret; 3],
    home: Home,
}

impl Apis {
    fn new() -> Self {
        let secrets = [(); 3].map(|()| ResourceSecret::generate(&SystemRandom));
        let [old, new, two] = secrets.each_ref().map(|secret| secret.hash().to_text());
        let home = Home::with_config(&format!(
            "registration.open = true\n\
             scopes = [{{ name = \"api1\" }}, {{ name = \"api2\" }}, {{ name = \"both\" }}]\n\
             [[resources]]\nidentifier = \"{ONE}\"\nscopes = [\"api1\", \"both\"]\nsecret_hashes = [\"{old}\", \"{new}\"]\n\
             [[resources]]\nidentifier = \"{TWO}\"\nscopes = [\"api2\", \"both\"]\nsecret_hashes = [\"{two}\"]\n\
             [[resources]]\nidentifier = \"urn:example:three\"\nscopes = [\"api2\"]\n"
        ));
        Self { secrets, home }
    }
}

/// What HTTP Basic says, each part encoded as in a form. RFC 6749 §2.3.1.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn post(server: &Server, path: &str, who: (&str, &str), body: &str) -> Answer {
    let request = server.request(Method::POST, path).basic_auth(encoded(who.0), Some(encoded(who.1)));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    Answer::to(request.body(body.to_owned())).await
}

async fn introspected(server: &Server, who: (&str, &str), token: &str) -> Answer {
    post(server, "/connect/introspect", who, &format!("token={token}")).await
}

/// A token of a new client: signed, or a handle.
async fn token(server: &Server, kind: &str, scope: &str) -> String {
    let client = json!({ "grant_types": ["client_credentials"], "access_token_type": kind });
    let client = server.register(&client, None).await;
    let who = (client.member("client_id"), client.member("client_secret"));
    let body = format!("grant_type=client_credentials&scope={scope}");
    let answer = post(server, "/connect/token", who, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.member("access_token").to_owned()
}

/// RFC 7662 §2.2, §4
#[tokio::test]
async fn an_api_is_told_of_the_tokens_that_are_for_it_what_is_its_own() {
    let apis = Apis::new();
    let server = Server::start(&apis.home, "");
    let [old, new, two] = apis.secrets.each_ref().map(ResourceSecret::expose);
    for kind in ["Jwt", "Reference"] {
        let (of_both, of_two) =
            (token(&server, kind, "api1 api2 both").await, token(&server, kind, "api2").await);
        for secret in [old, new] {
            let told = introspected(&server, (ONE, secret), &of_both).await;
            let shown = json!([told.status, told.json["active"], told.json["scope"], told.json["aud"]]);
            assert_eq!(shown, json!([200, true, "api1 both", ONE]), "{told:?}");
        }
        let told = introspected(&server, (TWO, two), &of_both).await;
        assert_eq!(told.json["scope"], "api2 both", "{told:?}");
        assert_eq!(introspected(&server, (TWO, two), &of_two).await.json["active"], true);
        for other in [of_two.as_str(), "unknown", ""] {
            let told = introspected(&server, (ONE, new), other).await;
            match other {
                "" => told.assert_error(400, "invalid_request"),
                _ => assert_eq!((told.status, &told.json), (200, &json!({ "active": false })), "{other}"),
            }
        }
    }
}

/// RFC 7662 §2.1: whoever guesses learns neither which resources there are nor which have secrets.
#[tokio::test]
async fn an_unknown_api_is_answered_as_one_with_a_wrong_secret() {
    let apis = Apis::new();
    let server = Server::start(&apis.home, "");
    let [_, new, two] = apis.secrets.each_ref().map(ResourceSecret::expose);
    let token = token(&server, "Jwt", "api1").await;
    let mut answers: Vec<(u16, Value)> = Vec::new();
    for who in [
        (ONE, "enr_rs_x"),
        (ONE, two),
        (ONE, ""),
        ("urn:example:three", new),
        ("https://unknown.example", new),
        ("URN:EXAMPLE:TWO", two),
        ("", two),
    ] {
        let answer = introspected(&server, who, &token).await;
        answer.assert_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic"), "{who:?}");
        answers.push((answer.status, answer.json));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

/// It is no client: it gets no tokens and gives none back.
#[tokio::test]
async fn an_api_may_ask_and_nothing_else() {
    let apis = Apis::new();
    let server = Server::start(&apis.home, "");
    let who = (ONE, apis.secrets[1].expose());
    let token = token(&server, "Reference", "api1").await;
    for (path, body) in [
        ("/connect/token", "grant_type=client_credentials".to_owned()),
        ("/connect/revocation", format!("token={token}")),
    ] {
        post(&server, path, who, &body).await.assert_error(401, "invalid_client");
    }
    let twice = format!("token={token}&client_secret=x");
    post(&server, "/connect/introspect", who, &twice).await.assert_error(400, "invalid_request");
    assert_eq!(introspected(&server, who, &token).await.json["active"], true);
    let log = server.stop().log;
    assert!(!log.contains(who.1) && !log.contains(&token), "{log}");
}

/// RFC 9701 §5
#[tokio::test]
async fn an_api_may_ask_for_a_signed_answer() {
    let apis = Apis::new();
    let server = Server::start(&apis.home, "");
    let token = token(&server, "Reference", "api2").await;
    let request = server.request(Method::POST, "/connect/introspect");
    let request = request.basic_auth(encoded(TWO), Some(apis.secrets[2].expose()));
    let request = request.header("accept", "application/token-introspection+jwt");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = Answer::to(request.body(format!("token={token}"))).await;
    assert_eq!(answer.header("content-type"), "application/token-introspection+jwt", "{answer:?}");
    let claims = crate::authorization::claims(&answer.text);
    assert_eq!((&claims["aud"], &claims["token_introspection"]["scope"]), (&json!(TWO), &json!("api2")));
}

#[tokio::test]
async fn the_secret_that_is_printed_is_the_one_that_is_taken() {
    let printed = Home::new().run("config secret");
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let lines: Vec<&str> = printed.stdout.lines().collect();
    let secret = lines[0].strip_prefix("secret = \"").unwrap().trim_end_matches('"');
    let home = Home::with_config(&format!(
        "registration.open = true\nscopes = [{{ name = \"api2\" }}]\n\
         [[resources]]\nidentifier = \"{TWO}\"\nscopes = [\"api2\"]\n{}\n",
        lines[1]
    ));
    let server = Server::start(&home, "");
    let token = token(&server, "Jwt", "api2").await;
    assert_eq!(introspected(&server, (TWO, secret), &token).await.json["active"], true);

    let plain = lines[0].replace("secret = ", "secret_hashes = [") + "]";
    home.write("enroll.toml", &format!("[[resources]]\nidentifier = \"{TWO}\"\nscopes = []\n{plain}\n"));
    let refused = home.run("config check");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("enroll config secret") && !refused.stderr.contains(secret),
        "{refused:?}"
    );
}
