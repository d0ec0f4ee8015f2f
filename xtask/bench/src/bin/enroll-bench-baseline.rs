//! What a registration costs without Enroll: axum parses the same body and answers the same members, and neither
//! judges nor stores anything.
//!
//! It prints `ready URL`, as the server does.

#![allow(clippy::print_stdout)] // The line is how the benchmark learns the port.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value};

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
    Router::new().route("/connect/dcr", post(register)).with_state(url)
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
