//! What lets a client manage its own registration: its token, the one before, or a request signed with its key.

use std::hint::black_box;
use std::sync::Arc;

use enroll_access::{AssertionError, ClientAssertion, SignedBy};
use enroll_oauth_types::{ClientId, RegistrationAccessToken, SecretHash, Timestamp};
use enroll_store::{Client, StoreError, UsedAssertion};

use crate::{ManagementError, Registrar};

/// How its owner showed that a registration is its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hold {
    /// By the token that it should use.
    Token,
    /// By one before, since it may not have seen the one that took its place; with the salt that leads there, if it does.
    SupersededToken { salt: Option<String> },
    /// By a request that it signed, since it lost its token.
    Assertion(UsedAssertion),
}

impl Registrar {
    /// The client, for whoever holds it. `presented` is its registration access token, or an assertion signed with a key
    /// that it registered, whose audience is its client configuration endpoint.
    pub(super) async fn held(
        &self,
        id: &ClientId,
        presented: &RegistrationAccessToken,
    ) -> Result<(Client, Hold), ManagementError> {
        let client = self.clients.client(id).await?.filter(|_| self.rules().management);
        if client.is_none() {
            let _ = black_box(nobody());
        }
        let now = self.server.clock.now();
        let hold = match by_token(client.as_deref(), presented, now) {
            Some(hold) => hold,
            None => Hold::Assertion(self.by_assertion(id, client.as_deref(), presented).await?),
        };
        match client {
            None => Err(ManagementError::InvalidToken),
            Some(client) if !client.enabled => Err(ManagementError::Disabled),
            Some(client) => Ok((Arc::unwrap_or_clone(client), hold)),
        }
    }

    async fn by_assertion(
        &self,
        id: &ClientId,
        client: Option<&Client>,
        presented: &RegistrationAccessToken,
    ) -> Result<UsedAssertion, ManagementError> {
        // A client that was given no token is not to manage itself at all.
        let client = client.filter(|client| client.registration_access_token.is_some());
        let url = self.configuration_url(id);
        let signed = SignedBy {
            client: id,
            metadata: client.map(|client| &client.metadata),
            secrets: &[],
            audiences: &[&url],
        };
        let outbound = self.server.remote.outbound();
        let verified = signed.verify(presented.expose(), outbound, self.server.clock.now()).await;
        let ClientAssertion { jti, expires_at } = verified.map_err(|error| match error {
            AssertionError::NotSigned => ManagementError::InvalidToken,
            AssertionError::Wrong(why) => ManagementError::WrongAssertion(why),
        })?;
        let mut used = client.iter().flat_map(|client| &client.used_assertions);
        if used.any(|used| used.jti == jti) {
            return Err(ManagementError::WrongAssertion("the assertion was used before"));
        }
        Ok(UsedAssertion { jti, expires_at })
    }
}

/// A client as the usual one, read so that one that is not there takes as long as one that is.
fn nobody() -> Result<Client, StoreError> {
    Client::from_document(include_str!("hold/nobody.json"), 1)
}

/// A client that is not there, and a token that is not, are compared as well, so that the answer takes as long.
fn by_token(client: Option<&Client>, presented: &RegistrationAccessToken, now: Timestamp) -> Option<Hold> {
    let hash = presented.hash();
    let token = client.and_then(|client| client.registration_access_token);
    let is_token = hash == token.unwrap_or(SecretHash::from([0; 32])) && token.is_some();
    let superseded = client.iter().flat_map(|client| &client.superseded_tokens);
    let superseded = superseded.filter(|token| hash == token.hash && now < token.expires_at);
    let superseded = superseded.reduce(|_, last| last);
    match superseded {
        _ if is_token => Some(Hold::Token),
        Some(token) => Some(Hold::SupersededToken { salt: token.salt.clone() }),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_read_as_everybody_is() {
        assert_eq!(nobody().unwrap().secrets.len(), 1);
    }
}
