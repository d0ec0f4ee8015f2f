//! One fetch that goes out.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, Response};

use crate::cache::lifetime;
use crate::target::Target;
use crate::{FetchError, Limits, Media};

/// What a host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The media type without its parameters, in lower case.
    pub media_type: String,
    /// The document as it was sent.
    pub bytes: Bytes,
}

/// Asks the host, and reads the answer if it is of the kind asked for. Returns for how long it holds as well.
pub(crate) async fn get(
    client: &Client,
    target: &Target,
    media: Media,
    limits: &Limits,
) -> Result<(Document, Duration), FetchError> {
    let request =
        client.get(target.url.clone()).header(ACCEPT, media.accept()).header(ACCEPT_ENCODING, "identity");
    let response = request.send().await.map_err(|error| reason(&error))?;
    let media_type = judge(response.status(), response.headers(), media)?;
    let lifetime = lifetime(response.headers(), limits);
    let bytes = read(response, limits.body).await?;
    if !Media::begins_like(&media_type, &bytes) {
        return Err(FetchError::MediaType(media));
    }
    Ok((Document { media_type, bytes }, lifetime))
}

/// Whether the head of an answer promises what was asked for; its media type.
fn judge(status: StatusCode, headers: &HeaderMap, media: Media) -> Result<String, FetchError> {
    if status.is_redirection() {
        return Err(FetchError::Redirect(status.as_u16()));
    }
    if status != StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    let plain = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(FetchError::Encoded);
    }
    media.essence(headers).ok_or(FetchError::MediaType(media))
}

/// The body, piece by piece, so that no more than the limit and one piece is ever held.
async fn read(mut response: Response, limit: usize) -> Result<Bytes, FetchError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(FetchError::TooLong(limit));
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|error| reason(&error))? {
        if piece.len() > limit - body.len() {
            return Err(FetchError::TooLong(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Why the client gave up, from the types of the causes, never from their text.
fn reason(error: &reqwest::Error) -> FetchError {
    let mut causes = std::iter::successors(error.source(), |error| (*error).source());
    if let Some(ours) = causes.clone().find_map(|cause| cause.downcast_ref::<FetchError>()) {
        return ours.clone(); // from the resolver
    }
    match error {
        error if error.is_timeout() => FetchError::Timeout,
        error if error.is_connect() && causes.any(is_tls) => FetchError::Tls,
        error if error.is_connect() => FetchError::Connect,
        _ => FetchError::Broken,
    }
}

/// Whether it is TLS that failed, which speaks of itself as input that is not valid. That error comes within others of
/// its type, which leave it out when asked for their source.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let mut next = cause.downcast_ref::<io::Error>();
    while let Some(error) = next {
        if error.kind() == io::ErrorKind::InvalidData {
            return true;
        }
        next = error.get_ref().and_then(|inner| inner.downcast_ref());
    }
    false
}
