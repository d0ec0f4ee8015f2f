//! The registration endpoint and the client configuration endpoint. RFC 7591 §3, RFC 7592 §2.

mod answer;
mod description;
mod dry_run;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use enroll_access::{AccessError, bearer_token};
use enroll_endpoint::{cors, must_not_be_announced_too_large, only, read_body};
use enroll_oauth_types::{ClientId, ClientMetadata, RegistrationAccessToken};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use metrics::counter;

use crate::Registrar;
use answer::Refusal;
pub use description::Description;

impl Registrar {
    /// The endpoints as a router: the registration endpoint under its path and its aliases, and the client
    /// configuration endpoint below it. Scripts of any origin may call them, without cookies.
    pub fn router(self) -> Router {
        let configuration = format!("{}/{{client_id}}", self.path);
        let mut router = Router::new();
        for path in std::iter::once(&self.path).chain(&self.aliases) {
            router = router.route(path, only("POST", post(register)));
        }
        router
            .route(&format!("{configuration}/secret"), only("POST", post(rotate_secret)))
            .route(&configuration, only("GET, PUT, DELETE", get(read).put(update).delete(delete)))
            .layer(cors(METHODS))
            .with_state(Arc::new(self))
    }
}

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// `POST`: registers a client. RFC 7591 §3.1.
async fn register(State(registrar): State<Arc<Registrar>>, request: Request) -> Response {
    // In a place of its own: it is large, and every layer around would move it once.
    let answer = Box::pin(admit_and_register(&registrar, request)).await;
    let answer = answer.unwrap_or_else(|refusal| refusal.into_response(&registrar.gate));
    if answer.status() != StatusCode::OK {
        // Not what a dry run told.
        counter!("enroll_registrations_total", "status" => answer.status().as_str().to_owned()).increment(1);
    }
    answer
}

async fn admit_and_register(registrar: &Registrar, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = receive(registrar, &parts, body).await?;
    let caller = registrar.gate.admit(&parts).await?;
    if dry_run::is_asked_for(&parts)? {
        // What would become of a request is work for nothing, and says how the server is set up: not for everybody.
        dry_run::must_be_known(&caller)?;
        return Ok(answer::explained(&registrar.explain_body(&body, &caller).await?));
    }
    let metadata = ClientMetadata::parse(&body, &registrar.rules().reading)?;
    let information = registrar.register(&metadata, &caller).await?;
    Ok(answer::created(&information))
}

/// A body that is JSON by its type, and not too large or too slow.
async fn receive(registrar: &Registrar, parts: &Parts, body: Body) -> Result<Bytes, Refusal> {
    must_be_json(&parts.headers)?;
    must_not_be_announced_too_large(&parts.headers)?;
    Ok(read_body(body, registrar.body_timeout).await?)
}

/// `application/json`, with parameters if need be, and not compressed: 415 otherwise. RFC 7591 §3.1, RFC 9110 §8.4.
fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let problem = "Content-Encoding: must be left out; send the JSON as it is";
        return Err(Refusal::Request(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
    }
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::Request(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type: must be application/json"))
}

/// `GET`: reads a registration. RFC 7592 §2.1.
async fn read(State(registrar): State<Arc<Registrar>>, id: ConfigurationPath, request: Request) -> Response {
    let read = async {
        let token = registration_access_token(&request.into_parts().0)?;
        Ok(answer::found(&registrar.read(&client_id(id), token).await?))
    };
    read.await.unwrap_or_else(|refusal: Refusal| refusal.into_response(&registrar.gate))
}

/// `PUT`: replaces a registration. RFC 7592 §2.2.
async fn update(
    State(registrar): State<Arc<Registrar>>,
    id: ConfigurationPath,
    request: Request,
) -> Response {
    let answer = Box::pin(authenticate_and_update(&registrar, &client_id(id), request)).await;
    answer.unwrap_or_else(|refusal| refusal.into_response(&registrar.gate))
}

async fn authenticate_and_update(
    registrar: &Registrar,
    id: &ClientId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let token = registration_access_token(&parts)?;
    // Before anything else: what is wrong with a body is its client's business.
    registrar.must_be_held(id, &token).await?;
    dry_run::must_not_be_asked_for(&parts)?;
    let body = receive(registrar, &parts, body).await?;
    Ok(answer::found(&registrar.update(id, token, &body).await?))
}

/// `DELETE`: deletes a registration. RFC 7592 §2.3.
async fn delete(
    State(registrar): State<Arc<Registrar>>,
    id: ConfigurationPath,
    request: Request,
) -> Response {
    let delete = async {
        let (parts, _) = request.into_parts();
        let token = registration_access_token(&parts)?;
        dry_run::must_not_be_asked_for(&parts)?;
        registrar.delete(&client_id(id), &token).await?;
        Ok(answer::deleted())
    };
    delete.await.unwrap_or_else(|refusal: Refusal| refusal.into_response(&registrar.gate))
}

/// `POST` to `secret` below a client: gives it another secret.
async fn rotate_secret(
    State(registrar): State<Arc<Registrar>>,
    id: ConfigurationPath,
    request: Request,
) -> Response {
    let rotate = async {
        let (parts, _) = request.into_parts();
        let token = registration_access_token(&parts)?;
        dry_run::must_not_be_asked_for(&parts)?;
        Ok(answer::found(&registrar.rotate_secret(&client_id(id), token).await?))
    };
    rotate.await.unwrap_or_else(|refusal: Refusal| refusal.into_response(&registrar.gate))
}

type ConfigurationPath = Result<Path<String>, PathRejection>;

/// What is no identifier at all is nobody's, and answered like one.
fn client_id(path: ConfigurationPath) -> ClientId {
    ClientId::from(path.map_or_else(|_| String::new(), |Path(id)| id).as_str())
}

fn registration_access_token(parts: &Parts) -> Result<RegistrationAccessToken, Refusal> {
    let token = bearer_token(parts)?.ok_or(AccessError::Missing)?;
    Ok(RegistrationAccessToken::presented(token.to_owned()))
}
