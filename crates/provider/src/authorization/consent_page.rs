//! Somebody is asked what a client may have, and answers. OpenID Connect Core 1.0 §3.1.2.4.

use axum::extract::Request;
use axum::response::Response;
use enroll_oauth_types::{BrowserToken, ErrorCode, Scope};
use enroll_pages::{ClientFace, ConsentPage, RegisteredBy, ScopeChoice};
use enroll_store::Client;
use http::StatusCode;

use super::consent::{as_registered, may_remember};
use super::transaction::{Answered, Waiting};
use super::{AuthorizationRequest, Present, Refusal, Step, expired};
use crate::browser::{Jar, Visitor};
use crate::face::face;
use crate::parameters::Parameters;
use crate::{Provider, paths};

/// What stays with every answer: without it there is nothing to say who somebody is.
const REQUIRED: &str = "openid";

impl Provider {
    /// The page that asks.
    pub(super) fn consent_page(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        visitor: &Visitor<'_>,
    ) -> Response {
        let sid = Some(present.session.sid.as_str());
        let waiting = Waiting {
            step: Step::Consent,
            parameters: &request.parameters,
            session: sid,
            client: Some(as_registered(&request.client)),
        };
        let prompt = if request.prompts.consent { "select_account consent" } else { "select_account" };
        let other = request.parameters.clone().with("prompt", Some(prompt)).encode();
        let other_account = format!("{}?{other}", self.path(paths::AUTHORIZATION));
        let client = &request.client;
        let logo = self.logo_path(client);
        self.page_that_waits(StatusCode::OK, &waiting, visitor, |transaction| {
            let consent = ConsentPage {
                client: ClientFace { logo: logo.as_deref(), ..face(client, visitor) },
                registered_at: client.issued_at,
                registered_by: registered_by(client),
                verified: registered_by(client) == RegisteredBy::Operator,
                redirect_uri: &request.destination.redirect_uri,
                scopes: self.choices(request, visitor),
                resources: request
                    .extent
                    .resources
                    .iter()
                    .map(|own| own.title.as_deref().unwrap_or(&own.identifier))
                    .collect(),
                user: present.user.name(),
                other_account: &other_account,
                may_remember: may_remember(client),
                action: &self.path(paths::CONSENT),
                hidden: vec![("transaction", transaction)],
            };
            consent.render(&visitor.look())
        })
    }

    /// What is asked for by scopes, which people can leave out, and by single claims, which come with the rest.
    fn choices<'a>(
        &'a self,
        request: &'a AuthorizationRequest,
        visitor: &Visitor<'_>,
    ) -> Vec<ScopeChoice<'a>> {
        let scope = &request.extent.scope;
        let by_claims = request.opened.iter().map(String::as_str).filter(|value| !scope.contains(value));
        let by_claims = by_claims.map(|value| ScopeChoice { required: true, ..self.choice(value, visitor) });
        scope.values().map(|value| self.choice(value, visitor)).chain(by_claims).collect()
    }

    fn choice<'a>(&'a self, value: &'a str, visitor: &Visitor<'_>) -> ScopeChoice<'a> {
        let meaning = self.catalog.meaning(value);
        let language = visitor.look().language;
        let standard = language.standard_scope(value);
        let said = |names: Option<&'a enroll_oauth_types::Localized<String>>| {
            // In none of the visitor's languages: then in that of the rest of the page.
            let ranges = visitor.languages().into_iter().chain([language.tag()]);
            names.and_then(|names| names.lookup(ranges)).map(String::as_str)
        };
        let title = meaning.and_then(|own| said(own.title.as_ref()));
        let description = meaning.and_then(|own| said(own.description.as_ref()));
        ScopeChoice {
            name: value,
            title: title.or(standard.map(|(title, _)| title)).unwrap_or(value),
            description: description.or(standard.map(|(_, description)| description)),
            required: value == REQUIRED,
            chosen: true,
        }
    }

    /// The answer to that page.
    pub(crate) async fn consent(&self, request: Request) -> Response {
        let (parts, answer) = match self.answered(request).await {
            Ok(sent) => sent,
            Err((parts, refusal)) => return self.told(refusal, &self.visitor(&parts)),
        };
        let visitor = self.visitor(&parts);
        let decided = async {
            let session = self.session(&visitor).await?;
            let sid = session.as_ref().map(|session| session.sid.as_str());
            // Whoever answers is whom the page asked.
            let answered = sid.and_then(|_| self.unsealed(Step::Consent, &answer, &visitor, sid));
            let Answered { parameters, client, .. } = answered.ok_or_else(expired)?;
            let visitor = self.visitor(&parts).speaking(parameters.get("ui_locales"));
            let request = self.authorization_request(parameters).await?;
            let is_as_shown = client == Some(as_registered(&request.client));
            self.decide(&request, &answer, &visitor, sid, is_as_shown).await
        };
        decided.await.unwrap_or_else(|refusal| self.told(refusal, &visitor))
    }

    async fn decide(
        &self,
        request: &AuthorizationRequest,
        answer: &Parameters,
        visitor: &Visitor<'_>,
        sid: Option<&str>,
        is_as_shown: bool,
    ) -> Result<Response, Refusal> {
        if answer.only("decision") != Some("allow") {
            return Err(request.refused(ErrorCode::AccessDenied, "the user did not allow it"));
        }
        let present = self.present(request, visitor, sid).await?.ok_or_else(expired)?;
        if !is_as_shown {
            // The client registered something else meanwhile: that is another question.
            return Ok(self.consent_page(request, &present, visitor));
        }
        let chosen: Vec<&str> = answer.all("scope").collect();
        let asked = request.extent.scope.values();
        let scope: Scope = asked.filter(|value| *value == REQUIRED || chosen.contains(value)).collect();
        if scope.as_str().is_empty() {
            return Err(request.refused(ErrorCode::AccessDenied, "the user allowed nothing of it"));
        }
        let browser: Option<BrowserToken> = visitor.secret(Jar::Browser);
        if let Some(browser) = browser
            && may_remember(&request.client)
            && answer.only("remember") == Some("yes")
        {
            self.remember(request, &present, &scope, &browser).await?;
        }
        self.give(request, &present, scope, visitor).await
    }
}

/// How the client came to be here, as people should know it.
fn registered_by(client: &Client) -> RegisteredBy {
    match client.registered_by.kind.as_str() {
        "anonymous" => RegisteredBy::Itself,
        "operator" => RegisteredBy::Operator,
        _ => RegisteredBy::Token,
    }
}
