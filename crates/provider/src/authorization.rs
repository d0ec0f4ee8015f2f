//! The authorization endpoint: a client sends somebody here, who logs in, is asked, and is sent back with a code.
//! RFC 6749 §3.1, §4.1; OpenID Connect Core 1.0 §3.1.2.
//!
//! The request is judged again at every step, by the client as it is registered at that moment.

mod claims_request;
mod consent;
mod consent_page;
mod destination;
mod flow;
mod login;
mod prompt;
mod request;
mod response;
mod transaction;

use std::borrow::Cow;

use axum::extract::Request;
use axum::response::Response;
use enroll_oauth_types::{ErrorCode, Timestamp};
use enroll_pages::{ErrorPage, Forms, Problem};
use enroll_store::StoreError;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};

pub(crate) use claims_request::ClaimsRequest;
pub(crate) use flow::Flow;
pub(crate) use prompt::Prompts;
pub(crate) use request::AuthorizationRequest;
pub(crate) use transaction::{Step, Waiting};

use crate::browser::Visitor;
use crate::html::{page, redirect};
use crate::parameters::Parameters;
use crate::session::Session;
use crate::{ProtocolError, Provider, User, paths};
use destination::Destination;

/// The one authentication context of this server: a password. SAML 2.0 Authentication Context §3.4.
pub(crate) const ACR: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";

/// The longest request, in bytes: pages carry it along, sealed, and a form takes no more.
const LONGEST_REQUEST: usize = 32 * 1024;

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The client must not be told, since it is not known who or where it is: a person is. RFC 6749 §4.1.2.1.
    Page(Problem, ErrorCode, &'static str),
    /// The client is told.
    Client(Box<Destination>, ErrorCode, Cow<'static, str>),
    /// The request could not be read, or the server cannot do its work.
    Protocol(ProtocolError),
}

/// Somebody who is logged in, as the client wants it.
pub(crate) struct Present {
    pub(crate) session: Session,
    pub(crate) user: User,
}

impl Provider {
    /// A client sends somebody.
    pub(crate) async fn authorize(&self, request: Request) -> Response {
        let (parts, parameters) = match self.sent(request).await {
            Ok(sent) => sent,
            Err((parts, error)) => return self.told(Refusal::Protocol(error), &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts).speaking(parameters.get("ui_locales"));
        if parameters.encode().len() > LONGEST_REQUEST {
            return self.told(too_long(), &visitor);
        }
        if visitor.comes_without_cookies() {
            return redirect(&format!("{}?{}", self.url(paths::AUTHORIZATION), parameters.encode()));
        }
        let answer = self.go_on(parameters, &visitor, None).await;
        answer.unwrap_or_else(|refusal| self.told(refusal, &visitor))
    }

    /// Somebody has logged in and goes on.
    pub(crate) async fn resume(&self, request: Request) -> Response {
        let (parts, _) = request.into_parts();
        let visitor = self.visitor(&parts);
        let answer = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let resumed = async {
            let session = self.session(&visitor).await?;
            let sid = session.as_ref().map(|session| session.sid.as_str());
            let answered = self.unsealed(Step::LoggedIn, &answer, &visitor, sid).ok_or_else(expired)?;
            let parameters = answered.parameters;
            let visitor = self.visitor(&parts).speaking(parameters.get("ui_locales"));
            // Somebody who comes back later has not logged in for this request.
            self.go_on(parameters, &visitor, sid.filter(|_| answered.is_prompt)).await
        };
        resumed.await.unwrap_or_else(|refusal| self.told(refusal, &visitor))
    }

    /// The next page, or the end. `just_now` is the session in which somebody logged in for this very request.
    async fn go_on(
        &self,
        parameters: Parameters,
        visitor: &Visitor<'_>,
        just_now: Option<&str>,
    ) -> Result<Response, Refusal> {
        let request = self.authorization_request(parameters).await?;
        must_be_attainable(&request)?;
        let Some(present) = self.present(&request, visitor, just_now).await? else {
            if request.prompts.none {
                return Err(
                    request.refused(ErrorCode::LoginRequired, "the user must log in, and prompt is none")
                );
            }
            if just_now.is_some() && request.subject.is_some() {
                return Err(request
                    .refused(ErrorCode::LoginRequired, "another user logged in than the one asked for"));
            }
            return Ok(self.login_page(&request, visitor));
        };
        if self.must_ask(&request, &present, visitor).await? {
            if request.prompts.none {
                return Err(
                    request.refused(ErrorCode::ConsentRequired, "the user must be asked, and prompt is none")
                );
            }
            return Ok(self.consent_page(&request, &present, visitor));
        }
        let scope = request.extent.scope.clone();
        self.give(&request, &present, scope, visitor).await
    }

    /// Who is logged in, if that is who the client wants, and recently enough. OpenID Connect Core 1.0 §3.1.2.3.
    async fn present(
        &self,
        request: &AuthorizationRequest,
        visitor: &Visitor<'_>,
        just_now: Option<&str>,
    ) -> Result<Option<Present>, Refusal> {
        // Whoever is logged in has typed a password here, for this client or for another.
        if request.client.metadata.enable_local_login == Some(false) {
            return Ok(None);
        }
        let Some(session) = self.session(visitor).await? else { return Ok(None) };
        let is_new = just_now == Some(session.sid.as_str());
        if !is_new && (request.prompts.login || is_too_old(&session, request.max_age, self.clock.now())) {
            return Ok(None);
        }
        let Some(user) = self.users.of_subject(&session.subject).await?.filter(|user| user.enabled) else {
            return Ok(None);
        };
        let known_as = self.subject_for(&request.client, &user.subject);
        let is_wanted = request.subject.as_ref().is_none_or(|wanted| *wanted == known_as);
        Ok(is_wanted.then_some(Present { session, user }))
    }

    /// What was sent, by GET or by POST.
    async fn sent(&self, request: Request) -> Result<(Parts, Parameters), (Parts, ProtocolError)> {
        let (parts, body) = request.into_parts();
        let sent = match parts.method {
            Method::POST => self.form(&parts.headers, body).await,
            _ => Parameters::read(parts.uri.query().unwrap_or_default().as_bytes()),
        };
        match sent {
            Ok(sent) => Ok((parts, sent)),
            Err(error) => Err((parts, error)),
        }
    }

    /// The answer to a form that somebody was given.
    pub(crate) async fn answered(&self, request: Request) -> Result<(Parts, Parameters), (Parts, Refusal)> {
        self.sent(request).await.map_err(|(parts, error)| (parts, Refusal::Protocol(error)))
    }

    /// Tells whoever may be told.
    pub(crate) fn told(&self, refusal: Refusal, visitor: &Visitor<'_>) -> Response {
        match refusal {
            Refusal::Client(destination, code, problem) => {
                self.refused(&destination, &code, &problem, visitor)
            }
            Refusal::Page(problem, code, detail) => {
                tracing::info!(error = %code, "showed an error: {detail}");
                error_page(StatusCode::BAD_REQUEST, problem, code.as_str(), Some(detail), visitor)
            }
            Refusal::Protocol(ProtocolError::Conflict) => {
                let again = ProtocolError::internal("others changed the same at the same time");
                self.told(Refusal::Protocol(again), visitor)
            }
            Refusal::Protocol(ProtocolError::Internal(cause)) => {
                tracing::error!(error = &*cause as &dyn std::error::Error, "a request failed: {cause}");
                let code = ErrorCode::TemporarilyUnavailable;
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let mut response = error_page(status, Problem::Unavailable, code.as_str(), None, visitor);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
                response
            }
            Refusal::Protocol(error) => {
                let status = match &error {
                    ProtocolError::Body(error) => error.status(),
                    _ => StatusCode::BAD_REQUEST,
                };
                let detail = error.to_string();
                tracing::info!("showed an error: {detail}");
                error_page(status, Problem::InvalidRequest, "invalid_request", Some(&detail), visitor)
            }
        }
    }
}

fn error_page(
    status: StatusCode,
    problem: Problem,
    code: &str,
    detail: Option<&str>,
    visitor: &Visitor<'_>,
) -> Response {
    let request = visitor.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let html = ErrorPage { problem, code, detail, request }.render(&visitor.look());
    page(status, html, Forms::None)
}

fn too_long() -> Refusal {
    ProtocolError::invalid_request("the request must be at most 32 KiB long, with its state and its claims")
        .into()
}

/// The page was answered too late, twice, or by another browser.
pub(crate) fn expired() -> Refusal {
    Refusal::page(
        Problem::Expired,
        ErrorCode::InvalidRequest,
        "transaction: is over, or of another browser or session",
    )
}

/// OpenID Connect Core 1.0 §5.5.1.1
fn must_be_attainable(request: &AuthorizationRequest) -> Result<(), Refusal> {
    match request.claims.essential_acr() {
        Some(named) if !named.contains(&ACR) => Err(request.refused(
            ErrorCode::UnmetAuthenticationRequirements,
            "claims: none of the authentication contexts that are essential can be met here",
        )),
        _ => Ok(()),
    }
}

/// OpenID Connect Core 1.0 §3.1.2.1: `max_age`. With 0, whoever is there logs in again.
fn is_too_old(session: &Session, max_age: Option<u64>, now: Timestamp) -> bool {
    let age = now.seconds().saturating_sub(session.authenticated_at.seconds());
    max_age.is_some_and(|most| most == 0 || age > most)
}

impl AuthorizationRequest {
    fn refused(&self, code: ErrorCode, problem: &'static str) -> Refusal {
        Refusal::Client(Box::new(self.destination.clone()), code, problem.into())
    }
}

impl Refusal {
    pub(crate) fn page(problem: Problem, code: ErrorCode, detail: &'static str) -> Self {
        Self::Page(problem, code, detail)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Protocol(error.into())
    }
}

impl From<ProtocolError> for Refusal {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}
