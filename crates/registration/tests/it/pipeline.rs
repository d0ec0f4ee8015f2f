//! Steps replaced, added and removed.

use std::sync::Arc;

use async_trait::async_trait;
use enroll_access::{Caller, Gate, Terms, policy};
use enroll_oauth_types::{Capabilities, ClientMetadata};
use enroll_registration::{Outcome, Pipeline, Registrar, Registration, Rejection, Step, StepResult, steps};
use enroll_store::{ClientStore as _, MemoryStore, Page};
use enroll_testkit::TestApp;
use serde_json::{Value, json};

struct OnlyOurDomains {
    domain: &'static str,
}

#[async_trait]
impl Step for OnlyOurDomains {
    async fn run(&self, r: &mut Registration<'_>) -> StepResult {
        steps::redirect_uris(r)?;
        match r.client.metadata.redirect_uris.iter().flatten().find(|uri| !uri.host_is_within(self.domain)) {
            Some(uri) => {
                Err(Rejection::redirect_uri(format!("`{uri}` is outside of {}", self.domain)).into())
            }
            None => Ok(()),
        }
    }
}

fn require_contacts(r: &mut Registration<'_>) -> StepResult {
    match r.request.contacts {
        None => Err(Rejection::metadata("contacts", "is required here").into()),
        Some(_) => Ok(()),
    }
}

fn app(pipeline: Pipeline) -> TestApp {
    TestApp::build(|builder| builder.gate(Gate::require(policy::open())).pipeline(pipeline))
}

fn metadata(json: Value) -> ClientMetadata {
    json.try_into().unwrap()
}

#[tokio::test]
async fn a_replaced_step_may_build_on_the_standard_one() {
    let app =
        app(Pipeline::standard().replace(steps::REDIRECT_URIS, OnlyOurDomains { domain: "corp.example" }));
    assert_eq!(
        app.anonymous().register(json!({ "redirect_uris": ["https://a.corp.example/"] })).await.status,
        201
    );
    for bad in ["https://evilcorp.example/", "https://corp.example.evil.example/", "https://a.corp.example/#"]
    {
        let answer = app.anonymous().register(json!({ "redirect_uris": [bad] })).await;
        assert_eq!(answer.json()["error"], "invalid_redirect_uri", "{bad}");
    }
}

#[tokio::test]
async fn an_added_step_refuses_in_its_own_words() {
    let app = app(Pipeline::standard().after(steps::SOFTWARE, "contacts", require_contacts));
    let answer = app.anonymous().register(json!({ "redirect_uris": ["https://app.example/cb"] })).await;
    assert_eq!(answer.json()["error_description"], "contacts: is required here");
}

#[tokio::test]
async fn a_removed_step_takes_its_members_along() {
    let metadata =
        json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App", "software_id": "x" });
    let body = app(Pipeline::standard().remove(steps::SOFTWARE)).anonymous().register(metadata).await.json();
    assert_eq!((body.get("software_id"), body["client_name"].as_str()), (None, Some("App")));
}

#[test]
#[should_panic(
    expected = "the pipeline has no step `redirects`; it has: compatibility, choices, software, grant_types"
)]
fn a_wrong_name_is_told_with_the_right_ones() {
    let _pipeline = Pipeline::standard().remove("redirects");
}

#[test]
#[should_panic(expected = "the pipeline has a step `scope` already")]
fn no_name_is_given_twice() {
    let _pipeline = Pipeline::standard().push(steps::SCOPE, require_contacts);
}

#[tokio::test]
async fn the_operator_registers_through_the_same_pipeline_without_http() {
    let registrar = Registrar::builder("https://id.example/connect/dcr")
        .clients(Arc::new(MemoryStore::default()))
        .capabilities(Capabilities::code_and_client_credentials())
        .gate(Gate::require(policy::open()))
        .build()
        .unwrap();
    let good = metadata(json!({ "redirect_uris": ["https://app.example/cb"], "require_consent": false }));
    let information = registrar.register(&good, &Caller::operator("cli")).await.unwrap();
    assert_eq!(information.metadata().require_consent, Some(false));
    assert_eq!(information.client.registered_by.kind, "operator");
    let bad = metadata(json!({ "redirect_uris": ["javascript:x"] }));
    assert!(registrar.register(&bad, &Caller::operator("cli")).await.is_err());
}

#[tokio::test]
async fn a_dry_run_tells_each_step_and_stores_nothing() {
    let store = Arc::new(MemoryStore::default());
    let registrar = Registrar::builder("https://id.example/connect/dcr")
        .clients(store.clone())
        .capabilities(Capabilities::code_and_client_credentials())
        .gate(Gate::require(policy::open()))
        .build()
        .unwrap();
    let caller = Caller::anonymous();
    let good = metadata(json!({ "redirect_uris": ["https://app.example/cb"] }));
    let report = registrar.explain(&good, &caller).await.unwrap();
    assert!(report.steps.iter().all(|step| step.outcome == Outcome::Passed));
    assert_eq!(report.effective.unwrap().token_endpoint_auth_method.unwrap().as_str(), "client_secret_basic");

    let bad = metadata(json!({ "redirect_uris": ["https://app.example/cb"], "scope": "\u{e9}" }));
    let report = registrar.explain(&bad, &caller).await.unwrap();
    assert_eq!(report.refusal().unwrap().member, "scope");
    assert_eq!(report.steps.last().unwrap().outcome, Outcome::NotReached);
    assert!(store.list(Page { after: None, limit: 1 }).await.unwrap().is_empty());
}

/// RFC 7591 §2: the server may give defaults.
#[tokio::test]
async fn what_the_client_sends_lies_on_top_of_the_policys_template() {
    let template = metadata(
        json!({ "client_name": "Unnamed", "contacts": ["ci@corp.example"], "access_token_lifetime": 60 }),
    );
    let terms = Terms { template, ..Terms::default() };
    let app =
        TestApp::build(|builder| builder.gate(Gate::require(policy::Policy::on(policy::open(), terms))));
    let body = app
        .anonymous()
        .register(json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App" }))
        .await
        .json();
    assert_eq!((&body["client_name"], &body["contacts"]), (&json!("App"), &json!(["ci@corp.example"])));
    assert_eq!(body["access_token_lifetime"], 60);
}
