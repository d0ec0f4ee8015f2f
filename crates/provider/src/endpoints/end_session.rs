//! A client asks that its user be logged out here, too. OpenID Connect RP-Initiated Logout 1.0.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use enroll_oauth_types::{ClientId, ErrorCode};
use enroll_pages::{Forms, LogOutPage, Problem, SignedOutPage, StillSignedInPage};
use enroll_store::Client;
use http::{StatusCode, header};

use crate::authorization::{Refusal, Step, Waiting, expired};
use crate::browser::{Jar, Visitor};
use crate::face::face;
use crate::html::{page, redirect};
use crate::parameters::Parameters;
use crate::session::Session;
use crate::tokens::id_token::IdTokenHint;
use crate::{Provider, paths};

/// What a client asks.
struct LogOut {
    hint: Option<IdTokenHint>,
    client: Option<Arc<Client>>,
    /// One that the client registered.
    back_to: Option<String>,
    parameters: Parameters,
}

impl LogOut {
    /// The client's name, and its address, for whoever wants to go back there.
    fn way_back(&self, visitor: &Visitor<'_>) -> Option<(&str, &str)> {
        let name = self.client.as_ref().map(|client| face(client, visitor).name);
        name.zip(self.back_to.as_deref())
    }
}

impl Provider {
    /// A client sends somebody. §2.
    pub(crate) async fn end_session(&self, request: Request) -> Response {
        let (parts, parameters) = match self.answered(request).await {
            Ok(sent) => sent,
            Err((parts, refusal)) => return self.told(refusal, &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts).speaking(parameters.get("ui_locales"));
        if visitor.comes_without_cookies() {
            return redirect(&format!("{}?{}", self.url(paths::END_SESSION), parameters.encode()));
        }
        let answer = async {
            let asked = self.log_out_request(parameters).await?;
            let session = self.session(&visitor).await?;
            match session {
                Some(session) if !self.is_of(&asked, &session) => {
                    self.ask_to_log_out(&asked, &session, &visitor).await
                }
                session => self.logged_out(&asked, session, &visitor).await,
            }
        };
        answer.await.unwrap_or_else(|refusal: Refusal| self.told(refusal, &visitor))
    }

    /// The answer to the page that asks. §6: so that nobody is logged out by a link that somebody else wrote.
    pub(crate) async fn confirm_end_session(&self, request: Request) -> Response {
        let (parts, answer) = match self.answered(request).await {
            Ok(sent) => sent,
            Err((parts, refusal)) => return self.told(refusal, &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts);
        let confirmed = async {
            let session = self.session(&visitor).await?;
            let sid = session.as_ref().map(|session| session.sid.as_str());
            let answered = sid.and_then(|_| self.unsealed(Step::LogOut, &answer, &visitor, sid));
            let asked = self.log_out_request(answered.ok_or_else(expired)?.parameters).await?;
            let visitor = self.visitor(&parts).speaking(asked.parameters.get("ui_locales"));
            match (answer.only("decision"), session) {
                (Some("sign_out"), session) => self.logged_out(&asked, session, &visitor).await,
                (Some("stay"), Some(_)) => Ok(still_signed_in(&asked, &visitor)),
                (_, Some(session)) => self.ask_to_log_out(&asked, &session, &visitor).await,
                (_, None) => Err(expired()),
            }
        };
        confirmed.await.unwrap_or_else(|refusal: Refusal| self.told(refusal, &visitor))
    }

    async fn log_out_request(&self, parameters: Parameters) -> Result<LogOut, Refusal> {
        if parameters.doubled().is_some() {
            let detail = "each parameter must be sent once";
            return Err(Refusal::page(Problem::InvalidRequest, ErrorCode::InvalidRequest, detail));
        }
        // A hint that is none is as good as no hint.
        let hint = parameters.get("id_token_hint").and_then(|hint| self.id_token_hint(hint));
        let named = parameters.get("client_id").map(ClientId::from);
        if let (Some(hint), Some(named)) = (&hint, &named)
            && !hint.is_for(named)
        {
            let detail = "client_id: must be the client that the id_token_hint is for";
            return Err(Refusal::page(Problem::InvalidRequest, ErrorCode::InvalidRequest, detail));
        }
        let id = named.or_else(|| hint.as_ref().map(IdTokenHint::client));
        let client = match id {
            Some(id) => self.clients.client(&id).await?.filter(|client| client.enabled),
            None => None,
        };
        let back_to = back_to(client.as_deref(), &parameters)?;
        Ok(LogOut { hint, client, back_to, parameters })
    }

    /// Whether it is this session that the client has in mind.
    fn is_of(&self, asked: &LogOut, session: &Session) -> bool {
        let (Some(hint), Some(client)) = (&asked.hint, &asked.client) else { return false };
        let is_of_user = hint.subject == self.subject_for(client, &session.subject);
        is_of_user && hint.session.as_ref().is_none_or(|sid| *sid == self.session_for(client, &session.sid))
    }

    async fn ask_to_log_out(
        &self,
        asked: &LogOut,
        session: &Session,
        visitor: &Visitor<'_>,
    ) -> Result<Response, Refusal> {
        let user = self.users.of_subject(&session.subject).await?;
        let sid = Some(session.sid.as_str());
        let waiting =
            Waiting { step: Step::LogOut, parameters: &asked.parameters, session: sid, client: None };
        Ok(self.page_that_waits(StatusCode::OK, &waiting, visitor, |transaction| {
            let question = LogOutPage {
                user: user.as_ref().map_or("", |user| user.name()),
                client: asked.client.as_ref().map(|client| face(client, visitor)),
                action: &self.path(paths::CONFIRM),
                hidden: vec![("transaction", transaction)],
            };
            question.render(&visitor.look())
        }))
    }

    /// Ends the session, and sends the browser back or says that it is done. §3: whoever has no hint is not sent anywhere by
    /// itself, but may go.
    async fn logged_out(
        &self,
        asked: &LogOut,
        session: Option<Session>,
        visitor: &Visitor<'_>,
    ) -> Result<Response, Refusal> {
        if let Some(session) = &session {
            self.records.apply(self.ending(session).await?).await?;
            tracing::info!("somebody logged out");
        }
        let back_to = asked.back_to.as_deref();
        let mut response = if let Some(back_to) = back_to.filter(|_| asked.hint.is_some()) {
            redirect(&with_state(back_to, asked.parameters.get("state")))
        } else {
            let signed_out = SignedOutPage { back_to: asked.way_back(visitor) };
            page(StatusCode::OK, signed_out.render(&visitor.look()), Forms::None)
        };
        if visitor.cookie(Jar::Session).is_some() {
            response.headers_mut().append(header::SET_COOKIE, visitor.forgotten(Jar::Session));
        }
        Ok(response)
    }
}

/// Somebody was asked, and did not want to log out.
fn still_signed_in(asked: &LogOut, visitor: &Visitor<'_>) -> Response {
    let still_signed_in = StillSignedInPage { back_to: asked.way_back(visitor) };
    page(StatusCode::OK, still_signed_in.render(&visitor.look()), Forms::None)
}

/// Where the browser may be sent: where the client registered, character for character. §3.
fn back_to(client: Option<&Client>, parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(asked) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    // Nobody known asks: nobody is sent anywhere.
    let Some(client) = client else { return Ok(None) };
    let registered = client.metadata.post_logout_redirect_uris.iter().flatten();
    if registered.into_iter().any(|own| own.as_str() == asked) {
        return Ok(Some(asked.to_owned()));
    }
    let detail = "post_logout_redirect_uri: must be one that is registered, character for character";
    Err(Refusal::page(Problem::RedirectUri, ErrorCode::InvalidRequest, detail))
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let parameters: Vec<_> = state.map(|state| ("state", state)).into_iter().collect();
    crate::html::with_query(uri, &parameters)
}
