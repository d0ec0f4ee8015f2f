//! The registration endpoint in an axum app of your own.
//!
//! `cargo run -p example-embed`, then register a client at <http://127.0.0.1:3000/connect/dcr>.

use std::sync::Arc;

use axum::{Router, routing::get};
use enroll::access::{Gate, policy};
use enroll::oauth_types::Capabilities;
use enroll::registration::{BuildError, Registrar};
use enroll::store::{ClientStore, MemoryStore};

fn app(clients: Arc<dyn ClientStore>) -> Result<Router, BuildError> {
    let registrar = Registrar::builder("http://127.0.0.1:3000/connect/dcr")
        .clients(clients)
        .capabilities(Capabilities::code_and_client_credentials().with_scopes(["openid", "api1"]))
        .gate(Gate::require(policy::open()))
        .build()?;
    Ok(Router::new().route("/", get(|| async { "home" })).merge(registrar.router()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(Arc::new(MemoryStore::default()))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_registers_beside_the_apps_own_pages() {
        let app = app(Arc::new(MemoryStore::default())).unwrap();
        let home = app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(home.status(), StatusCode::OK);

        let body =
            r#"{ "redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none" }"#;
        let request =
            Request::post("/connect/dcr").header("content-type", "application/json").body(Body::from(body));
        let registered = app.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(registered.status(), StatusCode::CREATED);
    }
}
