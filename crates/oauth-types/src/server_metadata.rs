//! The discovery document. RFC 8414 §2, OpenID Connect Discovery 1.0 §3.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Algorithm, AuthMethod, Capabilities, GrantType, ResponseType, SubjectType};

/// What a server publishes about itself. What is empty or absent is left out (RFC 8414 §3.2), but for three lists that
/// are required or mean something else when they are absent (RFC 8414 §2).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServerMetadata {
    #[schemars(url)]
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    token_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    response_types_supported: Vec<ResponseType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    response_modes_supported: Vec<String>,
    grant_types_supported: Vec<GrantType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subject_types_supported: Vec<SubjectType>,
    token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_challenge_methods_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acr_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details_types_supported: Vec<String>,
}

impl ServerMetadata {
    /// The document of the server that `issuer` names. Features whose endpoints are not served are not in it, even
    /// where clients may register for them.
    pub fn new(issuer: &str, capabilities: &Capabilities) -> Self {
        let capabilities = capabilities.clone();
        Self {
            issuer: issuer.to_owned(),
            registration_endpoint: None,
            token_endpoint: None,
            introspection_endpoint: None,
            revocation_endpoint: None,
            jwks_uri: None,
            scopes_supported: capabilities.scopes,
            response_types_supported: capabilities.response_types,
            response_modes_supported: capabilities.response_modes,
            grant_types_supported: capabilities.grant_types,
            subject_types_supported: capabilities.subject_types,
            token_endpoint_auth_methods_supported: capabilities.token_endpoint_auth_methods,
            token_endpoint_auth_signing_alg_values_supported: capabilities.token_endpoint_auth_signing_algs,
            id_token_signing_alg_values_supported: capabilities.id_token_signing_algs,
            code_challenge_methods_supported: capabilities.code_challenge_methods,
            acr_values_supported: capabilities.acr_values,
            authorization_details_types_supported: capabilities.authorization_details_types,
        }
    }

    /// The same, with the registration endpoint. RFC 8414 §2.
    #[must_use]
    pub fn with_registration_endpoint(mut self, url: &str) -> Self {
        self.registration_endpoint = Some(url.to_owned());
        self
    }

    /// The same, with what gives tokens. RFC 8414 §2.
    #[must_use]
    pub fn with_token_endpoints(self, endpoints: TokenEndpoints) -> Self {
        Self {
            token_endpoint: Some(endpoints.token),
            introspection_endpoint: Some(endpoints.introspection),
            revocation_endpoint: Some(endpoints.revocation),
            jwks_uri: Some(endpoints.jwks),
            ..self
        }
    }
}

/// Where tokens are given, told about and taken back, and the keys that they are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEndpoints {
    /// `token_endpoint`
    pub token: String,
    /// `introspection_endpoint`
    pub introspection: String,
    /// `revocation_endpoint`
    pub revocation: String,
    /// `jwks_uri`
    pub jwks: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8414 §3.2
    #[test]
    fn empty_lists_are_left_out() {
        let metadata =
            ServerMetadata::new("https://id.example", &Capabilities::code_and_client_credentials());
        let json = serde_json::to_value(metadata).unwrap();
        assert_eq!(json["issuer"], "https://id.example");
        assert!(json.get("acr_values_supported").is_none());
        assert!(json.get("registration_endpoint").is_none());
    }
}
