//! The token endpoint. RFC 6749 §3.2, §5.

use axum::response::Response;
use enroll_endpoint::json;
use enroll_oauth_types::{ErrorCode, GrantType, Timestamp};
use enroll_store::Client;
use http::StatusCode;
use serde::Serialize;

use crate::parameters::Parameters;
use crate::tokens::access_token::AccessToken;
use crate::{ProtocolError, Provider};

/// RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u32,
    /// Always, so that nobody has to remember what it asked.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<String>,
    #[serde(skip)]
    pub(crate) ends_at: Timestamp,
}

impl TokenResponse {
    /// The answer with this access token, for this scope.
    pub(crate) fn new(token: AccessToken, scope: String) -> Self {
        Self {
            access_token: token.text,
            token_type: "Bearer",
            expires_in: token.lifetime,
            scope,
            refresh_token: None,
            id_token: None,
            ends_at: token.ends_at,
        }
    }
}

impl Provider {
    pub(crate) async fn token(&self, client: &Client, form: &Parameters) -> Result<Response, ProtocolError> {
        let asked = form.get("grant_type");
        let asked = asked.ok_or_else(|| ProtocolError::invalid_request("grant_type: is required"))?;
        let grant = GrantType::from(asked);
        let known = [GrantType::AuthorizationCode, GrantType::ClientCredentials, GrantType::RefreshToken];
        if !known.contains(&grant) {
            let problem = "grant_type: must be authorization_code, refresh_token or client_credentials";
            return Err(ProtocolError::new(ErrorCode::UnsupportedGrantType, problem));
        }
        must_have(client, &grant)?;
        must_not_need_a_bound_token(client)?;
        let response = match grant {
            GrantType::AuthorizationCode => self.authorization_code(client, form).await?,
            GrantType::RefreshToken => self.refresh_token(client, form).await?,
            _ => self.client_credentials(client, form).await?,
        };
        self.activity.note_use(client, self.clock.now());
        tracing::info!(client.id = %client.id.brief(), "gave a token by {grant}");
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

/// A client that wants its tokens bound to a key gets none that anybody can use. RFC 9449 §5.2, RFC 8705 §3.4.
pub(crate) fn must_not_need_a_bound_token(client: &Client) -> Result<(), ProtocolError> {
    let metadata = &client.metadata;
    for (member, value) in [
        ("dpop_bound_access_tokens", metadata.dpop_bound_access_tokens),
        ("tls_client_certificate_bound_access_tokens", metadata.tls_client_certificate_bound_access_tokens),
    ] {
        if value == Some(true) {
            let problem =
                format!("the client is registered with {member}, and this server binds no tokens yet");
            return Err(ProtocolError::invalid_request(problem));
        }
    }
    Ok(())
}
