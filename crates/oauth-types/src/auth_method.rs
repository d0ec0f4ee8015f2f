//! `token_endpoint_auth_method`: how a client proves who it is.

open_enum! {
    /// A client authentication method. RFC 7591 §2, OpenID Connect Core §9, RFC 8705 §2.
    AuthMethod {
        None = "none",
        ClientSecretBasic = "client_secret_basic",
        ClientSecretPost = "client_secret_post",
        ClientSecretJwt = "client_secret_jwt",
        PrivateKeyJwt = "private_key_jwt",
        TlsClientAuth = "tls_client_auth",
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
    }
}

impl AuthMethod {
    /// Whether the client shares a secret with the server.
    pub fn uses_secret(&self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }
}
