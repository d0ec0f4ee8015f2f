//! Somebody logs in. OpenID Connect Core 1.0 §3.1.2.3.

use axum::extract::Request;
use axum::response::Response;
use enroll_oauth_types::{Localized, Uri};
use enroll_pages::{ClientFace, Forms, LoginPage, LoginProblem};
use enroll_store::Client;
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AuthorizationRequest, Refusal, Step, expired};
use crate::browser::{Jar, Visitor};
use crate::html::{page, redirect};
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
        let (browser, new_cookie) = visitor.browser(self.random.as_ref());
        let transaction = self.sealed(Step::Login, &request.parameters, &browser, None);
        let action = self.path(paths::LOGIN);
        let logo = self.logo_path(&request.client);
        let login = LoginPage {
            client: ClientFace { logo: logo.as_deref(), ..face(&request.client, visitor) },
            action: &action,
            hidden: vec![("transaction", &transaction)],
            username,
            problem,
            local_login: request.client.metadata.enable_local_login != Some(false),
        };
        let mut response = page(status, login.render(&visitor.look()), Forms::OwnThenAnywhere);
        if let Some(cookie) = new_cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// The answer to that page.
    pub(crate) async fn log_in(&self, request: Request) -> Response {
        let (parts, answer) = match self.answered(request).await {
            Ok(sent) => sent,
            Err((parts, refusal)) => return self.told(refusal, &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts);
        let Some(parameters) = self.unsealed(Step::Login, &answer, &visitor, None) else {
            return self.told(expired(), &visitor);
        };
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
                let problem = Some(LoginProblem::TooManyTries(wait));
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut response = self.login_page_again(&request, visitor, Some(username), problem, status);
                let seconds = wait.as_secs().max(1);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                return Ok(response);
            }
            Err(LogInError::Internal(error)) => return Err(ProtocolError::internal(error).into()),
        };
        let (browser, _) = visitor.browser(self.random.as_ref());
        let (session, cookie) = self.begin_session(&user, visitor).await?;
        tracing::info!(client.id = %request.client.id, "somebody logged in");
        let on = self.sealed(Step::LoggedIn, &request.parameters, &browser, Some(&session.sid));
        let mut response = redirect(&format!("{}?transaction={on}", self.url(paths::RESUME)));
        let device = visitor.kept(Jar::Device, &self.users.device_token(&user));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().append(header::SET_COOKIE, device);
        Ok(response)
    }

    /// What was shown is not enough, which is what 403 says. RFC 9110 §15.5.4.
    fn wrong(&self, request: &AuthorizationRequest, answer: &Parameters, visitor: &Visitor<'_>) -> Response {
        let problem = Some(LoginProblem::WrongCredentials);
        self.login_page_again(request, visitor, answer.only("username"), problem, StatusCode::FORBIDDEN)
    }

    /// Where the picture of a client is, if it has one that can be had.
    pub(super) fn logo_path(&self, client: &Client) -> Option<String> {
        client.metadata.logo_uri.as_ref().filter(|_| self.outbound.is_some())?;
        let id = utf8_percent_encode(client.id.as_str(), NON_ALPHANUMERIC);
        Some(format!("{}/{id}", self.path(paths::LOGO)))
    }

    /// The path of an endpoint, below the path in the issuer.
    pub(crate) fn path(&self, path: &str) -> String {
        let url = self.url(path);
        let behind_scheme = url.find("://").map_or(0, |at| at + 3);
        let start = url[behind_scheme..].find('/').map_or(url.len(), |at| behind_scheme + at);
        url[start..].to_owned()
    }
}

/// What a person sees of a client, in a language that they read.
pub(crate) fn face<'a>(client: &'a Client, visitor: &Visitor<'_>) -> ClientFace<'a> {
    fn chosen<'a, T>(names: Option<&'a Localized<T>>, visitor: &Visitor<'_>) -> Option<&'a T> {
        names.and_then(|names| names.lookup(visitor.languages()))
    }
    let metadata = &client.metadata;
    ClientFace {
        name: chosen(metadata.client_name.as_ref(), visitor).map_or(client.id.as_str(), String::as_str),
        logo: None,
        client_uri: chosen(metadata.client_uri.as_ref(), visitor).map(Uri::as_str),
        policy_uri: chosen(metadata.policy_uri.as_ref(), visitor).map(Uri::as_str),
        tos_uri: chosen(metadata.tos_uri.as_ref(), visitor).map(Uri::as_str),
    }
}
