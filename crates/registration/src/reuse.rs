//! One client for all who register the same: optional, for public clients that anybody registers. RFC 7591 §3.2.1 lets the
//! server give "the same client identifier to multiple instances of a registered client".
//!
//! The identifier is derived from what is registered, under the sealing key, so that the index that keeps identifiers
//! unique makes one client of many requests at once, and nobody can tell an identifier who did not register the same. Nobody
//! owns such a client: it has neither secret nor keys nor registration access token.

use std::sync::Arc;
use std::time::Duration;

use enroll_access::{Caller, Credential};
use enroll_oauth_types::{AuthMethod, ClientId, SealingKey};
use enroll_store::{Client, StoreError};

use crate::Registrar;

/// How often such a client may have been deleted before each registration gets one of its own.
const GENERATIONS: u32 = 16;

/// How often a look is repeated when others register, change or delete the same client.
const ATTEMPTS: u32 = 5;

/// How old the last sign of life may be that a registration does not renew.
const RENEWED_AFTER: Duration = Duration::from_hours(1);

/// What an identifier is.
enum Place {
    /// The client that is asked for.
    Shared(Box<Client>),
    /// A client that differs by now, or that the operator disabled.
    Taken,
    /// Nobody's any more.
    Deleted,
}

impl Registrar {
    /// The client that all have who register this; `None` when this caller is to have one of its own.
    pub(crate) async fn shared(&self, own: &Client) -> Result<Option<Client>, StoreError> {
        let Some(key) = &self.server.sealing_key else { return Ok(None) };
        for generation in 0..GENERATIONS {
            let id = derived(own, generation, key);
            match self.place(Client { id, registration_access_token: None, ..own.clone() }).await? {
                Place::Shared(client) => return Ok(Some(*client)),
                Place::Taken => return Ok(None),
                Place::Deleted => {}
            }
        }
        Ok(None)
    }

    /// Whether others may have the same client. Whoever has a secret, a key or a token of one could speak for all of them. Of
    /// one that is sealed in its identifier there is nothing to share.
    pub(crate) fn may_be_shared(&self, client: &Client, caller: &Caller) -> bool {
        let metadata = &client.metadata;
        self.server.rules.reuse_identical
            && !client.is_sealed()
            && matches!(caller.credential, Credential::Anonymous)
            && metadata.token_endpoint_auth_method == Some(AuthMethod::None)
            && client.secrets.is_empty()
            && metadata.jwks.is_none()
            && metadata.jwks_uri.is_none()
    }

    async fn place(&self, wanted: Client) -> Result<Place, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(here) = self.clients.client(&wanted.id).await? else {
                match self.clients.insert(&wanted, None).await {
                    Ok(()) => return Ok(Place::Shared(Box::new(wanted))),
                    Err(StoreError::Duplicate) if self.clients.deleted_at(&wanted.id).await?.is_some() => {
                        return Ok(Place::Deleted);
                    }
                    Err(StoreError::Duplicate) => continue, // somebody was quicker
                    Err(error) => return Err(error),
                }
            };
            let is_same = here.enabled
                && here.metadata == wanted.metadata
                && here.registered_by == wanted.registered_by
                && here.registration_access_token.is_none();
            if !is_same {
                return Ok(Place::Taken);
            }
            // Whoever registers it will use it: it must not be taken for unused in between.
            if wanted.updated_at < here.updated_at + RENEWED_AFTER {
                return Ok(Place::Shared(Box::new(Arc::unwrap_or_clone(here))));
            }
            let renewed = Client { updated_at: wanted.updated_at, ..Arc::unwrap_or_clone(here) };
            match self.clients.replace(&renewed).await {
                Ok(()) => return Ok(Place::Shared(Box::new(renewed))),
                Err(StoreError::Conflict) => {} // changed or deleted meanwhile: look again
                Err(error) => return Err(error),
            }
        }
        Ok(Place::Taken)
    }
}

/// The identifier for what this client registers.
fn derived(client: &Client, generation: u32, key: &SealingKey) -> ClientId {
    let by = &client.registered_by;
    let what = (generation, &by.kind, &by.policy, &client.metadata, &client.metadata.extensions);
    ClientId::derived(&serde_json::to_string(&what).expect("metadata is made of JSON"), key)
}
