//! `[tokens]` and `[sessions]`: how access tokens are signed, and how long people stay logged in.

use std::time::Duration;

use enroll_jose::SigningAlgorithm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenConfig {
    access_token_signing_alg: TokenAlgorithm,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { access_token_signing_alg: TokenAlgorithm::Es256 }
    }
}

/// As they stand in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
enum TokenAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl TokenConfig {
    /// How access tokens are signed.
    pub(crate) fn access_token_signing_alg(&self) -> SigningAlgorithm {
        match self.access_token_signing_alg {
            TokenAlgorithm::Rs256 => SigningAlgorithm::Rs256,
            TokenAlgorithm::Ps256 => SigningAlgorithm::Ps256,
            TokenAlgorithm::Es256 => SigningAlgorithm::Es256,
            TokenAlgorithm::EdDsa => SigningAlgorithm::EdDsa,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SessionConfig {
    #[schemars(range(min = 1))]
    lifetime: u64,
    pub(crate) insecure_unlimited_log_ins: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { lifetime: 36_000, insecure_unlimited_log_ins: false }
    }
}

impl SessionConfig {
    /// How long somebody who logged in stays so.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime)
    }
}
