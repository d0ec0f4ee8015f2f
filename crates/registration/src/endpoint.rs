//! The registration endpoint and the client configuration endpoint. RFC 7591 §3, RFC 7592 §2.

mod answer;
mod body;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use enroll_access::{AccessError, bearer_token};
use enroll_oauth_types::{ClientId, ClientMetadata, ErrorCode, RegistrationAccessToken};
use http::{HeaderName, Method, StatusCode, header};
use metrics::counter;
use tower_http::cors::{AllowMethods, AllowOrigin, CorsLayer};

use crate::Registrar;
use answer::Refusal;
pub use answer::error_response;

impl Registrar {
    /// The endpoints as a router: the registration endpoint under its path and its aliases, and the client
    /// configuration endpoint below it. Scripts of any origin may call them, without cookies.
    pub fn router(self) -> Router {
        let configuration = format!("{}/{{client_id}}", self.path);
        let mut router = Router::new();
        for path in std::iter::once(&self.path).chain(&self.aliases) {
            router = router.route(path, only("POST", post(register)));
        }
        router.route(&configuration, only("GET", get(read))).layer(cors(METHODS)).with_state(Arc::new(self))
    }
}

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// `POST`: registers a client. RFC 7591 §3.1.
async fn register(State(registrar): State<Arc<Registrar>>, request: Request) -> Response {
    // In a place of its own: it is large, and every layer around would move it once.
    let answer = Box::pin(admit_and_register(&registrar, request)).await;
    let answer = answer.unwrap_or_else(|refusal| refusal.into_response(&registrar.gate));
    counter!("enroll_registrations_total", "status" => answer.status().as_str().to_owned()).increment(1);
    answer
}

async fn admit_and_register(registrar: &Registrar, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    body::must_be_json(&parts.headers)?;
    body::must_not_be_announced_too_large(&parts.headers)?;
    let body = body::read(body, registrar.body_timeout).await?;
    let caller = registrar.gate.admit(&parts).await?;
    let metadata = ClientMetadata::parse(&body, &registrar.rules().reading)?;
    let information = registrar.register(&metadata, &caller).await?;
    Ok(answer::created(&information))
}

/// `GET`: reads a registration. RFC 7592 §2.1.
async fn read(
    State(registrar): State<Arc<Registrar>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let id = path.map_or_else(|_| String::new(), |Path(id)| id);
    let answer = authenticate_and_read(&registrar, &ClientId::from(id.as_str()), request).await;
    answer.unwrap_or_else(|refusal| refusal.into_response(&registrar.gate))
}

async fn authenticate_and_read(
    registrar: &Registrar,
    id: &ClientId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let token = bearer_token(&parts)?.ok_or(AccessError::Missing)?;
    let token = RegistrationAccessToken::presented(token.to_owned());
    match registrar.read(id, token).await? {
        Some(information) => Ok(answer::found(&information)),
        None => {
            Err(AccessError::InvalidToken("the registration access token is not valid for this client")
                .into())
        }
    }
}

/// These methods, and 405 in JSON for every other. RFC 9110 §15.5.6.
fn only(allowed: &'static str, methods: MethodRouter<Arc<Registrar>>) -> MethodRouter<Arc<Registrar>> {
    methods.fallback(move |method: Method| async move {
        let description = format!("{method} is not allowed here; use {allowed}");
        let mut response =
            error_response(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest, &description);
        response.headers_mut().insert(header::ALLOW, http::HeaderValue::from_static(allowed));
        response
    })
}

/// What scripts of any origin may do with these methods: send what clients send, read what clients need, and never with
/// the cookies of whoever runs them.
pub fn cors(methods: impl Into<AllowMethods>) -> CorsLayer {
    let custom = HeaderName::from_static;
    let sent = [header::AUTHORIZATION, header::CONTENT_TYPE, custom("dpop"), custom("mcp-protocol-version")];
    let read = [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::LOCATION, custom("dpop-nonce")];
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods(methods)
        .allow_headers(sent)
        .expose_headers(read)
        .max_age(std::time::Duration::from_hours(1))
}
