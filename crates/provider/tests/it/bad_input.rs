//! Requests that are wrong in one thing each, at every endpoint: none gets in, and none is the server's fault. The cases are
//! data; what is expected of each is the code that its standard gives it.

use serde_json::json;

use crate::harness::{Answer, Asked, CALLBACK, Client, Server};

/// How a parameter is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrong {
    Missing,
    Empty,
    Doubled,
    Oversized,
    Is(&'static str),
}

/// What is expected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// A person is told, and nobody is sent anywhere.
    Page,
    /// The client is told this.
    Told(&'static str),
    /// It does not matter.
    Fine,
}

use Expected::{Fine, Page, Told};
use Wrong::{Doubled, Empty, Is, Missing, Oversized};

type Case = (&'static str, Wrong, Expected);

/// Too long for everything that has a limit.
const LONG: usize = 9000;

const AUTHORIZATION: &[Case] = &[
    ("client_id", Missing, Page),
    ("client_id", Empty, Page),
    ("client_id", Doubled, Page),
    ("client_id", Oversized, Page),
    ("client_id", Is("nobody"), Page),
    ("client_id", Is("'; DROP TABLE clients; --"), Page),
    ("client_id", Is("\u{0}"), Page),
    ("client_id", Is("https://client.example/metadata"), Page),
    ("client_id", Is("../../etc/passwd"), Page),
    ("client_id", Is("<script>alert(1)</script>"), Page),
    ("redirect_uri", Missing, Page),
    ("redirect_uri", Empty, Page),
    ("redirect_uri", Doubled, Page),
    ("redirect_uri", Oversized, Page),
    ("redirect_uri", Is("https://evil.example/cb"), Page),
    ("redirect_uri", Is("https://app.example.evil.example/cb"), Page),
    ("redirect_uri", Is("https://app.example@evil.example/cb"), Page),
    ("redirect_uri", Is("https://app.example:443/cb"), Page),
    ("redirect_uri", Is("https://app.example:8443/cb"), Page),
    ("redirect_uri", Is("https://APP.example/cb"), Page),
    ("redirect_uri", Is("http://app.example/cb"), Page),
    ("redirect_uri", Is("HTTPS://app.example/cb"), Page),
    ("redirect_uri", Is("https://app.example/cb#"), Page),
    ("redirect_uri", Is("https://app.example/cb#x"), Page),
    ("redirect_uri", Is("https://app.example/cb?"), Page),
    ("redirect_uri", Is("https://app.example/cb/"), Page),
    ("redirect_uri", Is("https://app.example/cb/../evil"), Page),
    ("redirect_uri", Is("https://app.example/%63b"), Page),
    ("redirect_uri", Is("https://app.example/cb%00"), Page),
    ("redirect_uri", Is("https://app.example\\@evil.example/cb"), Page),
    ("redirect_uri", Is("//app.example/cb"), Page),
    ("redirect_uri", Is("/cb"), Page),
    ("redirect_uri", Is("javascript:alert(1)"), Page),
    ("redirect_uri", Is("data:text/html,x"), Page),
    ("redirect_uri", Is(" https://app.example/cb"), Page),
    ("redirect_uri", Is("https://app.example/cb "), Page),
    ("redirect_uri", Is("https://app.example/cb\r\nSet-Cookie: a=b"), Page),
    ("redirect_uri", Is("https://аpp.example/cb"), Page),
    ("response_type", Missing, Told("invalid_request")),
    ("response_type", Empty, Told("invalid_request")),
    ("response_type", Doubled, Told("invalid_request")),
    ("response_type", Oversized, Told("unsupported_response_type")),
    ("response_type", Is("token"), Told("unsupported_response_type")),
    ("response_type", Is("id_token"), Told("unsupported_response_type")),
    ("response_type", Is("code token"), Told("unsupported_response_type")),
    ("response_type", Is("code id_token"), Told("unsupported_response_type")),
    ("response_type", Is("CODE"), Told("unsupported_response_type")),
    ("response_type", Is("code "), Told("unsupported_response_type")),
    ("response_type", Is("none"), Told("unsupported_response_type")),
    ("response_mode", Empty, Fine),
    ("response_mode", Doubled, Told("unsupported_response_mode")),
    ("response_mode", Oversized, Told("unsupported_response_mode")),
    ("response_mode", Is("fragment"), Told("unsupported_response_mode")),
    ("response_mode", Is("fragment.jwt"), Told("unsupported_response_mode")),
    ("response_mode", Is("web_message"), Told("unsupported_response_mode")),
    ("response_mode", Is("QUERY"), Told("unsupported_response_mode")),
    ("scope", Doubled, Told("invalid_request")),
    ("scope", Oversized, Told("invalid_scope")),
    ("scope", Is("nobody:knows"), Told("invalid_scope")),
    ("scope", Is("openid enroll.registration"), Fine),
    ("scope", Is("openid\tapi1"), Told("invalid_scope")),
    ("scope", Is("\u{1F600}"), Told("invalid_scope")),
    ("scope", Is("phone"), Told("invalid_scope")),
    ("state", Missing, Fine),
    ("state", Empty, Fine),
    ("state", Doubled, Told("invalid_request")),
    ("state", Oversized, Fine),
    ("state", Is("\r\nLocation: https://evil.example/"), Fine),
    ("state", Is("\"><script>alert(1)</script>"), Fine),
    ("state", Is("&code=stolen"), Fine),
    ("nonce", Doubled, Told("invalid_request")),
    ("nonce", Oversized, Told("invalid_request")),
    ("nonce", Is("\u{0}"), Fine),
    ("code_challenge", Missing, Told("invalid_request")),
    ("code_challenge", Empty, Told("invalid_request")),
    ("code_challenge", Doubled, Told("invalid_request")),
    ("code_challenge", Oversized, Told("invalid_request")),
    ("code_challenge", Is("short"), Told("invalid_request")),
    ("code_challenge", Is("a23456789012345678901234567890123456789012"), Told("invalid_request")),
    ("code_challenge", Is("a23456789012345678901234567890123456789012="), Told("invalid_request")),
    ("code_challenge", Is("a2345678901234567890123456789012345678901+/"), Told("invalid_request")),
    ("code_challenge_method", Missing, Told("invalid_request")),
    ("code_challenge_method", Empty, Told("invalid_request")),
    ("code_challenge_method", Doubled, Told("invalid_request")),
    ("code_challenge_method", Oversized, Told("invalid_request")),
    ("code_challenge_method", Is("plain"), Told("invalid_request")),
    ("code_challenge_method", Is("s256"), Told("invalid_request")),
    ("code_challenge_method", Is("S512"), Told("invalid_request")),
    ("prompt", Doubled, Told("invalid_request")),
    ("prompt", Oversized, Told("invalid_request")),
    ("prompt", Is("none login"), Told("invalid_request")),
    ("prompt", Is("none consent"), Told("invalid_request")),
    ("prompt", Is("create"), Told("invalid_request")),
    ("prompt", Is("NONE"), Told("invalid_request")),
    ("max_age", Doubled, Told("invalid_request")),
    ("max_age", Oversized, Told("invalid_request")),
    ("max_age", Is("-1"), Told("invalid_request")),
    ("max_age", Is("1.5"), Told("invalid_request")),
    ("max_age", Is("one"), Told("invalid_request")),
    ("max_age", Is("+1"), Told("invalid_request")),
    ("max_age", Is("0x10"), Told("invalid_request")),
    ("max_age", Is("٣"), Told("invalid_request")),
    ("max_age", Is("99999999999999999999999999"), Fine),
    ("claims", Doubled, Told("invalid_request")),
    ("claims", Oversized, Told("invalid_request")),
    ("claims", Is("{"), Told("invalid_request")),
    ("claims", Is("[]"), Told("invalid_request")),
    ("claims", Is("null"), Told("invalid_request")),
    ("claims", Is(r#"{"userinfo":[]}"#), Told("invalid_request")),
    ("claims", Is(r#"{"userinfo":{"name":true}}"#), Told("invalid_request")),
    ("claims", Is(r#"{"id_token":{"sub":{"value":"somebody else"}}}"#), Told("login_required")),
    ("claims", Is(r#"{"id_token":{"sub":{"value":1}}}"#), Told("login_required")),
    ("id_token_hint", Doubled, Told("invalid_request")),
    ("id_token_hint", Oversized, Told("invalid_request")),
    ("id_token_hint", Is("a.b.c"), Told("invalid_request")),
    ("id_token_hint", Is("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."), Told("invalid_request")),
    ("login_hint", Doubled, Told("invalid_request")),
    ("login_hint", Oversized, Told("invalid_request")),
    ("ui_locales", Oversized, Fine),
    ("acr_values", Oversized, Fine),
    ("display", Oversized, Fine),
    ("resource", Oversized, Told("invalid_target")),
    ("resource", Is("https://api.example/3"), Told("invalid_target")),
    ("resource", Is("https://api.example/1#x"), Told("invalid_target")),
    ("resource", Is("https://api.example/1/"), Told("invalid_target")),
    ("resource", Is("not a uri"), Told("invalid_target")),
    ("resource", Is("http://127.0.0.1/mcp"), Told("invalid_target")),
    ("request", Is("a.b.c"), Told("request_not_supported")),
    ("request_uri", Is("https://app.example/r"), Told("request_uri_not_supported")),
    ("request_uri", Is("http://169.254.169.254/latest"), Told("request_uri_not_supported")),
    ("registration", Is("{}"), Told("registration_not_supported")),
];

impl Wrong {
    /// The fields with this one wrong.
    pub(crate) fn apply(self, name: &str, fields: &mut Vec<(String, String)>) {
        let before =
            fields.iter().find(|(own, _)| own == name).map_or("x".to_owned(), |(_, value)| value.clone());
        fields.retain(|(own, _)| own != name || matches!(self, Doubled));
        let mut add = |value: &str| fields.push((name.to_owned(), value.to_owned()));
        match self {
            Missing => {}
            Empty => add(""),
            Oversized => add(&"a".repeat(LONG)),
            Is(value) => add(value),
            Doubled => {
                let is_there = fields.iter().any(|(own, _)| own == name);
                for _ in usize::from(is_there)..2 {
                    fields.push((name.to_owned(), before.clone()));
                }
            }
        }
    }
}

impl Expected {
    #[track_caller]
    fn check(self, answer: &Answer, case: &Case) {
        assert!(answer.status.as_u16() < 500, "{case:?}: {answer:?}");
        match self {
            Page => {
                assert!(answer.status == 400 && answer.location().is_empty(), "{case:?}: {answer:?}");
                assert!(!answer.body.contains("<script"), "{case:?}: {answer:?}");
            }
            Told(error) => {
                assert_eq!(answer.told("error").as_deref(), Some(error), "{case:?}: {answer:?}");
                assert!(answer.location().starts_with(CALLBACK), "{case:?}: {answer:?}");
            }
            Fine => assert!(answer.told("code").is_some(), "{case:?}: {answer:?}"),
        }
        assert!(answer.headers.get_all("set-cookie").iter().next().is_none(), "{case:?}: {answer:?}");
    }
}

/// RFC 6749 §4.1.2.1. Whoever is logged in and would not even be asked gets nothing for a request that is wrong.
#[tokio::test]
async fn an_authorization_request_that_is_wrong_in_one_thing() {
    let server = Server::new().await;
    let scope = "openid profile email api1";
    let client = server.register(json!({ "require_consent": false, "scope": scope })).await;
    let mut browser = server.browser();
    browser.code(&client.asks(&[])).await;
    for case @ (name, wrong, expected) in AUTHORIZATION {
        let mut asked = client.asks(&[("scope", scope)]);
        wrong.apply(name, &mut asked.parameters);
        // Nobody is asked who is somebody else.
        if matches!(expected, Told("login_required")) {
            asked.parameters.push(("prompt".to_owned(), "none".to_owned()));
        }
        let answer = browser.get(&asked.path()).await;
        expected.check(&answer, case);
        let fields: Vec<_> =
            asked.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        expected.check(&browser.post("/connect/authorize", &fields).await, case);
    }
}

/// What is wrong at the token endpoint with a code, and the code of the answer; `Fine` is still a token.
const TOKEN: &[Case] = &[
    ("grant_type", Missing, Told("invalid_request")),
    ("grant_type", Empty, Told("invalid_request")),
    ("grant_type", Doubled, Told("invalid_request")),
    ("grant_type", Oversized, Told("unsupported_grant_type")),
    ("grant_type", Is("password"), Told("unsupported_grant_type")),
    ("grant_type", Is("implicit"), Told("unsupported_grant_type")),
    ("grant_type", Is("Authorization_Code"), Told("unsupported_grant_type")),
    ("grant_type", Is("client_credentials"), Told("unauthorized_client")),
    ("grant_type", Is("refresh_token"), Told("invalid_request")),
    ("grant_type", Is("urn:ietf:params:oauth:grant-type:jwt-bearer"), Told("unsupported_grant_type")),
    ("grant_type", Is("urn:ietf:params:oauth:grant-type:device_code"), Told("unsupported_grant_type")),
    ("grant_type", Is("urn:ietf:params:oauth:grant-type:token-exchange"), Told("unsupported_grant_type")),
    ("code", Missing, Told("invalid_request")),
    ("code", Empty, Told("invalid_request")),
    ("code", Doubled, Told("invalid_request")),
    ("code", Oversized, Told("invalid_grant")),
    ("code", Is("enr_ac_"), Told("invalid_grant")),
    ("code", Is("enr_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Told("invalid_grant")),
    ("code", Is("' OR 1=1 --"), Told("invalid_grant")),
    ("code", Is("\u{0}"), Told("invalid_grant")),
    ("redirect_uri", Missing, Told("invalid_request")),
    ("redirect_uri", Empty, Told("invalid_request")),
    ("redirect_uri", Doubled, Told("invalid_request")),
    ("redirect_uri", Oversized, Told("invalid_grant")),
    ("redirect_uri", Is("https://evil.example/cb"), Told("invalid_grant")),
    ("redirect_uri", Is("https://app.example/cb/"), Told("invalid_grant")),
    ("redirect_uri", Is("https://APP.example/cb"), Told("invalid_grant")),
    ("code_verifier", Missing, Told("invalid_grant")),
    ("code_verifier", Empty, Told("invalid_grant")),
    ("code_verifier", Doubled, Told("invalid_request")),
    ("code_verifier", Oversized, Told("invalid_grant")),
    ("code_verifier", Is("short"), Told("invalid_grant")),
    ("code_verifier", Is("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Told("invalid_grant")),
    ("client_id", Is("another"), Told("invalid_request")),
    ("client_id", Doubled, Told("invalid_request")),
    ("client_id", Oversized, Told("invalid_request")),
    ("client_secret", Is("another"), Told("invalid_request")),
    ("client_assertion", Is("a.b.c"), Told("invalid_request")),
    ("resource", Is("https://api.example/3"), Told("invalid_target")),
    ("resource", Is("https://api.example/1/"), Told("invalid_target")),
    ("resource", Oversized, Told("invalid_target")),
];

/// RFC 6749 §5.2
#[tokio::test]
async fn a_token_request_that_is_wrong_in_one_thing() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    let asked = client.asks(&[("scope", "openid api1")]);
    let code = browser.code(&asked).await;
    for case @ (name, wrong, expected) in TOKEN {
        let mut fields = redeeming(&asked, &code);
        wrong.apply(name, &mut fields);
        let answer = posted(&server, &client, &fields).await;
        let Told(error) = expected else { panic!("{case:?}") };
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (400, &(*error).into()),
            "{case:?}: {answer:?}"
        );
        assert!(!answer.body.contains("enr_ac_A") && !answer.body.contains("evil"), "{case:?}: {answer:?}");
    }
    assert_eq!(
        posted(&server, &client, &redeeming(&asked, &code)).await.status,
        200,
        "none of these used the code up"
    );
}

fn redeeming(asked: &Asked, code: &str) -> Vec<(String, String)> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &asked.verifier),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

async fn posted(server: &Server, client: &Client, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.post_as(client, "/connect/token", &fields).await
}

/// From the very second on.
#[tokio::test]
async fn a_code_ends_when_its_client_registered_so() {
    let server = Server::new().await;
    let client = server.register(json!({ "authorization_code_lifetime": 30 })).await;
    let mut browser = server.browser();
    for (pause, status) in [(29, 200), (30, 400), (31, 400)] {
        let asked = client.asks(&[]);
        let code = browser.code(&asked).await;
        server.clock.advance(pause);
        assert_eq!(server.redeem(&client, &asked, &code).await.status, status, "{pause}");
    }
}

/// RFC 6749 §4.1.3, §5.2: nobody else's, by whatever way.
#[tokio::test]
async fn a_code_of_another_client_is_no_code_and_stays_one_for_its_own() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    for members in [json!({}), json!({ "token_endpoint_auth_method": "none" })] {
        let other = server.register(members).await;
        server.redeem(&other, &asked, &code).await.is_refused(400, "invalid_grant");
    }
    assert_eq!(server.redeem(&client, &asked, &code).await.status, 200);
}

/// How many cases there are, so that none gets lost.
#[test]
fn there_are_three_hundred_cases() {
    let here = AUTHORIZATION.len() * 2 + TOKEN.len();
    let there = crate::bad_tokens::COUNT + crate::bad_browsers::COUNT;
    assert!(here + there >= 300, "{here} and {there}");
}

/// RFC 6749 Appendix B: a client gets back the `state` that it sent, or none.
#[tokio::test]
async fn a_request_that_is_not_utf_8_is_refused() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let path = client.asks(&[("state", "")]).path();
    let answer = server.browser().get(&format!("{path}&state=%ff%fe")).await;
    answer.is_error_page("invalid_request");
    assert_eq!(answer.status, 400, "{answer:?}");
    let answer = server.browser().get(&format!("{path}&state=%C3%BC")).await;
    assert_ne!(answer.status, 400, "{answer:?}");
}
