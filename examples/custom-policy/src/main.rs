//! Who may register, decided by a policy of your own: tenants with a contract, in office hours, each on its terms.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use enroll::access::policy::Policy as _;
use enroll::access::{
    AccessError, Authenticate, Caller, Credential, Decision, Denial, Gate, Terms, bearer_token, policy,
};
use enroll::oauth_types::{Capabilities, Clock, SystemClock};
use enroll::registration::{BuildError, Registrar};
use enroll::store::MemoryStore;
use http::request::Parts;

/// A policy is a closure or a type; it reads the verified caller.
fn tenant(contracts: &'static [&'static str]) -> impl policy::Policy {
    move |caller: &Caller, _: &Parts| match caller.claims.get("tenant").and_then(|tenant| tenant.as_str()) {
        Some(tenant) if contracts.contains(&tenant) => Decision::allow(),
        Some(_) => Decision::forbid("this tenant has no contract"),
        None => Decision::Deny(Denial::Unauthenticated),
    }
}

fn office_hours(clock: Arc<dyn Clock>) -> impl policy::Policy {
    move |_: &Caller, _: &Parts| match clock.now().seconds() / 3600 % 24 {
        7..17 => Decision::allow(),
        _ => Decision::forbid("come back between 07:00 and 17:00 UTC"),
    }
}

fn app(tenants: impl Authenticate, clock: Arc<dyn Clock>) -> Result<Router, BuildError> {
    let terms = Terms { allowed_scopes: Some(vec!["api1".to_owned()]), ..Terms::default() };
    let gate = Gate::require(tenant(&["acme"]).on(terms).and(office_hours(clock))).authenticate(tenants);
    let registrar = Registrar::builder("http://127.0.0.1:3000/connect/dcr")
        .clients(Arc::new(MemoryStore::default()))
        .capabilities(Capabilities::code_and_client_credentials().with_scopes(["api1", "api2"]))
        .gate(gate)
        .build()?;
    Ok(registrar.router())
}

/// An authenticator of your own: each tenant has a key.
struct Keys(&'static [(&'static str, &'static str)]);

#[async_trait]
impl Authenticate for Keys {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
        let Some(presented) = bearer_token(parts)? else { return Ok(None) };
        let Some((_, tenant)) = self.0.iter().find(|(key, _)| *key == presented) else { return Ok(None) };
        let mut caller = Caller::new(Credential::Other("tenant_key"));
        caller.subject = Some((*tenant).to_owned());
        caller.claims.insert("tenant".to_owned(), (*tenant).into());
        Ok(Some(caller))
    }
}

const KEYS: Keys = Keys(&[("key-of-acme", "acme"), ("key-of-zeta", "zeta")]);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app(KEYS, Arc::new(SystemClock))?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use enroll::oauth_types::Timestamp;
    use http::Request;
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    struct Hour(u64);

    impl Clock for Hour {
        fn now(&self) -> Timestamp {
            Timestamp(self.0 * 3600)
        }
    }

    async fn register(key: Option<&str>, hour: u64) -> (u16, Value) {
        let body = r#"{ "redirect_uris": ["https://app.example/cb"], "scope": "api1 api2" }"#;
        let mut request = Request::post("/connect/dcr").header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let app = app(KEYS, Arc::new(Hour(hour))).unwrap();
        let response = app.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_tenant_with_a_contract_registers_on_its_terms() {
        let (status, body) = register(Some("key-of-acme"), 12).await;
        assert_eq!((status, body["scope"].as_str()), (201, Some("api1")));
    }

    #[tokio::test]
    async fn everybody_else_is_turned_away() {
        for (key, hour, status) in [
            (None, 12, 401),
            (Some("wrong"), 12, 401),
            (Some("key-of-zeta"), 12, 403),
            (Some("key-of-acme"), 3, 403),
        ] {
            assert_eq!(register(key, hour).await.0, status, "{key:?} at {hour}");
        }
    }
}
