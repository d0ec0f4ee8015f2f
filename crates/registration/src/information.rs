//! The client information response: everything the server knows about a client that the client may know. RFC 7591
//! §3.2.1, RFC 7592 §3.

use enroll_oauth_types::{ClientMetadata, ClientSecret, RegistrationAccessToken, Timestamp};
use enroll_store::Client;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

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

    /// What it holds besides metadata, as a JSON Schema.
    pub(crate) fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "client_id": { "type": "string", "minLength": 1, "description": "The name of the client here." },
                "client_id_issued_at": {
                    "type": "integer", "minimum": 0, "description": "When it was registered, in Unix seconds.",
                },
                "client_secret": { "type": "string", "minLength": 1, "description": "Shown once." },
                "client_secret_expires_at": {
                    "type": "integer", "minimum": 0, "description": "In Unix seconds; 0 is never.",
                },
                "registration_client_uri": {
                    "type": "string", "format": "uri", "description": "Where the client reads and changes this.",
                },
                "registration_access_token": {
                    "type": "string", "minLength": 1, "description": "The credential for that.",
                },
            },
            "required": ["client_id", "client_id_issued_at"],
            "dependentRequired": {
                "client_secret": ["client_secret_expires_at"],
                "client_secret_expires_at": ["client_secret"],
                "registration_client_uri": ["registration_access_token"],
                "registration_access_token": ["registration_client_uri"],
            },
        })
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
