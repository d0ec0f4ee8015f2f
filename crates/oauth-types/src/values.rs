//! Small closed vocabularies of single members.

open_enum! {
    /// `application_type`. OpenID Connect Dynamic Client Registration 1.0 §2.
    ApplicationType {
        Web = "web",
        Native = "native",
    }
}

open_enum! {
    /// `subject_type`. OpenID Connect Core §8.
    SubjectType {
        Public = "public",
        Pairwise = "pairwise",
    }
}

open_enum! {
    /// `access_token_type`: an extension member.
    AccessTokenType {
        /// Self-contained, RFC 9068.
        Jwt = "Jwt",
        /// Opaque, resolved by introspection, revocable at once.
        Reference = "Reference",
    }
}

open_enum! {
    /// `refresh_token_usage`: an extension member.
    RefreshTokenUsage {
        /// Each use gives a new token and spends the old one.
        OneTimeOnly = "OneTimeOnly",
        /// The same token for its whole life.
        ReUse = "ReUse",
    }
}

open_enum! {
    /// `refresh_token_expiration`: an extension member.
    RefreshTokenExpiration {
        /// A fixed end, counted from the first issue.
        Absolute = "Absolute",
        /// Each use extends it, up to the absolute lifetime.
        Sliding = "Sliding",
    }
}

/// A JWS or JWE algorithm name. RFC 7518.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm(String);

impl Algorithm {
    /// The name as it stands in JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `none`: not signed at all.
    pub fn is_none(&self) -> bool {
        self.0 == "none"
    }

    /// Whether both sides hold the same key: HS*, A*KW, A*GCMKW, PBES2*, `dir`.
    pub fn is_symmetric(&self) -> bool {
        let name = self.as_str();
        name == "dir" || ["HS", "A128", "A192", "A256", "PBES2"].iter().any(|family| name.starts_with(family))
    }
}

text_as_sent!(Algorithm);
described!(Algorithm, { "type": "string", "examples": ["RS256", "ES256"] });

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7518 §3.1 and §4.1
    #[test]
    fn symmetric_algorithms_are_told_by_their_family() {
        for name in ["HS256", "A128KW", "A256GCMKW", "dir", "PBES2-HS256+A128KW"] {
            assert!(Algorithm::from(name).is_symmetric(), "{name}");
        }
        for name in ["RS256", "ES256", "EdDSA", "RSA-OAEP-256", "ECDH-ES+A128KW", "none"] {
            assert!(!Algorithm::from(name).is_symmetric(), "{name}");
        }
    }
}
