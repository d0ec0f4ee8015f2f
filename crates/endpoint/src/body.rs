//! The body of a request, of limited size and patience.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use enroll_oauth_types::ErrorCode;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use crate::error_response;

/// The largest body, in bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// How much of a larger one is read and thrown away, so that its sender gets to read the answer.
const MOST_DRAINED: usize = 1024 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// 413
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    /// 408
    #[error("the body did not arrive in time")]
    TooSlow,
    /// 400
    #[error("the body did not arrive whole, or is framed wrong")]
    Broken,
}

impl BodyError {
    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer in JSON.
    pub fn into_response(self) -> Response {
        error_response(self.status(), ErrorCode::InvalidRequest, &self.to_string())
    }
}

/// Refuses a body by its announced length, where its sender waits to be asked for it or would send far too much.
/// RFC 9110 §10.1.1.
pub fn must_not_be_announced_too_large(headers: &HeaderMap) -> Result<(), BodyError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let most = if headers.contains_key(header::EXPECT) { LARGEST_BODY } else { MOST_DRAINED };
    if length.is_some_and(|length: usize| length > most) { Err(BodyError::TooLarge) } else { Ok(()) }
}

/// The whole body, if it comes within `longest`.
pub async fn read_body(body: Body, longest: Duration) -> Result<Bytes, BodyError> {
    tokio::time::timeout(longest, receive(body)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn receive(mut body: Body) -> Result<Bytes, BodyError> {
    let mut received = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= LARGEST_BODY {
            received.extend_from_slice(&data);
        } else if length > MOST_DRAINED {
            break;
        }
    }
    if length > LARGEST_BODY { Err(BodyError::TooLarge) } else { Ok(received.into()) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::HttpBody;
    use http::HeaderValue;
    use hyper::body::Frame;

    use super::*;

    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_of_the_largest_size_is_read_and_one_more_byte_is_not() {
        let read = async |length: usize| read_body(Body::from(vec![b'a'; length]), Duration::MAX).await;
        assert_eq!(read(LARGEST_BODY).await.unwrap().len(), LARGEST_BODY);
        for length in [LARGEST_BODY + 1, MOST_DRAINED + 1] {
            assert_eq!(read(length).await, Err(BodyError::TooLarge), "{length}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = Body::new(Never);
        let read = read_body(never, Duration::from_secs(10)).await;
        assert_eq!(read.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
    }

    /// RFC 9110 §10.1.1
    #[test]
    fn who_waits_to_be_asked_is_refused_at_once() {
        let announced = |length: usize, waits: bool| {
            let mut headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(length))]);
            if waits {
                headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
            }
            must_not_be_announced_too_large(&headers)
        };
        assert!(announced(LARGEST_BODY, true).is_ok() && announced(MOST_DRAINED, false).is_ok());
        assert!(announced(LARGEST_BODY + 1, true).is_err() && announced(MOST_DRAINED + 1, false).is_err());
    }
}
