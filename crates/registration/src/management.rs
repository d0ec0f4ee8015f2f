//! A client's hold on its own registration: whoever has the registration access token. RFC 7592 §2.

use enroll_oauth_types::{ClientId, RegistrationAccessToken, SecretHash};
use enroll_store::{Client, StoreError};

use crate::{ClientInformation, Registrar};

/// Why a client does not get at its registration. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// 401 `invalid_token`: there is no such client, or the token is another's, which look alike. RFC 7592 §2.
    #[error("the registration access token is not valid for this client")]
    InvalidToken,
    /// 403 `access_denied`: the operator disabled the client. Whoever holds the token knows that it exists.
    #[error("this client is disabled; whoever runs the server can enable it")]
    Disabled,
    /// 503: only the log may know.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registrar {
    /// Reads a registration. RFC 7592 §2.1.
    pub async fn read(
        &self,
        id: &ClientId,
        token: RegistrationAccessToken,
    ) -> Result<ClientInformation, ManagementError> {
        let client = self.owned(id, &token).await?;
        let management = Some((self.configuration_url(&client.id), token));
        Ok(ClientInformation { client, client_secret: None, management })
    }

    /// Deletes a registration. When this returns, neither identifier nor secret nor token work any more. RFC 7592 §2.3.
    pub async fn delete(
        &self,
        id: &ClientId,
        token: &RegistrationAccessToken,
    ) -> Result<(), ManagementError> {
        self.owned(id, token).await?;
        if !self.clients.delete(id).await? {
            return Err(ManagementError::InvalidToken); // somebody else was quicker
        }
        tracing::info!(client.id = %id, "deleted a client at its own request");
        Ok(())
    }

    /// The client, for whoever holds its token.
    async fn owned(&self, id: &ClientId, token: &RegistrationAccessToken) -> Result<Client, ManagementError> {
        // A client that is not there is compared as well, so that the answer takes as long.
        let nobody = SecretHash::from([0; 32]);
        let client = self.clients.client(id).await?;
        let expected = client.as_ref().and_then(|client| client.registration_access_token);
        let matches = token.hash() == expected.unwrap_or(nobody) && expected.is_some();
        match client.filter(|_| matches) {
            None => Err(ManagementError::InvalidToken),
            Some(client) if !client.enabled => Err(ManagementError::Disabled),
            Some(client) => Ok(client),
        }
    }
}
