//! The answer to an authorization request, carried by the browser. RFC 6749 §4.1.2, §4.2.2, RFC 9207, OAuth 2.0 Form Post
//! Response Mode §2, JARM.

use std::time::Duration;

use axum::response::Response;
use enroll_oauth_types::{ErrorBody, ErrorCode, Scope};
use enroll_pages::{FormPostPage, Forms, PostTarget};
use http::StatusCode;
use serde_json::{Map, Value};

use super::destination::{Carrier, Destination};
use super::{AuthorizationRequest, Flow, Present, Refusal};
use crate::browser::Visitor;
use crate::html::{page, redirect, with_fragment, with_query};
use crate::tokens::encryption::encrypted;
use crate::{ProtocolError, Provider};

/// How long a signed answer may be on its way. JARM §2.1: ten minutes at the most.
const SIGNED_LIFETIME: Duration = Duration::from_mins(10);

impl Provider {
    /// The client gets what it asked for, as far as the user allowed it.
    pub(super) async fn give(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        scope: Scope,
        visitor: &Visitor<'_>,
    ) -> Result<Response, Refusal> {
        match &request.flow {
            Flow::Code { challenge } => {
                let code = self.new_code(request, challenge, present, &scope).await?;
                self.clients.confirm(&request.client).await?;
                Ok(self.carried(&request.destination, &[("code", code.expose())], visitor))
            }
            Flow::Implicit { access_token } => {
                let told = self.implicit(request, *access_token, present, &scope).await?;
                self.clients.confirm(&request.client).await?;
                let told: Vec<_> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Ok(self.carried(&request.destination, &told, visitor))
            }
        }
    }

    /// The client is told what is wrong. RFC 6749 §4.1.2.1.
    pub(super) fn refused(
        &self,
        destination: &Destination,
        code: &ErrorCode,
        problem: &str,
        visitor: &Visitor<'_>,
    ) -> Response {
        tracing::info!(error = %code, "refused an authorization: {problem}");
        let body = ErrorBody::new(code.clone(), problem);
        let parameters = [("error", code.as_str()), ("error_description", body.description())];
        self.carried(destination, &parameters, visitor)
    }

    fn carried(&self, destination: &Destination, answer: &[(&str, &str)], visitor: &Visitor<'_>) -> Response {
        let state = destination.state.as_deref().map(|state| ("state", state));
        let mut parameters = answer.to_vec();
        parameters.extend(state);
        let signed;
        if destination.mode.signed {
            signed = match self.signed_response(destination, &parameters) {
                Ok(signed) => signed,
                Err(error) => return self.told(error.into(), visitor),
            };
            parameters = vec![("response", &signed)];
        } else {
            // RFC 9207 §2: in each answer, so that a client knows whom it is talking to.
            parameters.push(("iss", &self.issuer));
        }
        let target = PostTarget::parse(&destination.redirect_uri);
        match (destination.mode.carrier, target) {
            (Carrier::FormPost, Some(target)) => {
                let html = FormPostPage { target, parameters }.render(&visitor.look());
                page(StatusCode::OK, html, Forms::ClientThenAnywhere)
            }
            (Carrier::Fragment, _) => redirect(&with_fragment(&destination.redirect_uri, &parameters)),
            _ => redirect(&with_query(&destination.redirect_uri, &parameters)),
        }
    }

    /// JARM §2.1, §2.2
    fn signed_response(
        &self,
        destination: &Destination,
        answer: &[(&str, &str)],
    ) -> Result<String, ProtocolError> {
        let (client, algorithm) = &destination.reader;
        let told = answer.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let mut claims: Map<String, Value> = told.collect();
        claims.insert("iss".to_owned(), self.issuer.as_str().into());
        claims.insert("aud".to_owned(), client.as_str().into());
        claims.insert("exp".to_owned(), (self.clock.now() + SIGNED_LIFETIME).seconds().into());
        encrypted(destination.recipient.as_ref(), self.signed_now(*algorithm, "JWT", &claims)?)
    }
}
