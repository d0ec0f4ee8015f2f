//! Many requests, one behaviour each: the files in `cases/`.
//!
//! A refused case is `{"name", "member", "request" or "raw", "status", "error", "strict"}`: the answer is a JSON error
//! whose description begins with the member (or names nothing when the body as a whole is wrong), and nothing is
//! stored. `raw` is text, or a list of text, `{"repeat", "times"}` and `{"bytes"}` in hexadecimal digits. An accepted
//! case is `{"name", "request", "response", "absent"}`: each member of `response` is answered like that, those in
//! `absent` are not.

use enroll_access::{Gate, policy};
use enroll_registration::Rules;
use enroll_testkit::{TestApp, as_update};
use serde::Deserialize;
use serde_json::{Map, Value};

macro_rules! case_files {
    ($kind:literal: $($file:ident),* $(,)?) => {
        [$((stringify!($file), include_str!(concat!("cases/", $kind, "_", stringify!($file), ".json")))),*]
    };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    name: String,
    member: String,
    request: Option<Value>,
    raw: Option<Raw>,
    #[serde(default = "bad_request")]
    status: u16,
    #[serde(default = "invalid_client_metadata")]
    error: String,
    #[serde(default)]
    strict: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Text(String),
    Repeat { repeat: String, times: usize },
    Bytes { bytes: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    name: String,
    request: Value,
    #[serde(default)]
    response: Map<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
}

fn bad_request() -> u16 {
    400
}

fn invalid_client_metadata() -> String {
    "invalid_client_metadata".to_owned()
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Repeat { repeat, times } => repeat.repeat(*times).into_bytes(),
            Self::Bytes { bytes } => {
                let digits: Vec<char> = bytes.chars().collect();
                let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
                digits.chunks(2).map(|pair| byte(pair).expect("hexadecimal digits")).collect()
            }
        }
    }
}

impl Refused {
    fn body(&self) -> Vec<u8> {
        match (&self.request, &self.raw) {
            (Some(request), None) => request.to_string().into_bytes(),
            (None, Some(Raw::Text(text))) => text.clone().into_bytes(),
            (None, Some(Raw::Parts(parts))) => parts.iter().flat_map(Part::bytes).collect(),
            _ => panic!("{}: a case has either a request or raw text", self.name),
        }
    }
}

fn strict_app() -> TestApp {
    TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(Rules::strict()))
}

#[tokio::test]
async fn every_refused_case_is_refused_by_name_and_leaves_nothing() {
    let (lenient, strict) = (TestApp::open(), strict_app());
    let mut wrong = Vec::new();
    for (file, text) in case_files!("refused": authentication, body, grants, keys, lifetimes, names, other_uris,
        redirect_uris, requests, scope, signing, strict, types, types_strict)
    {
        for case in serde_json::from_str::<Vec<Refused>>(text).expect(file) {
            let app = if case.strict { &strict } else { &lenient };
            let answer = app.anonymous().register_bytes(case.body()).await;
            let expected = (case.status, case.error.as_str(), true);
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let description = body["error_description"].as_str().unwrap_or_default();
            let about = match case.member.as_str() {
                "" => !description.is_empty(),
                member => description.starts_with(&format!("{member}: ")),
            };
            let error = body["error"].as_str().unwrap_or_default();
            if (answer.status.as_u16(), error, about) != expected {
                wrong.push(format!("{file}: {}\n  {} {}", case.name, answer.status, answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((lenient.clients().await, strict.clients().await), (0, 0));
}

/// RFC 7592 §2.2: what was answered, less what only the server says, changes nothing.
#[tokio::test]
async fn every_accepted_case_is_answered_as_it_says_and_may_be_sent_back() {
    let app = TestApp::open();
    let mut wrong = Vec::new();
    for (file, text) in case_files!("accepted": lenient, members, native, real_clients, web) {
        for case in serde_json::from_str::<Vec<Accepted>>(text).expect(file) {
            let answer = app.anonymous().register(case.request).await;
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let differs = case.response.iter().any(|(name, value)| body.get(name) != Some(value));
            let extra = case.absent.iter().any(|name| body.get(name).is_some());
            if answer.status != 201 || differs || extra {
                wrong.push(format!("{file}: {}\n  {} {}", case.name, answer.status, answer.body));
                continue;
            }
            let owner = app.bearer(body["registration_access_token"].as_str().unwrap());
            let uri = body["registration_client_uri"].as_str().unwrap();
            let before = as_update(&owner.read(uri).await.json());
            let updated = owner.update(uri, &as_update(&body)).await;
            let told = [as_update(&updated.json()), as_update(&owner.read(uri).await.json())];
            if updated.status != 200 || told.iter().any(|told| *told != before) {
                wrong
                    .push(format!("{file}: {}, sent back\n  {} {}", case.name, updated.status, updated.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
