//! The body of a request: JSON, of limited size.

use std::time::Duration;

use axum::body::{Body, Bytes};
use enroll_oauth_types::ClientMetadata;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use super::answer::Refusal;

/// The largest body, in bytes.
const LARGEST: usize = ClientMetadata::LARGEST_BODY;

/// How much of a larger one is read and thrown away, so that its sender gets to read the answer.
const MOST_DRAINED: usize = 1024 * 1024;

/// `application/json`, with parameters if need be, and not compressed: 415 otherwise. RFC 7591 §3.1, RFC 9110 §8.4.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
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

const TOO_LARGE: Refusal = Refusal::Request(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB");

/// Refuses a body by its announced length, where its sender waits to be asked for it or would send far too much.
/// RFC 9110 §10.1.1.
pub(super) fn must_not_be_announced_too_large(headers: &HeaderMap) -> Result<(), Refusal> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let most = if headers.contains_key(header::EXPECT) { LARGEST } else { MOST_DRAINED };
    if length.is_some_and(|length: usize| length > most) { Err(TOO_LARGE) } else { Ok(()) }
}

/// The whole body: 413 when it is too large, 408 when it does not come within `longest`.
pub(super) async fn read(body: Body, longest: Duration) -> Result<Bytes, Refusal> {
    let received = tokio::time::timeout(longest, receive(body)).await;
    received.unwrap_or(Err(Refusal::Request(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")))
}

async fn receive(mut body: Body) -> Result<Bytes, Refusal> {
    let mut received = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::Request(StatusCode::BAD_REQUEST, "the body did not arrive whole, or is framed wrong")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= LARGEST {
            received.extend_from_slice(&data);
        } else if length > MOST_DRAINED {
            break;
        }
    }
    if length > LARGEST {
        return Err(TOO_LARGE);
    }
    Ok(received.into())
}
