//! The token endpoint. RFC 6749 §3.2, §5.

use axum::response::Response;
use enroll_endpoint::json;
use enroll_oauth_types::{ErrorCode, GrantType};
use enroll_store::Client;
use http::StatusCode;
use serde::Serialize;

use crate::form::Form;
use crate::{ProtocolError, Provider};

/// RFC 6749 §5.1
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u32,
    /// Always, so that nobody has to remember what it asked.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) scope: String,
}

impl Provider {
    pub(crate) async fn token(&self, client: &Client, form: &Form) -> Result<Response, ProtocolError> {
        let asked = form.get("grant_type");
        let asked = asked.ok_or_else(|| ProtocolError::invalid_request("grant_type: is required"))?;
        let grant = GrantType::from(asked);
        if grant != GrantType::ClientCredentials {
            let problem = "grant_type: must be client_credentials";
            return Err(ProtocolError::new(ErrorCode::UnsupportedGrantType, problem));
        }
        must_have(client, &grant)?;
        let response = self.client_credentials(client, form).await?;
        tracing::info!(client.id = %client.id, "gave a token to a client by its own credentials");
        Ok(json(StatusCode::OK, &response))
    }
}

/// RFC 6749 §5.2: `unauthorized_client`
fn must_have(client: &Client, grant: &GrantType) -> Result<(), ProtocolError> {
    if client.metadata.grant_types.iter().flatten().any(|own| own == grant) {
        return Ok(());
    }
    let problem = format!("grant_type: the client is not registered for {grant}");
    Err(ProtocolError::new(ErrorCode::UnauthorizedClient, problem))
}
