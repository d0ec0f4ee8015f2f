//! What this server signs with. RFC 7518 §3.1, RFC 8037 §3.1.

use std::fmt;

use enroll_oauth_types::Algorithm;

/// A signature algorithm that this server has keys for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// RSA with PKCS #1 v1.5, which OpenID Connect Core §15.1 demands. RFC 7518 §3.3.
    Rs256,
    /// RSA with PSS. RFC 7518 §3.5.
    Ps256,
    /// ECDSA on P-256. RFC 7518 §3.4.
    Es256,
    /// Ed25519, under the name that covers both of its curves. RFC 8037 §3.1.
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them, in the order in which their keys are published.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The algorithm of this name; `None` when the server does not sign with it.
    ///
    /// ```
    /// use enroll_jose::SigningAlgorithm;
    /// use enroll_oauth_types::Algorithm;
    ///
    /// assert_eq!(SigningAlgorithm::of(&Algorithm::from("PS256")), Some(SigningAlgorithm::Ps256));
    /// assert_eq!(SigningAlgorithm::of(&Algorithm::from("none")), None);
    /// ```
    pub fn of(algorithm: &Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == algorithm.as_str())
    }

    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        Self::from(algorithm.as_str())
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_is_found_by_its_own_name_alone() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::of(&Algorithm::from(algorithm)), Some(algorithm));
        }
        for name in ["", "none", "rs256", "HS256", "RS512", "ES384", "Ed25519", "RS256 "] {
            assert_eq!(SigningAlgorithm::of(&Algorithm::from(name)), None, "{name}");
        }
    }
}
