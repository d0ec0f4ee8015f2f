//! Tokens straight from the authorization endpoint: an ID token, and an access token if one is asked for. Nothing renews them:
//! who wants more asks again, with `prompt=none`. OpenID Connect Core 1.0 §3.2.2.5.

use enroll_oauth_types::Scope;

use crate::authorization::{AuthorizationRequest, Present};
use crate::parameters::Parameters;
use crate::{ProtocolError, Provider};

impl Provider {
    /// The parameters of the answer.
    pub(crate) async fn implicit(
        &self,
        request: &AuthorizationRequest,
        access_token: bool,
        present: &Present,
        scope: &Scope,
    ) -> Result<Vec<(&'static str, String)>, ProtocolError> {
        let client = &request.client;
        let nonce = request.nonce.as_deref();
        self.activity.note_use(client, self.clock.now());
        let mut grant = self.new_grant(request, present, scope, self.clock.now());
        if !access_token {
            // Nothing points at what came of this, so nothing is stored.
            let id_token = self.id_token(client, &present.user, &grant, nonce, None).await?;
            tracing::info!(client.id = %client.id.brief(), "gave an ID token by way of the browser");
            return Ok(vec![("id_token", id_token)]);
        }
        // The grant has the resources, but for those that the user closed.
        let (response, mut writes, user) =
            self.tokens_of(client, &Parameters::default(), &grant, None).await?;
        let id_token = self.id_token(client, &user, &grant, nonce, Some(&response.access_token)).await?;
        grant.ends_at = response.ends_at;
        writes.push(grant.begun()?);
        self.records.apply(writes).await?;
        tracing::info!(client.id = %client.id.brief(), "gave an ID token and an access token by way of the browser");
        Ok(vec![
            ("access_token", response.access_token),
            ("token_type", response.token_type.to_owned()),
            ("expires_in", response.expires_in.to_string()),
            ("scope", response.scope),
            ("id_token", id_token),
        ])
    }
}
