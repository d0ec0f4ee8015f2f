//! What this server supports: registration validates against it, discovery publishes it as far as the endpoints are
//! there. Nothing else lists supported values.

use crate::{Algorithm, AuthMethod, GrantType, ResponseType, SubjectType};

/// The values that clients may register. An empty list is a feature that is not there.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Capabilities {
    /// `grant_types_supported`
    pub grant_types: Vec<GrantType>,
    /// `response_types_supported`
    pub response_types: Vec<ResponseType>,
    /// `response_modes_supported`
    pub response_modes: Vec<String>,
    /// `token_endpoint_auth_methods_supported`
    pub token_endpoint_auth_methods: Vec<AuthMethod>,
    /// `token_endpoint_auth_signing_alg_values_supported`
    pub token_endpoint_auth_signing_algs: Vec<Algorithm>,
    /// `scopes_supported`
    pub scopes: Vec<String>,
    /// `subject_types_supported`
    pub subject_types: Vec<SubjectType>,
    /// `id_token_signing_alg_values_supported`
    pub id_token_signing_algs: Vec<Algorithm>,
    /// `userinfo_signing_alg_values_supported`
    pub userinfo_signing_algs: Vec<Algorithm>,
    /// `request_object_signing_alg_values_supported`
    pub request_object_signing_algs: Vec<Algorithm>,
    /// `introspection_signing_alg_values_supported`
    pub introspection_signing_algs: Vec<Algorithm>,
    /// `authorization_signing_alg_values_supported`
    pub authorization_signing_algs: Vec<Algorithm>,
    /// The JWE `alg` values of every answer that this server can encrypt; empty where it encrypts nothing.
    pub encryption_algs: Vec<Algorithm>,
    /// The JWE `enc` values that go with them.
    pub encryption_encs: Vec<Algorithm>,
    /// `request_object_encryption_alg_values_supported`: what this server can decrypt.
    pub request_object_encryption_algs: Vec<Algorithm>,
    /// `request_object_encryption_enc_values_supported`
    pub request_object_encryption_encs: Vec<Algorithm>,
    /// `code_challenge_methods_supported`
    pub code_challenge_methods: Vec<String>,
    /// `acr_values_supported`
    pub acr_values: Vec<String>,
    /// `authorization_details_types_supported`
    pub authorization_details_types: Vec<String>,
    /// `dpop_signing_alg_values_supported`
    pub dpop_signing_algs: Vec<Algorithm>,
    /// `tls_client_certificate_bound_access_tokens`
    pub certificate_bound_access_tokens: bool,
    /// Pushed authorization requests. RFC 9126.
    pub pushed_authorization_requests: bool,
}

fn list<T: for<'a> From<&'a str>>(values: &[&str]) -> Vec<T> {
    values.iter().map(|value| T::from(value)).collect()
}

impl Capabilities {
    /// Authorization code, client credentials and refresh tokens; every authentication method; signatures with
    /// RSA, elliptic curves and `EdDSA`. Implicit is not among them: RFC 9700 §2.1.2.
    pub fn code_and_client_credentials() -> Self {
        let signing = ["RS256", "PS256", "ES256", "EdDSA"];
        let assertion = [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256",
            "HS384", "HS512",
        ];
        Self {
            grant_types: list(&["authorization_code", "client_credentials", "refresh_token"]),
            response_types: list(&["code"]),
            response_modes: list(&["query", "form_post", "jwt", "query.jwt", "form_post.jwt"]),
            token_endpoint_auth_methods: list(&[
                "none",
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "tls_client_auth",
                "self_signed_tls_client_auth",
            ]),
            token_endpoint_auth_signing_algs: list(&assertion),
            scopes: Vec::new(),
            subject_types: list(&["public", "pairwise"]),
            id_token_signing_algs: list(&signing),
            userinfo_signing_algs: list(&signing),
            request_object_signing_algs: list(&assertion),
            introspection_signing_algs: list(&signing),
            authorization_signing_algs: list(&signing),
            encryption_algs: Vec::new(),
            encryption_encs: Vec::new(),
            request_object_encryption_algs: Vec::new(),
            request_object_encryption_encs: Vec::new(),
            code_challenge_methods: list(&["S256"]),
            acr_values: list(&["urn:oasis:names:tc:SAML:2.0:ac:classes:Password"]),
            authorization_details_types: Vec::new(),
            dpop_signing_algs: list(&["ES256", "ES384", "RS256", "PS256", "EdDSA"]),
            certificate_bound_access_tokens: true,
            pushed_authorization_requests: true,
        }
    }

    /// The same, with these scopes known to the server.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The same, on a server that encrypts ID tokens and its other answers to clients in these ways.
    #[must_use]
    pub fn with_encryption<A: Into<Algorithm>, E: Into<Algorithm>>(
        mut self,
        algs: impl IntoIterator<Item = A>,
        encs: impl IntoIterator<Item = E>,
    ) -> Self {
        self.encryption_algs = algs.into_iter().map(Into::into).collect();
        self.encryption_encs = encs.into_iter().map(Into::into).collect();
        self
    }

    /// The same without what needs a secret that both sides can read: `client_secret_jwt`, and signatures with a
    /// shared key.
    #[must_use]
    pub fn without_shared_keys(mut self) -> Self {
        self.token_endpoint_auth_methods.retain(|method| *method != AuthMethod::ClientSecretJwt);
        for algorithms in [
            &mut self.token_endpoint_auth_signing_algs,
            &mut self.id_token_signing_algs,
            &mut self.userinfo_signing_algs,
            &mut self.request_object_signing_algs,
            &mut self.introspection_signing_algs,
            &mut self.authorization_signing_algs,
            &mut self.encryption_algs,
            &mut self.request_object_encryption_algs,
        ] {
            algorithms.retain(|algorithm| !algorithm.is_symmetric());
        }
        self
    }

    /// The same with the implicit grant, which the OpenID dynamic certification profile demands and RFC 9700 §2.1.2
    /// advises against; never with an access token that no ID token stands beside.
    #[must_use]
    pub fn with_legacy_implicit(mut self) -> Self {
        self.grant_types.push(GrantType::Implicit);
        self.response_types.extend(list::<ResponseType>(&["id_token", "id_token token"]));
        self.response_modes.extend(list::<String>(&["fragment", "fragment.jwt"]));
        self
    }
}
