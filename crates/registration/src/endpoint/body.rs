//! The body of a request: JSON, of limited size.

use axum::body::{Body, Bytes};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use super::answer::Refusal;

/// The largest body, in bytes.
const LARGEST: usize = 64 * 1024;

/// How much of a larger one is read and thrown away, so that its sender gets to read the answer.
const MOST_DRAINED: usize = 1024 * 1024;

/// `application/json`, with parameters if need be: 415 otherwise. RFC 7591 §3.1.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::Request(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type: must be application/json"))
}

/// The whole body: 413 when it is too large, 408 when it does not come.
pub(super) async fn read(mut body: Body) -> Result<Bytes, Refusal> {
    let mut received = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::Request(StatusCode::REQUEST_TIMEOUT, "the body did not arrive whole, or not in time")
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
        return Err(Refusal::Request(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB"));
    }
    Ok(received.into())
}
