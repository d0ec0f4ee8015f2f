//! What a registration and a token cost without Enroll: axum parses the same body and answers the same members, or signs
//! the same claims, and neither judges nor stores anything.
//!
//! It prints `ready URL`, as the server does.

#![allow(clippy::print_stdout)] // The line is how the benchmark learns the port.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use enroll_bench::claims;
use enroll_jose::{SigningAlgorithm, SigningKey};
use serde_json::{Map, Value, json};

const CLIENT_ID: &str = "0198f3c2-7b1e-7c55-a1b2-3c4d5e6f7a8b";
const SECRET: &str = "enr_cs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const TOKEN: &str = "enr_rat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("ready {url}");
    axum::serve(listener, app(url)).await
}

fn app(url: String) -> Router {
    let key = Arc::new(SigningKey::generate(SigningAlgorithm::Es256));
    Router::new()
        .route("/connect/dcr", post(register).with_state(url))
        .route("/connect/token", post(token).with_state(key))
}

/// A token for whoever asks. RFC 6749 §5.1.
async fn token(State(key): State<Arc<SigningKey>>, form: Bytes) -> impl IntoResponse {
    let is_asked = form.starts_with(b"grant_type=client_credentials&");
    let token = is_asked.then(|| key.sign_jwt(Some("at+jwt"), &claims()));
    match token {
        Some(Ok(token)) => Ok((
            [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")],
            Json(
                json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "api1" }),
            ),
        )),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

async fn register(
    State(url): State<String>,
    Json(mut client): Json<Map<String, Value>>,
) -> impl IntoResponse {
    let location = format!("{url}/connect/dcr/{CLIENT_ID}");
    for (member, value) in [
        ("client_id", Value::from(CLIENT_ID)),
        ("client_id_issued_at", 1_767_225_600.into()),
        ("client_secret", SECRET.into()),
        ("client_secret_expires_at", 0.into()),
        ("registration_client_uri", location.as_str().into()),
        ("registration_access_token", TOKEN.into()),
    ] {
        client.insert(member.to_owned(), value);
    }
    let headers: [(HeaderName, String); 3] = [
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::PRAGMA, "no-cache".to_owned()),
        (header::LOCATION, location),
    ];
    (StatusCode::CREATED, headers, Json(client))
}
