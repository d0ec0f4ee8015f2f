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
    authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    token_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    userinfo_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    end_session_endpoint: Option<String>,
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
    introspection_endpoint_auth_methods_supported: Vec<AuthMethod>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_encryption_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_encryption_enc_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_methods_supported: Vec<AuthMethod>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_token_encryption_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_token_encryption_enc_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    userinfo_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    userinfo_encryption_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    userinfo_encryption_enc_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_signing_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_encryption_alg_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_encryption_enc_values_supported: Vec<Algorithm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_challenge_methods_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acr_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details_types_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompt_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ui_locales_supported: Vec<String>,
    #[serde(flatten)]
    switches: Option<Switches>,
}

/// What an authorization server says of itself by yes or no. Left out, the third would mean yes. OpenID Connect Discovery
/// 1.0 §3, RFC 9207 §3.
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the document")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Switches {
    authorization_response_iss_parameter_supported: bool,
    claims_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    request_parameter_supported: bool,
}

impl ServerMetadata {
    /// The document of the server that `issuer` names. Features whose endpoints are not served are not in it, even
    /// where clients may register for them.
    pub fn new(issuer: &str, capabilities: &Capabilities) -> Self {
        let capabilities = capabilities.clone();
        Self {
            issuer: issuer.to_owned(),
            registration_endpoint: None,
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            end_session_endpoint: None,
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
            introspection_endpoint_auth_methods_supported: Vec::new(),
            introspection_endpoint_auth_signing_alg_values_supported: Vec::new(),
            introspection_signing_alg_values_supported: capabilities.introspection_signing_algs,
            introspection_encryption_alg_values_supported: capabilities.encryption_algs.clone(),
            introspection_encryption_enc_values_supported: capabilities.encryption_encs.clone(),
            revocation_endpoint_auth_methods_supported: Vec::new(),
            revocation_endpoint_auth_signing_alg_values_supported: Vec::new(),
            id_token_signing_alg_values_supported: capabilities.id_token_signing_algs,
            id_token_encryption_alg_values_supported: capabilities.encryption_algs.clone(),
            id_token_encryption_enc_values_supported: capabilities.encryption_encs.clone(),
            userinfo_signing_alg_values_supported: capabilities.userinfo_signing_algs,
            userinfo_encryption_alg_values_supported: capabilities.encryption_algs.clone(),
            userinfo_encryption_enc_values_supported: capabilities.encryption_encs.clone(),
            authorization_signing_alg_values_supported: capabilities.authorization_signing_algs,
            authorization_encryption_alg_values_supported: capabilities.encryption_algs.clone(),
            authorization_encryption_enc_values_supported: capabilities.encryption_encs.clone(),
            code_challenge_methods_supported: capabilities.code_challenge_methods,
            acr_values_supported: capabilities.acr_values,
            authorization_details_types_supported: capabilities.authorization_details_types,
            claims_supported: Vec::new(),
            prompt_values_supported: Vec::new(),
            ui_locales_supported: Vec::new(),
            switches: None,
        }
    }

    /// The same, with the registration endpoint. RFC 8414 §2.
    #[must_use]
    pub fn with_registration_endpoint(mut self, url: &str) -> Self {
        self.registration_endpoint = Some(url.to_owned());
        self
    }

    /// The same, with an authorization server that is there. RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
    ///
    /// Methods of authentication that need a connection with a certificate are not in it, since it serves none yet.
    #[must_use]
    pub fn with_authorization_server(mut self, served: AuthorizationServer) -> Self {
        let needs_certificate = |method: &AuthMethod| {
            matches!(method.as_str(), "tls_client_auth" | "self_signed_tls_client_auth")
        };
        self.token_endpoint_auth_methods_supported.retain(|method| !needs_certificate(method));
        let methods = self.token_endpoint_auth_methods_supported.clone();
        let algorithms = self.token_endpoint_auth_signing_alg_values_supported.clone();
        let can_authenticate =
            methods.iter().filter(|method| **method != AuthMethod::None).cloned().collect();
        Self {
            authorization_endpoint: Some(served.authorization_endpoint),
            token_endpoint: Some(served.token_endpoint),
            userinfo_endpoint: Some(served.userinfo_endpoint),
            end_session_endpoint: Some(served.end_session_endpoint),
            introspection_endpoint: Some(served.introspection_endpoint),
            revocation_endpoint: Some(served.revocation_endpoint),
            jwks_uri: Some(served.jwks_uri),
            introspection_endpoint_auth_methods_supported: can_authenticate,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            revocation_endpoint_auth_signing_alg_values_supported: algorithms,
            claims_supported: served.claims,
            prompt_values_supported: served.prompts,
            ui_locales_supported: served.ui_locales,
            switches: Some(Switches {
                authorization_response_iss_parameter_supported: true,
                claims_parameter_supported: true,
                request_uri_parameter_supported: false,
                request_parameter_supported: false,
            }),
            ..self
        }
    }
}

/// Where an authorization server is, and what it does beside what clients register for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// `authorization_endpoint`
    pub authorization_endpoint: String,
    /// `token_endpoint`
    pub token_endpoint: String,
    /// `userinfo_endpoint`
    pub userinfo_endpoint: String,
    /// `end_session_endpoint`
    pub end_session_endpoint: String,
    /// `introspection_endpoint`
    pub introspection_endpoint: String,
    /// `revocation_endpoint`
    pub revocation_endpoint: String,
    /// `jwks_uri`
    pub jwks_uri: String,
    /// `claims_supported`
    pub claims: Vec<String>,
    /// `prompt_values_supported`
    pub prompts: Vec<String>,
    /// `ui_locales_supported`
    pub ui_locales: Vec<String>,
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
        assert!(json.get("authorization_details_types_supported").is_none());
        assert!(json.get("registration_endpoint").is_none());
        assert!(json.get("id_token_encryption_alg_values_supported").is_none());
    }

    /// OpenID Connect Discovery 1.0 §3, RFC 9701 §7, JARM §4
    #[test]
    fn what_can_be_encrypted_is_said_of_each_answer() {
        let capabilities =
            Capabilities::code_and_client_credentials().with_encryption(["ECDH-ES"], ["A128GCM"]);
        let json = serde_json::to_value(ServerMetadata::new("https://id.example", &capabilities)).unwrap();
        for answer in ["id_token", "userinfo", "introspection", "authorization"] {
            assert_eq!(json[format!("{answer}_encryption_alg_values_supported")][0], "ECDH-ES", "{answer}");
            assert_eq!(json[format!("{answer}_encryption_enc_values_supported")][0], "A128GCM", "{answer}");
        }
        assert!(json.get("request_object_encryption_alg_values_supported").is_none());
    }
}
