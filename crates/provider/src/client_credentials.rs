//! A client acts for itself. RFC 6749 §4.4.

use enroll_oauth_types::{AuthMethod, ErrorCode, Scope};
use enroll_store::Client;

use crate::access_token::NewAccessToken;
use crate::form::Form;
use crate::token::TokenResponse;
use crate::{ProtocolError, Provider};

impl Provider {
    pub(crate) async fn client_credentials(
        &self,
        client: &Client,
        form: &Form,
    ) -> Result<TokenResponse, ProtocolError> {
        if client.metadata.token_endpoint_auth_method == Some(AuthMethod::None) {
            let problem = "grant_type: client_credentials is for clients that authenticate";
            return Err(ProtocolError::new(ErrorCode::UnauthorizedClient, problem));
        }
        let none = Scope::default();
        let registered = client.metadata.scope.as_ref().unwrap_or(&none);
        let grant = self.catalog.for_client(registered, form.get("scope"), form.all("resource"))?;
        let scope = grant.scope.as_str().to_owned();
        // RFC 9068 §2.2: where no user takes part, the client is the subject.
        let new = NewAccessToken { client, subject: client.id.as_str(), grant };
        let (access_token, expires_in) = self.issue(new).await?;
        Ok(TokenResponse { access_token, token_type: "Bearer", expires_in, scope })
    }
}
