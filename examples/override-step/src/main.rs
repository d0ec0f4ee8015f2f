//! A step of the pipeline replaced, and one added: redirect URIs within our domain only, and contacts required.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use enroll::access::{Gate, policy};
use enroll::oauth_types::Capabilities;
use enroll::registration::{
    BuildError, Pipeline, Registrar, Registration, Rejection, Step, StepResult, steps,
};
use enroll::store::MemoryStore;

/// A step with something to remember is a type.
struct OnlyOurDomain {
    domain: &'static str,
}

#[async_trait]
impl Step for OnlyOurDomain {
    async fn run(&self, r: &mut Registration<'_>) -> StepResult {
        steps::redirect_uris(r)?; // the standard's rules first
        let uris = r.client.metadata.redirect_uris.iter().flatten();
        match uris.enumerate().find(|(_, uri)| !uri.host_is_within(self.domain)) {
            Some((index, _)) => {
                Err(Rejection::redirect_uri(format!("must be a host of {}", self.domain)).at(index).into())
            }
            None => Ok(()),
        }
    }
}

/// A step without is a function.
fn require_contacts(r: &mut Registration<'_>) -> StepResult {
    match r.request.contacts {
        None => Err(Rejection::metadata("contacts", "is required here").into()),
        Some(_) => Ok(()),
    }
}

fn app() -> Result<Router, BuildError> {
    let pipeline = Pipeline::standard()
        .replace(steps::REDIRECT_URIS, OnlyOurDomain { domain: "corp.example" })
        .after(steps::DISPLAY, "require_contacts", require_contacts);
    let registrar = Registrar::builder("https://id.corp.example/connect/dcr")
        .clients(Arc::new(MemoryStore::default()))
        .capabilities(Capabilities::code_and_client_credentials())
        .pipeline(pipeline)
        .gate(Gate::require(policy::open()))
        .build()?;
    Ok(registrar.router())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app()?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    async fn register(metadata: Value) -> Value {
        let request = Request::post("/connect/dcr").header("content-type", "application/json");
        let request = request.body(Body::from(metadata.to_string())).unwrap();
        let response = app().unwrap().oneshot(request).await.unwrap();
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[tokio::test]
    async fn hosts_of_others_and_missing_contacts_are_refused() {
        let foreign = register(
            json!({ "redirect_uris": ["https://evilcorp.example/"], "contacts": ["a@corp.example"] }),
        )
        .await;
        assert_eq!(foreign["error_description"], "redirect_uris[0]: must be a host of corp.example");
        let silent = register(json!({ "redirect_uris": ["https://app.corp.example/"] })).await;
        assert_eq!(silent["error_description"], "contacts: is required here");
    }

    #[tokio::test]
    async fn our_own_clients_register() {
        let ours = json!({ "redirect_uris": ["https://app.corp.example/"], "contacts": ["a@corp.example"] });
        assert!(register(ours).await.get("client_id").is_some());
    }
}
