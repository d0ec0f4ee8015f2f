//! `grant_types`: the ways in which a client gets tokens. RFC 7591 §2.

open_enum! {
    /// A grant type. RFC 7591 §2; the URNs from RFC 8628, RFC 7523, RFC 8693 and CIBA.
    GrantType {
        AuthorizationCode = "authorization_code",
        ClientCredentials = "client_credentials",
        RefreshToken = "refresh_token",
        Implicit = "implicit",
        /// Always refused: RFC 9700 §2.4.
        Password = "password",
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        Ciba = "urn:openid:params:grant-type:ciba",
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
}

impl GrantType {
    /// Whether this grant sends the user's browser to the authorization endpoint and back.
    pub fn uses_redirects(&self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::Implicit)
    }

    /// Whether a refresh token can come of this grant.
    pub fn can_be_refreshed(&self) -> bool {
        matches!(
            self,
            Self::AuthorizationCode | Self::DeviceCode | Self::Ciba | Self::JwtBearer | Self::TokenExchange
        )
    }
}
