//! Somebody logs in. OpenID Connect Core 1.0 §3.1.2.3.

use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use enroll_pages::{ClientFace, LoginPage, LoginProblem};
use http::{HeaderValue, StatusCode, header};

use super::transaction::Waiting;
use super::{AuthorizationRequest, Refusal, Step, expired};
use crate::browser::{Jar, Visitor};
use crate::face::face;
use crate::html::redirect;
use crate::parameters::Parameters;
use crate::{LogIn, LogInError, Password, ProtocolError, Provider, paths};

impl Provider {
    /// The page that asks who somebody is.
    pub(super) fn login_page(&self, request: &AuthorizationRequest, visitor: &Visitor<'_>) -> Response {
        let username = request.login_hint.as_deref();
        self.login_page_again(request, visitor, username, None, StatusCode::OK)
    }

    fn login_page_again(
        &self,
        request: &AuthorizationRequest,
        visitor: &Visitor<'_>,
        username: Option<&str>,
        problem: Option<LoginProblem>,
        status: StatusCode,
    ) -> Response {
        let logo = self.logo_path(&request.client);
        let waiting =
            Waiting { step: Step::Login, parameters: &request.parameters, session: None, client: None };
        self.page_that_waits(status, &waiting, visitor, |transaction| {
            let login = LoginPage {
                client: ClientFace { logo: logo.as_deref(), ..face(&request.client, visitor) },
                action: &self.path(paths::LOGIN),
                hidden: vec![("transaction", transaction)],
                username,
                problem,
                local_login: request.client.metadata.enable_local_login != Some(false),
            };
            login.render(&visitor.look())
        })
    }

    /// The answer to that page.
    pub(crate) async fn log_in(&self, request: Request) -> Response {
        let (parts, answer) = match self.answered(request).await {
            Ok(sent) => sent,
            Err((parts, refusal)) => return self.told(refusal, &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts);
        let Some(answered) = self.unsealed(Step::Login, &answer, &visitor, None) else {
            return self.told(expired(), &visitor);
        };
        let parameters = answered.parameters;
        let visitor = self.visitor(&parts).speaking(parameters.get("ui_locales"));
        let answer = self.try_to_log_in(parameters, &answer, &visitor).await;
        answer.unwrap_or_else(|refusal| self.told(refusal, &visitor))
    }

    async fn try_to_log_in(
        &self,
        parameters: Parameters,
        answer: &Parameters,
        visitor: &Visitor<'_>,
    ) -> Result<Response, Refusal> {
        let request = self.authorization_request(parameters).await?;
        if request.client.metadata.enable_local_login == Some(false) {
            return Ok(self.login_page(&request, visitor));
        }
        let (Some(username), Some(password)) = (answer.only("username"), answer.only("password")) else {
            return Ok(self.wrong(&request, answer, visitor));
        };
        let tried = self.users.log_in(LogIn {
            username,
            password: Password::presented(password.to_owned()),
            source: visitor.source(),
            device: visitor.cookie(Jar::Device),
        });
        let user = match tried.await {
            Ok(user) => user,
            Err(LogInError::Wrong) => return Ok(self.wrong(&request, answer, visitor)),
            Err(LogInError::TooManyTries(wait)) => {
                let problem = LoginProblem::TooManyTries(wait);
                return Ok(self.later(&request, username, problem, wait, visitor));
            }
            Err(LogInError::Busy(wait)) => {
                return Ok(self.later(&request, username, LoginProblem::Busy, wait, visitor));
            }
            Err(LogInError::Internal(error)) => return Err(ProtocolError::internal(error).into()),
        };
        let (browser, _) = visitor.browser(self.random.as_ref());
        let (session, cookie) = self.begin_session(&user, visitor).await?;
        tracing::info!(client.id = %request.client.id.brief(), "somebody logged in");
        let sid = Some(session.sid.as_str());
        let on =
            Waiting { step: Step::LoggedIn, parameters: &request.parameters, session: sid, client: None };
        let on = self.sealed(&on, &browser);
        let mut response = redirect(&format!("{}?transaction={on}", self.url(paths::RESUME)));
        let device = visitor.kept(Jar::Device, &self.users.device_token(&user));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().append(header::SET_COOKIE, device);
        Ok(response)
    }

    /// Nobody looked at the password: 429 for what was done before, 503 for what this server is busy with. RFC 6585 §4,
    /// RFC 9110 §15.6.4.
    fn later(
        &self,
        request: &AuthorizationRequest,
        username: &str,
        problem: LoginProblem,
        wait: Duration,
        visitor: &Visitor<'_>,
    ) -> Response {
        let status = match problem {
            LoginProblem::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::TOO_MANY_REQUESTS,
        };
        let mut response = self.login_page_again(request, visitor, Some(username), Some(problem), status);
        let seconds = wait.as_secs().max(1);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }

    /// What was shown is not enough, which is what 403 says. RFC 9110 §15.5.4.
    fn wrong(&self, request: &AuthorizationRequest, answer: &Parameters, visitor: &Visitor<'_>) -> Response {
        let problem = Some(LoginProblem::WrongCredentials);
        self.login_page_again(request, visitor, answer.only("username"), problem, StatusCode::FORBIDDEN)
    }
}
