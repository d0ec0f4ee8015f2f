//! A client's hold on its own registration: whoever has the registration access token. RFC 7592 §2.

use enroll_access::{Caller, Credential};
use enroll_oauth_types::{
    ClientId, ClientSecret, RegistrationAccessToken, Rejection, SecretHash, UpdateRequest,
};
use enroll_store::{BoxError, Client, StoreError};

use crate::registrar::assemble;
use crate::{ClientInformation, Registrar, Registration, RegistrationError};

/// Why a client does not get at its registration. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// 401 `invalid_token`: there is no such client, or the token is another's, which look alike. RFC 7592 §2.
    #[error("{}", Self::INVALID_TOKEN)]
    InvalidToken,
    /// 403 `access_denied`: the operator disabled the client. Whoever holds the token knows that it exists.
    #[error("this client is disabled; whoever runs the server can enable it")]
    Disabled,
    /// 403 `access_denied`: the terms that the client registered on are gone, and others may grant more.
    #[error("the policy that this client registered under is no longer there; ask whoever runs the server")]
    TermsGone,
    /// 400: what the client wants to be is refused. RFC 7592 §2.2.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// 409: others changed the client again and again at the same time.
    #[error("{}", Self::CONFLICT)]
    Conflict,
    /// 503: only the log may know.
    #[error("managing a registration failed")]
    Internal(#[source] BoxError),
}

impl ManagementError {
    pub(crate) const INVALID_TOKEN: &str = "the registration access token is not valid for this client";
    pub(crate) const CONFLICT: &str = "the registration was changed at the same time; read it, and try again";
}

impl From<StoreError> for ManagementError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<RegistrationError> for ManagementError {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Rejected(rejection) => Self::Rejected(rejection),
            RegistrationError::Spent => Self::Internal("an update pays with no token".into()),
            RegistrationError::Internal(cause) => Self::Internal(cause),
        }
    }
}

/// How often an update is tried when somebody else was quicker.
const ATTEMPTS: u32 = 5;

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

    /// Replaces a registration by what `body` says: through the same pipeline, on the present terms of the policy that let
    /// the client in. What is left out is not registered any more. When this returns, the change is stored for good; when
    /// it fails, nothing has changed. RFC 7592 §2.2.
    pub async fn update(
        &self,
        id: &ClientId,
        token: RegistrationAccessToken,
        body: &[u8],
    ) -> Result<ClientInformation, ManagementError> {
        for _ in 0..ATTEMPTS {
            let current = self.owned(id, &token).await?;
            let (client, client_secret) = self.updated(&current, body).await?;
            match self.clients.replace(&client).await {
                Ok(()) => {
                    tracing::info!(client.id = %id, "changed a client at its own request");
                    let management = Some((self.configuration_url(id), token));
                    return Ok(ClientInformation { client, client_secret, management });
                }
                Err(StoreError::Conflict) => {} // changed or deleted meanwhile: look again
                Err(error) => return Err(error.into()),
            }
        }
        Err(ManagementError::Conflict)
    }

    /// The client as it would be, with a secret when it needs one that it has not had.
    async fn updated(
        &self,
        current: &Client,
        body: &[u8],
    ) -> Result<(Client, Option<ClientSecret>), ManagementError> {
        let request = UpdateRequest::parse(body, &self.rules().reading)?;
        must_be_itself(current, &request)?;
        let terms = self.gate.terms_of(&current.registered_by).ok_or(ManagementError::TermsGone)?;
        let caller = Caller::new(Credential::RegistrationAccessToken).on(terms);
        let asked = assemble(&request.metadata, &caller);
        let mut registration = Registration::new(&request.metadata, &asked, &caller, &self.server);
        registration.current = Some(current);
        self.pipeline.run(&mut registration).await?;
        let Registration { client, issued, .. } = registration;
        let client = Client {
            issued_at: current.issued_at,
            revision: current.revision,
            registered_by: current.registered_by.clone(),
            ..client
        };
        Ok((client, issued.client_secret))
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
    pub(crate) async fn owned(
        &self,
        id: &ClientId,
        token: &RegistrationAccessToken,
    ) -> Result<Client, ManagementError> {
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

/// RFC 7592 §2.2: the identifier is the client's own, and so is the secret, if it shows one.
fn must_be_itself(client: &Client, request: &UpdateRequest) -> Result<(), Rejection> {
    if request.client_id != client.id {
        return Err(Rejection::metadata("client_id", "must be that of the client"));
    }
    let Some(secret) = &request.client_secret else { return Ok(()) };
    // Each is compared, so that the time tells nothing of which one it is.
    let matches = client.secrets.iter().filter(|own| own.hash == secret.hash()).count() > 0;
    if matches {
        Ok(())
    } else {
        Err(Rejection::metadata("client_secret", "must be that of the client, or be left out"))
    }
}
