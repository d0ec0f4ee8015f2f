//! What a token says, for whom it concerns. RFC 7662.

use axum::response::Response;
use enroll_endpoint::json as answer;
use enroll_oauth_types::AuthMethod;
use enroll_store::Client;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::access_token::Claims;
use crate::form::Form;
use crate::{ProtocolError, Provider};

/// RFC 7662 §2.2
#[derive(Serialize)]
struct Introspection {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: Claims,
}

impl Provider {
    /// A client sees its own tokens. Whatever else is asked about is not active, and nothing more is told. RFC 7662 §2.2.
    pub(crate) async fn introspect(&self, client: &Client, form: &Form) -> Result<Response, ProtocolError> {
        if client.metadata.token_endpoint_auth_method == Some(AuthMethod::None) {
            return Err(ProtocolError::not_proven(false));
        }
        let token = form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))?;
        let claims = self.claims_of(token).await?.filter(|claims| claims.client_id == client.id);
        Ok(match claims {
            Some(claims) => {
                answer(StatusCode::OK, &Introspection { active: true, token_type: "Bearer", claims })
            }
            None => answer(StatusCode::OK, &json!({ "active": false })),
        })
    }
}
