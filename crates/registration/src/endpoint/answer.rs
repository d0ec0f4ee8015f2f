//! How each outcome is answered: status, headers, JSON. RFC 7591 §3.2, RFC 6750 §3.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use enroll_access::{AccessError, Gate};
use enroll_endpoint::{BodyError, error_response, json, never_kept, unavailable};
use enroll_oauth_types::{ErrorBody, ErrorCode, Rejection};
use enroll_store::BoxError;
use http::{HeaderValue, StatusCode, header};

use crate::{ClientInformation, ManagementError, RegistrationError, Report};

/// 201: the client is registered. RFC 7591 §3.2.1.
pub(super) fn created(information: &ClientInformation) -> Response {
    let mut response = json(StatusCode::CREATED, information);
    let location = information.registration_client_uri().and_then(|uri| HeaderValue::from_str(uri).ok());
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// 200: this is the client. RFC 7592 §3.
pub(super) fn found(information: &ClientInformation) -> Response {
    json(StatusCode::OK, information)
}

/// 200: this would become of it.
pub(super) fn explained(report: &Report) -> Response {
    json(StatusCode::OK, report)
}

/// 204: there is no such client any more. RFC 7592 §2.3.
pub(super) fn deleted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    never_kept(response.headers_mut());
    response
}

/// A request that is turned away, for whatever reason.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The body did not come as it should.
    Body(BodyError),
    /// Anything else about the request itself.
    Request(StatusCode, &'static str),
    /// Who asks.
    Access(AccessError),
    /// What is asked.
    Rejected(Rejection),
    /// More than is good, until so much time has passed.
    TooOften(Duration, String),
    /// Our fault, or our database's; worth another try. The cause goes to the log and nowhere else.
    Unavailable(BoxError),
}

impl Refusal {
    /// The answer, with a challenge in the name of the gate where a credential is the matter.
    pub(super) fn into_response(self, gate: &Gate) -> Response {
        match self {
            Self::Body(error) => error.into_response(),
            Self::Request(status, description) => {
                error_response(status, ErrorCode::InvalidRequest, description)
            }
            Self::Rejected(rejection) => {
                let body = ErrorBody::new(rejection.code.clone(), &rejection.to_string());
                tracing::info!(error = %rejection.code, "refused a registration: {}", body.description());
                json(StatusCode::BAD_REQUEST, &body)
            }
            Self::TooOften(wait, description) => {
                tracing::info!("refused a request: {description}");
                let mut response = error_response(
                    StatusCode::TOO_MANY_REQUESTS,
                    ErrorCode::TemporarilyUnavailable,
                    &description,
                );
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
                response
            }
            Self::Access(AccessError::Internal(cause)) | Self::Unavailable(cause) => unavailable(&*cause),
            Self::Access(error) => {
                tracing::info!(error = %error.code(), "turned a caller away: {error}");
                let mut response = error_response(error.status(), error.code(), &error.to_string());
                if let Some(challenge) = gate.challenge(&error) {
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                }
                response
            }
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<RegistrationError> for Refusal {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Rejected(rejection) => Self::Rejected(rejection),
            RegistrationError::Spent => Self::Access(AccessError::invalid_initial_access_token()),
            RegistrationError::TooOften(wait) => Self::TooOften(wait, error.to_string()),
            RegistrationError::Internal(cause) => Self::Unavailable(cause),
        }
    }
}

impl From<ManagementError> for Refusal {
    fn from(error: ManagementError) -> Self {
        match error {
            ManagementError::InvalidToken => {
                Self::Access(AccessError::InvalidToken(ManagementError::INVALID_TOKEN))
            }
            ManagementError::WrongAssertion(why) => Self::Access(AccessError::InvalidToken(why)),
            ManagementError::TooOften(wait) => Self::TooOften(wait, error.to_string()),
            ManagementError::Disabled | ManagementError::Sealed | ManagementError::TermsGone => {
                Self::Access(AccessError::Denied(error.to_string()))
            }
            ManagementError::Rejected(rejection) => Self::Rejected(rejection),
            ManagementError::Conflict => Self::Request(StatusCode::CONFLICT, ManagementError::CONFLICT),
            ManagementError::Internal(cause) => Self::Unavailable(cause),
        }
    }
}
