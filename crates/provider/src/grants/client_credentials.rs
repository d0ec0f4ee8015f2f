//! A client acts for itself. RFC 6749 §4.4.

use enroll_oauth_types::{AuthMethod, ErrorCode, Scope};
use enroll_store::Client;

use crate::endpoints::TokenResponse;
use crate::parameters::Parameters;
use crate::tokens::access_token::NewAccessToken;
use crate::{ProtocolError, Provider};

impl Provider {
    pub(crate) async fn client_credentials(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, ProtocolError> {
        if client.metadata.token_endpoint_auth_method == Some(AuthMethod::None) {
            let problem = "grant_type: client_credentials is for clients that authenticate";
            return Err(ProtocolError::new(ErrorCode::UnauthorizedClient, problem));
        }
        let none = Scope::default();
        let registered = client.metadata.scope.as_ref().unwrap_or(&none);
        let extent = self.catalog.for_client(registered, form.get("scope"), form.all("resource"))?;
        let scope = extent.scope.as_str().to_owned();
        // RFC 9068 §2.2: where no user takes part, the client is the subject.
        let subject = client.id.as_str().to_owned();
        let mut token = self.access_token(NewAccessToken { client, subject, extent, grant: None }).await?;
        if let Some(write) = token.write.take() {
            self.records.apply(vec![write]).await?;
        }
        Ok(TokenResponse::new(token, scope))
    }
}
