//! From a request to a verified caller.

mod bearer_jwt;
mod client_assertion;
mod discovered_keys;
mod initial_access_token;
mod issuer_keys;
mod jws;
mod signed_by;
mod software_statement;
#[cfg(test)]
mod test_issuer;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::{AccessError, Caller};

pub use bearer_jwt::{BearerJwt, BearerJwtBuilder, BearerJwtError};
pub use client_assertion::{AssertionError, ClientAssertion};
pub use initial_access_token::{
    InitialAccessTokenData, InitialAccessTokens, IssueError, NewInitialAccessToken, issue,
};
pub use signed_by::SignedBy;
pub use software_statement::{StatementError, StatementIssuer, StatementIssuers, Validity, Vouched};

/// Knows one kind of credential.
///
/// To write one: read the credential ([`bearer_token`], or what your server put into the extensions of the request),
/// answer `Ok(None)` when it is not of your kind, and otherwise verify it whole before you make a [`Caller`].
///
/// ```
/// use async_trait::async_trait;
/// use enroll_access::{AccessError, Authenticate, Caller, Credential, bearer_token};
/// use http::request::Parts;
///
/// struct ContinuousIntegration;
///
/// #[async_trait]
/// impl Authenticate for ContinuousIntegration {
///     async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
///         let Some(job) = bearer_token(parts)?.and_then(|token| token.strip_prefix("ci-")) else { return Ok(None) };
///         if job_is_running(job).await {
///             Ok(Some(Caller::new(Credential::Other("ci"))))
///         } else {
///             Err(AccessError::InvalidToken("the job is not running"))
///         }
///     }
/// }
/// # async fn job_is_running(_: &str) -> bool { true }
/// ```
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// The caller; `Ok(None)` when the credential is not of this kind, so that the next authenticator is asked.
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError>;
}

/// The bearer token of a request, if it has one: in the `Authorization` header and nowhere else. RFC 6750 §2.1.
///
/// Another scheme (`Basic`, `DPoP`) is no bearer token, and no error. A token in the query is refused, since it would
/// be in every log by then; so are two headers, of which two readers could pick different ones.
pub fn bearer_token(parts: &Parts) -> Result<Option<&str>, AccessError> {
    let query = parts.uri.query().unwrap_or_default();
    if query.split('&').any(|pair| pair.split('=').next() == Some("access_token")) {
        return Err(AccessError::Malformed("send the token in the Authorization header, not in the query"));
    }
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        return Err(AccessError::Malformed("send one Authorization header, not several"));
    }
    let header = header.as_bytes();
    let end =
        header.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-').unwrap_or(header.len());
    let (scheme, rest) = header.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Ok(None);
    }
    let token = rest.strip_prefix(b" ").map(<[u8]>::trim_ascii);
    let token = token.and_then(|token| std::str::from_utf8(token).ok()).filter(|token| is_b64token(token));
    token
        .map(Some)
        .ok_or(AccessError::Malformed("the Authorization header must be `Bearer`, a space, and the token"))
}

/// RFC 6750 §2.1
fn is_b64token(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};

    use super::*;

    fn read(uri: &str, authorization: &[&[u8]]) -> Result<Option<String>, String> {
        let mut request = Request::post(uri);
        for value in authorization {
            request = request.header(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let token = bearer_token(&parts).map_err(|error| {
            assert!(matches!(error, AccessError::Malformed(_)), "{error:?}");
            error.to_string()
        });
        token.map(|token| token.map(str::to_owned))
    }

    /// RFC 9110 §11.1, RFC 6750 §2.1
    #[test]
    fn the_scheme_is_read_in_any_letter_case() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let header = format!("{scheme} aZ09-._~+/==");
            assert_eq!(read("/", &[header.as_bytes()]), Ok(Some("aZ09-._~+/==".into())), "{scheme}");
        }
        assert_eq!(read("/", &[b"Bearer   abc "]), Ok(Some("abc".into())));
    }

    #[test]
    fn another_scheme_or_none_is_no_bearer_token_and_no_error() {
        assert_eq!(read("/", &[]), Ok(None));
        for other in
            [&b""[..], b"Basic YTpi", b"DPoP abc", b"Bearer2 abc", b"Bearer-Like abc", b"Bear", b"\xFF"]
        {
            assert_eq!(read("/", &[other]), Ok(None), "{other:?}");
        }
    }

    /// RFC 6750 §2.1 and §3.1
    #[test]
    fn a_bearer_header_that_is_no_b64token_is_malformed() {
        let bad = [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer\tabc",
            b"Bearer abc def",
            b"Bearer ====",
            b"Bearer a=b",
            b"Bearer \"abc\"",
            b"Bearer a,b",
            b"Bearer a\xC3\xA9",
            b"Bearer,abc",
            b"Bearer=abc",
        ];
        for header in bad {
            assert!(read("/", &[header]).unwrap_err().contains("must be `Bearer`"), "{header:?}");
        }
    }

    /// RFC 9110 §11.6.2
    #[test]
    fn two_authorization_headers_are_malformed_whatever_they_say() {
        for second in [&b"Bearer abc"[..], b"Bearer def", b"Basic YTpi"] {
            assert!(read("/", &[b"Bearer abc", second]).unwrap_err().contains("one Authorization header"));
        }
    }

    /// RFC 6750 §2.3, RFC 9700 §4.3.2
    #[test]
    fn a_token_in_the_query_is_malformed_with_or_without_a_header() {
        for uri in ["/?access_token=abc", "/?a=b&access_token=abc", "/?access_token"] {
            assert!(read(uri, &[]).unwrap_err().contains("not in the query"), "{uri}");
            assert!(read(uri, &[b"Bearer abc"]).unwrap_err().contains("not in the query"), "{uri}");
        }
        assert_eq!(read("/?my_access_token=abc&a=access_token", &[]), Ok(None));
    }
}
