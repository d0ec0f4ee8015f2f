//! An MCP server that lets in whom Enroll gave a token for it. MCP authorization; RFC 9728, RFC 9068.
//!
//! ```text
//! cargo run --release -- serve --dev      # Enroll, at http://127.0.0.1:5001
//! cargo run -p example-mcp-server         # this, at http://127.0.0.1:3000/mcp
//! ```
//!
//! Point any MCP client at it: it is told where to go, registers there, lets you log in, and comes back with a token.
//! `--dev` knows every loopback address as a resource of the scope `mcp:tools`; elsewhere `enroll.toml` says so:
//!
//! ```toml
//! [[scopes]]
//! name = "mcp:tools"
//! dynamic = "default"
//!
//! [[resources]]
//! identifier = "https://mcp.example/mcp"
//! scopes = ["mcp:tools"]
//! ```

mod tools;

use std::io::Write as _;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use clap::Parser;
use enroll::access::{AccessError, BearerJwt, Gate, policy};
use enroll::oauth_types::SystemClock;
use enroll::outbound::{Limits, Outbound};
use http::{Uri, header};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;

use tools::Tools;

type Failure = Box<dyn std::error::Error>;

/// What a token must allow.
const SCOPE: &str = "mcp:tools";

#[derive(Parser)]
struct Options {
    /// Who issues the tokens.
    #[arg(long, default_value = "http://127.0.0.1:5001")]
    issuer: String,
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// The address that clients know, which is the `aud` of the tokens; by default the path `/mcp` where it listens.
    #[arg(long)]
    resource: Option<Uri>,
}

fn app(issuer: &str, resource: &Uri, outbound: Outbound) -> Result<Router, Failure> {
    let (Some(scheme), Some(host)) = (resource.scheme_str(), resource.host()) else {
        return Err("resource: must be an absolute URL".into());
    };
    // RFC 9728 §3.1: between the host and the path.
    let metadata_path =
        format!("/.well-known/oauth-protected-resource{}", resource.path().trim_end_matches('/'));
    let authority = resource.authority().map_or(host, |authority| authority.as_str());

    let tokens = BearerJwt::issued_by(issuer)
        .for_audience(resource.to_string())
        .require_type()
        .with_discovery(outbound)?;
    let gate = Gate::require(policy::scope(SCOPE))
        .authenticate(tokens)
        .realm("mcp")
        .resource_metadata(format!("{scheme}://{authority}{metadata_path}"));

    // RFC 9728 §2
    let metadata = Json(json!({
        "resource": resource.to_string(),
        "authorization_servers": [issuer],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
        "resource_name": "An MCP server",
    }));

    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts([host])
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let mcp = StreamableHttpService::new(|| Ok(Tools), Arc::new(NeverSessionManager::default()), config);
    Ok(Router::new()
        .route_service(resource.path(), mcp)
        .route_layer(from_fn_with_state(Arc::new(gate), guard))
        .route(&metadata_path, get(async move || metadata.clone())))
}

/// Lets a request pass, with its caller as an extension, or says what is needed.
async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match gate.admit(&parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => refused(&gate, &error),
    }
}

/// RFC 6750 §3
fn refused(gate: &Gate, error: &AccessError) -> Response {
    let body = json!({ "error": error.code().as_str(), "error_description": error.to_string() });
    let mut response = (error.status(), Json(body)).into_response();
    if let Some(challenge) = gate.challenge(error) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let listener = TcpListener::bind(&options.listen).await?;
    let resource = match options.resource {
        Some(resource) => resource,
        None => format!("http://{}/mcp", listener.local_addr()?).parse()?,
    };
    // The issuer is ours, and may be on this machine or in this network.
    let outbound = Outbound::builder(Arc::new(SystemClock), Limits::default()).insecure_allow_private();
    let app = app(&options.issuer, &resource, outbound.build()?)?;
    writeln!(std::io::stdout(), "ready {resource}")?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
