//! Refusals: a code of the standard, the member it is about, and what would be right.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::Serialize;

open_enum! {
    /// The `error` of an error response. RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 6749 §4.1.2.1.
    ErrorCode {
        InvalidRequest = "invalid_request",
        InvalidToken = "invalid_token",
        InvalidClient = "invalid_client",
        InvalidGrant = "invalid_grant",
        InvalidScope = "invalid_scope",
        InvalidTarget = "invalid_target",
        UnauthorizedClient = "unauthorized_client",
        UnsupportedGrantType = "unsupported_grant_type",
        UnsupportedTokenType = "unsupported_token_type",
        InsufficientScope = "insufficient_scope",
        InvalidRedirectUri = "invalid_redirect_uri",
        InvalidClientMetadata = "invalid_client_metadata",
        InvalidSoftwareStatement = "invalid_software_statement",
        UnapprovedSoftwareStatement = "unapproved_software_statement",
        AccessDenied = "access_denied",
        UnsupportedResponseType = "unsupported_response_type",
        UnsupportedResponseMode = "unsupported_response_mode",
        LoginRequired = "login_required",
        ConsentRequired = "consent_required",
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        RequestNotSupported = "request_not_supported",
        RequestUriNotSupported = "request_uri_not_supported",
        RegistrationNotSupported = "registration_not_supported",
        ServerError = "server_error",
        TemporarilyUnavailable = "temporarily_unavailable",
    }
}

/// Why a registration is refused, in words for whoever sent it. RFC 7591 §3.2.2.
///
/// ```
/// use enroll_oauth_types::Rejection;
///
/// let rejection = Rejection::redirect_uri("must be https, or a loopback address for native clients").at(1);
/// assert_eq!(rejection.to_string(), "redirect_uris[1]: must be https, or a loopback address for native clients");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The `error` of the response.
    pub code: ErrorCode,
    /// The member it is about, as a path (`jwks.keys[0].d`); empty when it is about the body as a whole.
    pub member: Cow<'static, str>,
    /// What is wrong, and what would be right.
    pub problem: Cow<'static, str>,
}

impl Rejection {
    /// `invalid_client_metadata` about one member.
    pub fn metadata(member: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { code: ErrorCode::InvalidClientMetadata, member: member.into(), problem: problem.into() }
    }

    /// `invalid_redirect_uri` about `redirect_uris`.
    pub fn redirect_uri(problem: impl Into<Cow<'static, str>>) -> Self {
        Self { code: ErrorCode::InvalidRedirectUri, member: "redirect_uris".into(), problem: problem.into() }
    }

    /// `invalid_software_statement`.
    pub fn software_statement(problem: impl Into<Cow<'static, str>>) -> Self {
        let code = ErrorCode::InvalidSoftwareStatement;
        Self { code, member: "software_statement".into(), problem: problem.into() }
    }

    /// The same about one item of the member.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.member = format!("{}[{index}]", self.member).into();
        self
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member.as_ref() {
            "" => f.write_str(&self.problem),
            member => write!(f, "{member}: {}", self.problem),
        }
    }
}

impl std::error::Error for Rejection {}

/// The body of every error response. RFC 6749 §5.2, RFC 7591 §3.2.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorBody {
    /// What kind of error it is.
    error: ErrorCode,
    /// What is wrong, with the member that it is about, and what would be right.
    #[schemars(regex(pattern = r"^[ !#-\[\]-~]+$"))]
    error_description: String,
}

impl ErrorBody {
    /// The longest description, in characters: input that it quotes cannot blow it up.
    const LONGEST: usize = 400;

    /// A body whose description holds only what RFC 6749 §5.2 allows: anything else that it quotes from input is
    /// written as its code point (`U+202E`).
    pub fn new(error: ErrorCode, description: &str) -> Self {
        let mut error_description = String::with_capacity(description.len());
        for character in description.chars().take(Self::LONGEST) {
            match character {
                '<' | '>' | '"' | '\\' => error_description.push('\''),
                ' '..='~' => error_description.push(character),
                other => {
                    let _infallible = write!(error_description, "U+{:04X}", u32::from(other));
                }
            }
        }
        Self { error, error_description }
    }

    /// The `error_description`, fit for a log as well.
    pub fn description(&self) -> &str {
        &self.error_description
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 §5.2
    #[test]
    fn a_description_is_plain_ascii_whatever_it_quotes() {
        let body = ErrorBody::new(ErrorCode::InvalidRequest, "a \"b\" \\ <i> \u{202e}\0é");
        assert_eq!(body.error_description, "a 'b' ' 'i' U+202EU+0000U+00E9");
    }
}
