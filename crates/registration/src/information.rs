//! The client information response: everything the server knows about a client that the client may know. RFC 7591
//! §3.2.1, RFC 7592 §3.

use enroll_oauth_types::{ClientMetadata, ClientSecret, RegistrationAccessToken, Timestamp};
use enroll_store::Client;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The answer to a registration, and to a read of one.
#[derive(Debug)]
pub struct ClientInformation {
    /// The client as it is stored.
    pub client: Client,
    /// Shown once, when it is issued.
    pub client_secret: Option<ClientSecret>,
    /// Where the client manages itself, and with what; both or neither.
    pub management: Option<(String, RegistrationAccessToken)>,
}

impl ClientInformation {
    /// The effective metadata.
    pub fn metadata(&self) -> &ClientMetadata {
        &self.client.metadata
    }

    /// `registration_client_uri`
    pub fn registration_client_uri(&self) -> Option<&str> {
        self.management.as_ref().map(|(uri, _)| uri.as_str())
    }

    /// `client_secret_expires_at`: 0 is never. RFC 7591 §3.2.1.
    fn client_secret_expires_at(&self) -> Timestamp {
        self.client.secrets.last().and_then(|secret| secret.expires_at).unwrap_or_default()
    }
}

impl Serialize for ClientInformation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("client_id", &self.client.id)?;
        map.serialize_entry("client_id_issued_at", &self.client.issued_at)?;
        if let Some(secret) = &self.client_secret {
            map.serialize_entry("client_secret", secret.expose())?;
            map.serialize_entry("client_secret_expires_at", &self.client_secret_expires_at())?;
        }
        if let Some((uri, token)) = &self.management {
            map.serialize_entry("registration_client_uri", uri)?;
            map.serialize_entry("registration_access_token", token.expose())?;
        }
        self.client.metadata.write_members(&mut map)?;
        self.client.metadata.extensions.write_members(&mut map)?;
        map.end()
    }
}
