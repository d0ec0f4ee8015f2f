//! A client's hold on its own registration: whoever has the registration access token. RFC 7592 §2.

mod hold;
mod rotation;

use std::sync::Arc;
use std::time::Duration;

use enroll_access::{Caller, Credential, Terms};
use enroll_oauth_types::{
    ClientId, ClientSecret, RegistrationAccessToken, Rejection, Timestamp, UpdateRequest,
};
use enroll_store::{BoxError, Client, StoreError};

use crate::error::TooMany;
use crate::registration::Assembled;
use crate::steps;
use crate::{ClientInformation, Registrar, Registration, RegistrationError};
use hold::Hold;
pub use rotation::RotateToken;
use rotation::{Occasion, Turn};

/// Why a client does not get at its registration. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// 401 `invalid_token`: there is no such client, or the token is another's, which look alike. RFC 7592 §2.
    #[error("{}", Self::INVALID_TOKEN)]
    InvalidToken,
    /// 401 `invalid_token`: the client signed the request, but it is not one that can be taken. RFC 7523 §3.
    #[error("{0}")]
    WrongAssertion(&'static str),
    /// 403 `access_denied`: the operator disabled the client. Whoever holds the token knows that it exists.
    #[error("this client is disabled; whoever runs the server can enable it")]
    Disabled,
    /// 403 `access_denied`: nothing of the client is stored that could be changed. RFC 7592 §2.2: whether a server lets
    /// clients change themselves is its own affair.
    #[error(
        "nothing of this registration is stored but its client_id, so it can be read and deleted, and not changed: register again"
    )]
    Sealed,
    /// 403 `access_denied`: the terms that the client registered on are gone, and others may grant more.
    #[error("the policy that this client registered under is no longer there; ask whoever runs the server")]
    TermsGone,
    /// 400: what the client wants to be is refused. RFC 7592 §2.2.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// 409: others changed the client again and again at the same time.
    #[error("{}", Self::CONFLICT)]
    Conflict,
    /// 429: the client did this so often that more would have to be remembered than is good.
    #[error("this was done too often; try again after {} seconds", .0.as_secs())]
    TooOften(Duration),
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
            RegistrationError::TooOften(wait) => Self::TooOften(wait),
            RegistrationError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<TooMany> for ManagementError {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self::TooOften(retry_after)
    }
}

/// How often an update is tried when somebody else was quicker.
const ATTEMPTS: u32 = 5;

/// In all of these, `token` is the client's registration access token or, when it lost that, an assertion signed with a
/// key of its `jwks`: `iss` and `sub` are its identifier, `aud` is its `registration_client_uri`, `exp` is within an
/// hour, `jti` is new (RFC 7523 §3). The answer shows the token to use from then on.
impl Registrar {
    /// Reads a registration. RFC 7592 §2.1.
    pub async fn read(
        &self,
        id: &ClientId,
        token: RegistrationAccessToken,
    ) -> Result<ClientInformation, ManagementError> {
        self.change(id, &token, &Wish::Read).await
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
        let information = self.change(id, &token, &Wish::Replace(body)).await?;
        tracing::info!(client.id = %id.brief(), "changed a client at its own request");
        Ok(information)
    }

    /// Gives the client another secret. Those that it has go on to work for a while
    /// ([`Rules::secret_overlap`](crate::Rules::secret_overlap)), so that each place that uses one can change over.
    pub async fn rotate_secret(
        &self,
        id: &ClientId,
        token: RegistrationAccessToken,
    ) -> Result<ClientInformation, ManagementError> {
        let information = self.change(id, &token, &Wish::AnotherSecret).await?;
        tracing::info!(client.id = %id.brief(), "gave a client another secret at its own request");
        Ok(information)
    }

    /// Deletes a registration. When this returns, neither identifier nor secret nor token work any more. RFC 7592 §2.3.
    pub async fn delete(
        &self,
        id: &ClientId,
        token: &RegistrationAccessToken,
    ) -> Result<(), ManagementError> {
        self.settle(id, token).await?;
        if !self.clients.delete(id, self.server.clock.now()).await? {
            return Err(ManagementError::InvalidToken); // somebody else was quicker
        }
        tracing::info!(client.id = %id.brief(), "deleted a client at its own request");
        Ok(())
    }

    /// Whether this token is the client's. A signed request is remembered, so that it does nothing else until the client
    /// is gone.
    async fn settle(&self, id: &ClientId, token: &RegistrationAccessToken) -> Result<(), ManagementError> {
        for _ in 0..ATTEMPTS {
            let (mut client, hold) = self.held(id, token).await?;
            let Hold::Assertion(assertion) = hold else { return Ok(()) };
            if client.is_sealed() {
                return Ok(()); // what it asks for is its end, and happens once
            }
            client.used_assertions.push(assertion);
            match self.clients.replace(&client).await {
                Err(StoreError::Conflict) => {} // changed or deleted meanwhile: look again
                outcome => return Ok(outcome?),
            }
        }
        Err(ManagementError::Conflict)
    }

    /// Whether this token is the client's, without a change to anything.
    pub(crate) async fn must_be_held(
        &self,
        id: &ClientId,
        token: &RegistrationAccessToken,
    ) -> Result<(), ManagementError> {
        self.held(id, token).await.map(drop)
    }

    /// Grants the wish and hands over the token that the owner is to use from then on: one write for both, or none when
    /// nothing is new.
    async fn change(
        &self,
        id: &ClientId,
        token: &RegistrationAccessToken,
        wish: &Wish<'_>,
    ) -> Result<ClientInformation, ManagementError> {
        for _ in 0..ATTEMPTS {
            let (current, hold) = self.held(id, token).await?;
            let is_read = matches!(wish, Wish::Read);
            let occasion = match is_read {
                // A read must not store anything, or whoever floods could have it stored.
                true if current.is_sealed() => Occasion::Look,
                true => Occasion::Read,
                false => Occasion::Update,
            };
            if current.is_sealed() && (!is_read || matches!(hold, Hold::Assertion(_))) {
                return Err(ManagementError::Sealed);
            }
            let turn = Turn::new(hold, token, occasion, &self.server);
            let (mut client, issued) = match wish {
                Wish::Read => (current, None),
                Wish::Replace(body) => self.replaced(&current, body, &turn).await?,
                Wish::AnotherSecret => self.with_another_secret(current, &turn)?,
            };
            let client_secret = issued.or_else(|| turn.secret_again(&client));
            let (token, is_new) = turn.hand_over(&mut client)?;
            if is_new || !is_read {
                client.updated_at = self.server.clock.now();
                match self.clients.replace(&client).await {
                    Ok(()) => {}
                    Err(StoreError::Conflict) => continue, // changed or deleted meanwhile: look again
                    Err(error) => return Err(error.into()),
                }
            }
            let management = Some((self.configuration_url(id), token));
            return Ok(ClientInformation { client, client_secret, management });
        }
        Err(ManagementError::Conflict)
    }

    /// The client as it would be, with a secret when it needs one that it has not had.
    async fn replaced(
        &self,
        current: &Client,
        body: &[u8],
        turn: &Turn<'_>,
    ) -> Result<Changed, ManagementError> {
        let request = UpdateRequest::parse(body, &self.rules().reading)?;
        must_be_itself(current, &request, self.server.clock.now())?;
        let terms = self.terms_of(current)?;
        let caller = Caller::new(Credential::RegistrationAccessToken).on(terms);
        let assembled = Assembled::new(&request.metadata, &caller, Some(current), &self.server);
        let mut registration = Registration::new(&request.metadata, &assembled, &caller, &self.server);
        registration.current = Some(current);
        registration.next_secret = turn.secret();
        self.pipeline.run(&mut registration).await?;
        let Registration { client, issued, .. } = registration;
        let client = Client {
            issued_at: current.issued_at,
            revision: current.revision,
            registered_by: current.registered_by.clone(),
            superseded_tokens: current.superseded_tokens.clone(),
            used_assertions: current.used_assertions.clone(),
            ..client
        };
        Ok((client, issued.client_secret))
    }

    fn with_another_secret(&self, mut client: Client, turn: &Turn<'_>) -> Result<Changed, ManagementError> {
        if client.secrets.is_empty() {
            let problem = "this client has none: it authenticates without";
            return Err(Rejection::metadata("client_secret", problem).into());
        }
        let terms = self.terms_of(&client)?;
        if turn.secret_again(&client).is_some() {
            return Ok((client, None)); // it has it, and asks again
        }
        steps::end_after_overlap(&mut client, &self.server);
        let secret = steps::another_secret(&mut client, turn.secret(), &terms, &self.server)?;
        Ok((client, Some(secret)))
    }

    fn terms_of(&self, client: &Client) -> Result<Arc<Terms>, ManagementError> {
        self.gate.terms_of(client).ok_or(ManagementError::TermsGone)
    }
}

/// What the owner of a client wants of its registration.
enum Wish<'a> {
    Read,
    Replace(&'a [u8]),
    AnotherSecret,
}

/// A client as it would be, and the secret to be shown.
type Changed = (Client, Option<ClientSecret>);

/// RFC 7592 §2.2: the identifier is the client's own, and so is the secret, if it shows one.
fn must_be_itself(client: &Client, request: &UpdateRequest, now: Timestamp) -> Result<(), Rejection> {
    if request.client_id != client.id {
        return Err(Rejection::metadata("client_id", "must be that of the client"));
    }
    let Some(secret) = &request.client_secret else { return Ok(()) };
    // Each is compared, so that the time tells nothing of which one it is.
    let hash = secret.hash();
    let matches = client.secrets.iter().filter(|own| own.hash == hash && own.works(now)).count() > 0;
    if matches {
        Ok(())
    } else {
        Err(Rejection::metadata("client_secret", "must be that of the client, or be left out"))
    }
}
