//! The answer to an authorization request, carried by the browser. RFC 6749 §4.1.2, RFC 9207, OAuth 2.0 Form Post Response
//! Mode §2.

use axum::response::Response;
use enroll_oauth_types::{AuthorizationCode, ErrorBody, ErrorCode};
use enroll_pages::{FormPostPage, Forms, PostTarget};
use http::StatusCode;

use super::destination::{Destination, ResponseMode};
use crate::Provider;
use crate::browser::Visitor;
use crate::html::{page, redirect, with_query};

impl Provider {
    /// The client gets a code.
    pub(crate) fn granted(
        &self,
        destination: &Destination,
        code: &AuthorizationCode,
        visitor: &Visitor<'_>,
    ) -> Response {
        self.carried(destination, &[("code", code.expose())], visitor)
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
        // RFC 9207 §2: in each answer, so that a client knows whom it is talking to.
        parameters.push(("iss", &self.issuer));
        let target = PostTarget::parse(&destination.redirect_uri);
        match (destination.mode, target) {
            (ResponseMode::FormPost, Some(target)) => {
                let html = FormPostPage { target, parameters }.render(&visitor.look());
                page(StatusCode::OK, html, Forms::Client(target))
            }
            _ => redirect(&with_query(&destination.redirect_uri, &parameters)),
        }
    }
}
