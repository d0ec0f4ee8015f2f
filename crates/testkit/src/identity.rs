//! Somebody who calls the app.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::described::Described;

/// A caller with its credential.
pub struct Identity {
    router: Router,
    described: Arc<Described>,
    authorization: Option<String>,
}

/// What the app answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// A header as text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Identity {
    pub(crate) fn new(router: Router, described: Arc<Described>, authorization: Option<String>) -> Self {
        Self { router, described, authorization }
    }

    /// Registers a client.
    pub async fn register(&self, metadata: Value) -> Answer {
        self.register_bytes(metadata.to_string().into_bytes()).await
    }

    /// Registers whatever these bytes are.
    pub async fn register_bytes(&self, body: Vec<u8>) -> Answer {
        let request = Request::post("/connect/dcr").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body)).expect("the request is well formed")).await
    }

    /// Reads a registration.
    pub async fn read(&self, registration_client_uri: &str) -> Answer {
        let path = registration_client_uri.trim_start_matches("https://id.example");
        self.send(Request::get(path).body(Body::empty()).expect("the request is well formed")).await
    }

    /// Replaces a registration.
    pub async fn update(&self, registration_client_uri: &str, metadata: &Value) -> Answer {
        let path = registration_client_uri.trim_start_matches("https://id.example");
        let request = Request::put(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(metadata.to_string())).expect("the request is well formed")).await
    }

    /// Deletes a registration.
    pub async fn delete(&self, registration_client_uri: &str) -> Answer {
        let path = registration_client_uri.trim_start_matches("https://id.example");
        self.send(Request::delete(path).body(Body::empty()).expect("the request is well formed")).await
    }

    /// Sends any request, with the credential. Fails when the answer, or the request if it is accepted, is not as the app
    /// describes it.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let method = request.method().clone();
        if let Some(authorization) = &self.authorization {
            let value = authorization.parse().expect("a credential is a header value");
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let (parts, body) = request.into_parts();
        // A body that breaks off is sent as it is; it is not accepted.
        let (sent, body) = match body.size_hint().exact() {
            Some(_) => {
                let sent = body.collect().await.expect("the body is in memory").to_bytes();
                (sent.clone(), Body::from(sent))
            }
            None => (Bytes::new(), body),
        };
        let Ok(response) = self.router.clone().oneshot(Request::from_parts(parts, body)).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is in memory").to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("answers are UTF-8"),
        };
        self.described.check(&method, &sent, &answer);
        answer
    }
}

/// What a client sends to keep its registration: what it was told, less what only the server says. RFC 7592 §2.2.
pub fn as_update(told: &Value) -> Value {
    let mut body = told.clone();
    let members = body.as_object_mut().expect("an answer is an object");
    for never_sent in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        members.shift_remove(never_sent);
    }
    body
}
