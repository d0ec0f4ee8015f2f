//! Many requests, one behaviour each: a file a case in `cases/`, whose `README.md` says how to read and add one.

use std::fs;
use std::path::Path;

use enroll_access::{Gate, Policy as _, Terms, policy};
use enroll_oauth_types::Capabilities;
use enroll_registration::Rules;
use enroll_testkit::{Answer, SCOPES, TestApp, as_update};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(skip)]
    path: String,
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "section", default)]
    _section: String,
    #[serde(default)]
    server: Kind,
    pub(crate) request: Option<Value>,
    raw: Option<Raw>,
    accepted: Option<Accepted>,
    refused: Option<Refused>,
}

/// The server that a case is sent to.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Mends what it can, and grants nothing special: what a server is by default.
    #[default]
    Open,
    /// Mends nothing.
    Strict,
    /// Supports and grants everything.
    Full,
    /// Judges as the profile `duende` does.
    Duende,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    #[serde(default)]
    response: Map<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    member: String,
    #[serde(default = "bad_request")]
    status: u16,
    #[serde(default = "invalid_client_metadata")]
    error: String,
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

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: path.display().to_string(), ..case }
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    fn body(&self) -> Vec<u8> {
        match (&self.request, &self.raw) {
            (Some(request), None) => request.to_string().into_bytes(),
            (None, Some(Raw::Text(text))) => text.clone().into_bytes(),
            (None, Some(Raw::Parts(parts))) => parts.iter().flat_map(Part::bytes).collect(),
            _ => panic!("{}: a case has either a request or raw text", self.path),
        }
    }
}

/// Every file of every folder, in the order of their names.
pub(crate) fn all() -> Vec<Case> {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let members = entries(&root).filter(|path| path.is_dir());
    let mut paths: Vec<_> = members.flat_map(|member| entries(&member).collect::<Vec<_>>()).collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

impl Kind {
    fn app(self) -> TestApp {
        match self {
            Self::Open => TestApp::open(),
            Self::Strict => {
                TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(Rules::strict()))
            }
            Self::Duende => {
                TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(Rules::duende()))
            }
            Self::Full => TestApp::build(|builder| {
                let granting = policy::open().on(Terms::unrestricted());
                builder.gate(Gate::require(granting)).capabilities(everything())
            }),
        }
    }
}

/// A server that can do everything.
pub(crate) fn everything() -> Capabilities {
    let mut capabilities = Capabilities::code_and_client_credentials().with_scopes(SCOPES);
    capabilities.grant_types.push("urn:openid:params:grant-type:ciba".into());
    capabilities.response_modes.push("jwt".to_owned());
    capabilities.encryption_algs = vec!["ECDH-ES".into()];
    capabilities.encryption_encs = vec!["A128CBC-HS256".into(), "A256GCM".into()];
    capabilities.request_object_encryption_algs = capabilities.encryption_algs.clone();
    capabilities.request_object_encryption_encs = capabilities.encryption_encs.clone();
    capabilities.acr_values = vec!["urn:example:gold".to_owned()];
    capabilities.authorization_details_types = vec!["payment_initiation".to_owned()];
    capabilities
}

/// The servers of the cases.
struct Apps {
    open: TestApp,
    strict: TestApp,
    full: TestApp,
    duende: TestApp,
}

impl Apps {
    fn new() -> Self {
        Self {
            open: Kind::Open.app(),
            strict: Kind::Strict.app(),
            full: Kind::Full.app(),
            duende: Kind::Duende.app(),
        }
    }

    fn of(&self, case: &Case) -> &TestApp {
        match case.server {
            Kind::Open => &self.open,
            Kind::Strict => &self.strict,
            Kind::Full => &self.full,
            Kind::Duende => &self.duende,
        }
    }
}

impl Refused {
    /// RFC 7591 §3.2.2
    fn is(&self, answer: &Answer) -> bool {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let description = body["error_description"].as_str().unwrap_or_default();
        let names_it = match self.member.as_str() {
            "" => !description.is_empty(),
            member => description.starts_with(&format!("{member}: ")),
        };
        answer.status == self.status && body["error"] == *self.error && names_it
    }
}

impl Accepted {
    /// RFC 7591 §3.2.1
    fn is(&self, answer: &Answer) -> bool {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        answer.status == 201
            && self.response.iter().all(|(name, value)| body.get(name) == Some(value))
            && self.absent.iter().all(|name| body.get(name).is_none())
    }
}

#[tokio::test]
async fn every_refused_case_is_refused_by_name_and_leaves_nothing() {
    let apps = Apps::new();
    let mut wrong = Vec::new();
    for case in all() {
        let Some(refused) = &case.refused else { continue };
        let answer = apps.of(&case).anonymous().register_bytes(case.body()).await;
        if !refused.is(&answer) {
            wrong.push(format!("{}\n  {} {}", case.path, answer.status, answer.body));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    for app in [&apps.open, &apps.strict, &apps.full, &apps.duende] {
        assert_eq!(app.clients().await, 0);
    }
}

/// RFC 7592 §2.2: what was answered, less what only the server says, changes nothing.
#[tokio::test]
async fn every_accepted_case_is_answered_as_it_says_and_may_be_sent_back() {
    let apps = Apps::new();
    let mut wrong = Vec::new();
    for case in all() {
        let Some(accepted) = &case.accepted else { continue };
        let app = apps.of(&case);
        let answer = app.anonymous().register_bytes(case.body()).await;
        if !accepted.is(&answer) {
            wrong.push(format!("{}\n  {} {}", case.path, answer.status, answer.body));
            continue;
        }
        let body = answer.json();
        if case.server == Kind::Duende {
            assert!(body.get("registration_access_token").is_none(), "{}", case.path);
            continue;
        }
        let owner = app.bearer(body["registration_access_token"].as_str().unwrap());
        let uri = body["registration_client_uri"].as_str().unwrap();
        let before = as_update(&owner.read(uri).await.json());
        let updated = owner.update(uri, &as_update(&body)).await;
        let told = [as_update(&updated.json()), as_update(&owner.read(uri).await.json())];
        if updated.status != 200 || told.iter().any(|told| *told != before) {
            wrong.push(format!("{}, sent back\n  {} {}", case.path, updated.status, updated.body));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
