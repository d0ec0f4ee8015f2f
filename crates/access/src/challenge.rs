//! How an [`AccessError`] is answered. RFC 6750 §3, RFC 7591 §3.2.2.

use std::fmt::Write as _;

use enroll_oauth_types::ErrorCode;
use http::{HeaderValue, StatusCode};

use crate::AccessError;

impl AccessError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Internal(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The `error` of the body.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Missing | Self::InvalidToken(_) => ErrorCode::InvalidToken,
            Self::Malformed(_) => ErrorCode::InvalidRequest,
            Self::InsufficientScope(_) => ErrorCode::InsufficientScope,
            Self::Denied(_) => ErrorCode::AccessDenied,
            Self::Internal(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// The header `WWW-Authenticate`; `None` when another token would not help. RFC 6750 §3.
    ///
    /// ```
    /// use enroll_access::AccessError;
    ///
    /// let challenge = AccessError::Missing.www_authenticate("enroll").unwrap();
    /// assert_eq!(challenge, "Bearer realm=\"enroll\"");
    /// ```
    pub fn www_authenticate(&self, realm: &str) -> Option<HeaderValue> {
        let mut challenge = format!("Bearer realm=\"{}\"", quotable(realm));
        match self {
            // Whoever sent nothing is told what to send, not that it was wrong. RFC 6750 §3.1.
            Self::Missing => {}
            Self::Malformed(_) | Self::InvalidToken(_) | Self::InsufficientScope(_) => {
                let _ = write!(challenge, ", error=\"{}\"", self.code());
                challenge.push_str(&parameter("error_description", &self.to_string()));
            }
            Self::Denied(_) | Self::Internal(_) => return None,
        }
        if let Self::InsufficientScope(scope) = self {
            challenge.push_str(&parameter("scope", scope));
        }
        HeaderValue::try_from(challenge).ok()
    }
}

/// One more parameter of a challenge. RFC 9110 §11.2.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    format!(", {name}=\"{}\"", quotable(value))
}

/// The text with nothing in it that could end or escape a quoted string: what RFC 6750 §3 allows, and an apostrophe
/// or a question mark for the rest.
fn quotable(text: &str) -> String {
    let replace = |character| match character {
        '"' | '\\' => '\'',
        ' '..='~' => character,
        _ => '?',
    };
    text.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: &AccessError) -> (u16, String, Option<String>) {
        let challenge = error.www_authenticate("enroll").map(|value| value.to_str().unwrap().to_owned());
        (error.status().as_u16(), error.code().to_string(), challenge)
    }

    /// RFC 6750 §3.1
    #[test]
    fn a_missing_credential_is_challenged_without_an_error() {
        let challenge = Some("Bearer realm=\"enroll\"".into());
        assert_eq!(answer(&AccessError::Missing), (401, "invalid_token".into(), challenge));
    }

    /// RFC 6750 §3.1
    #[test]
    fn a_wrong_credential_is_told_its_error() {
        let (status, code, challenge) = answer(&AccessError::InvalidToken("the token is expired"));
        assert_eq!((status, code.as_str()), (401, "invalid_token"));
        assert_eq!(
            challenge.unwrap(),
            "Bearer realm=\"enroll\", error=\"invalid_token\", error_description=\"the token is expired\""
        );
        let (status, code, challenge) = answer(&AccessError::Malformed("send one header"));
        assert_eq!((status, code.as_str()), (400, "invalid_request"));
        assert_eq!(
            challenge.unwrap(),
            "Bearer realm=\"enroll\", error=\"invalid_request\", error_description=\"send one header\""
        );
    }

    /// RFC 6750 §3.1
    #[test]
    fn a_missing_scope_is_named() {
        let (status, code, challenge) = answer(&AccessError::InsufficientScope("client:register".into()));
        assert_eq!((status, code.as_str()), (403, "insufficient_scope"));
        let challenge = challenge.unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.ends_with(", scope=\"client:register\""), "{challenge}");
    }

    #[test]
    fn what_no_token_can_mend_is_not_challenged() {
        assert_eq!(answer(&AccessError::Denied("closed".into())), (403, "access_denied".into(), None));
        let internal = AccessError::Internal("disk full at /var".into());
        assert_eq!(answer(&internal), (503, "temporarily_unavailable".into(), None));
        assert!(!internal.to_string().contains("disk"));
    }

    /// RFC 9110 §5.6.4, RFC 6750 §3
    #[test]
    fn nothing_can_break_out_of_its_quotes() {
        let error = AccessError::InsufficientScope("a\", x=\"b\\\r\nSet-Cookie: é".into());
        let challenge = error.www_authenticate("my \"realm\"\0").unwrap();
        let challenge = challenge.to_str().unwrap();
        assert!(challenge.starts_with("Bearer realm=\"my 'realm'?\", error="), "{challenge}");
        assert!(challenge.ends_with("scope=\"a', x='b'??Set-Cookie: ?\""), "{challenge}");
    }
}
