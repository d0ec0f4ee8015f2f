//! `[registration]`: who may register, and how rough a request may be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use enroll_oauth_types::{ClientMetadata, Uri};
use enroll_registration::{ProtectedNames, RotateToken, Rules, UnknownMembers, UnknownScope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is left out is as the profile has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // Each is a key of its own.
pub(crate) struct RegistrationConfig {
    pub(crate) profile: Profile,
    pub(crate) strict: bool,
    pub(crate) open: bool,
    pub(crate) closed: bool,
    pub(crate) storage: Storage,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advertise_registration: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) management: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_members: Option<UnknownMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drop_unsupported: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuse_empty: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuse_malformed_language_tags: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuse_ill_typed_declarations: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) infer_native: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) substitute: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_https_loopback: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_short_schemes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_scope: Option<UnknownScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strip_offline_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drop_needless_redirects: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) infer_private_key_jwt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_implies_private_key_jwt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) require_grant_types: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) require_jwks_for_private_key_jwt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) require_jwks_for_signed_requests: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuse_max_age_of_zero: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) require_code_for_max_age: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotate_registration_token: Option<RotateToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60))]
    pub(crate) registration_token_overlap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret_overlap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret_renewal: Option<u64>,
    pub(crate) protected_names: Vec<String>,
    pub(crate) insecure_allow_http_redirect_uris: bool,
    pub(crate) insecure_allow_http_jwks_uri: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sealing_key_file: Option<PathBuf>,
    pub(crate) issuers: Vec<IssuerConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) software_statement: Option<SoftwareStatement>,
    pub(crate) statement_issuers: Vec<StatementIssuerConfig>,
}

/// Whose judgement the rules follow where the standards leave room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    #[default]
    Standard,
    Duende,
}

/// Where registrations are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    #[default]
    Stored,
    Provisional,
    Stateless,
}

impl From<Storage> for enroll_store::Storage {
    fn from(storage: Storage) -> Self {
        match storage {
            Storage::Stored => Self::Stored,
            Storage::Provisional => Self::Provisional,
            Storage::Stateless => Self::Stateless,
        }
    }
}

/// What a software statement is to this server. RFC 7591 §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SoftwareStatement {
    Ignore,
    Optional,
    Required,
}

/// An issuer whose access tokens let their holders register.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerConfig {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(default)]
    pub(crate) insecure_allow_private: bool,
}

impl IssuerConfig {
    /// Whether the issuer is asked for its keys.
    pub(crate) fn is_discovered(&self) -> bool {
        self.jwks.is_none() && self.jwks_file.is_none()
    }

    /// What cannot be as it is.
    fn problem(&self) -> Option<&'static str> {
        if self.jwks.is_some() && self.jwks_file.is_some() {
            return Some("has its keys as `jwks`, or as `jwks_file`, or discovers them without either");
        }
        if self.insecure_allow_private && !self.is_discovered() {
            return Some("is asked nothing, since its keys are here: leave `insecure_allow_private` out");
        }
        if self.is_discovered() && !self.insecure_allow_private && !self.issuer.starts_with("https://") {
            return Some(
                "is asked for its keys, so its `issuer` must be an https URL; `insecure_allow_private` is for one of a \
                 private network",
            );
        }
        None
    }
}

/// An issuer whose software statements are believed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementIssuerConfig {
    pub(crate) issuer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) longest_age: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) claims: BTreeMap<String, String>,
}

/// What holds for an issuer holds for the endpoint, and it has a path, which all its clients' own are below.
fn wrong_endpoint(url: &str) -> Result<(), String> {
    super::validate_issuer(url)?;
    match Uri::from(url).parts() {
        Ok(parts) if parts.path.is_empty() => Err("must have a path, such as /connect/dcr".to_owned()),
        _ => Ok(()),
    }
}

/// In seconds. A client that asks again needs some.
const SHORTEST_OVERLAP: u64 = 60;

/// Where a key is set, it goes over the profile.
macro_rules! set {
    ($($key:expr => $rule:expr),* $(,)?) => {
        $(if let Some(value) = $key { $rule = value; })*
    };
}

impl RegistrationConfig {
    /// How rough a request may be: the profile, the keys over it, and over all that a strict server mends nothing.
    pub(crate) fn rules(&self) -> Rules {
        let mut rules = match (self.profile, self.strict) {
            (Profile::Standard, false) => Rules::default(),
            (Profile::Standard, true) => Rules::strict(),
            (Profile::Duende, _) => Rules::duende(),
        };
        set!(
            self.unknown_members => rules.unknown_members,
            self.drop_unsupported => rules.drop_unsupported,
            self.refuse_empty => rules.reading.refuse_empty,
            self.refuse_malformed_language_tags => rules.reading.refuse_malformed_language_tags,
            self.refuse_ill_typed_declarations => rules.reading.refuse_ill_typed_declarations,
            self.infer_native => rules.infer_native,
            self.substitute => rules.substitute,
            self.allow_https_loopback => rules.allow_https_loopback,
            self.allow_short_schemes => rules.allow_short_schemes,
            self.unknown_scope => rules.unknown_scope,
            self.strip_offline_access => rules.strip_offline_access,
            self.drop_needless_redirects => rules.drop_needless_redirects,
            self.logout_session_required => rules.logout_session_required,
            self.infer_private_key_jwt => rules.infer_private_key_jwt,
            self.jwks_implies_private_key_jwt => rules.also_refuse.keys_without_private_key_jwt,
            self.require_grant_types => rules.also_refuse.missing_grant_types,
            self.require_jwks_for_private_key_jwt => rules.also_refuse.private_key_jwt_without_jwks,
            self.require_jwks_for_signed_requests => rules.also_refuse.signed_request_objects_without_jwks,
            self.refuse_max_age_of_zero => rules.also_refuse.max_age_of_zero,
            self.require_code_for_max_age => rules.also_refuse.max_age_without_code,
            self.management => rules.management,
            self.rotate_registration_token => rules.rotate_token,
            self.registration_token_overlap.map(Duration::from_secs) => rules.token_overlap,
            self.secret_overlap.map(Duration::from_secs) => rules.secret_overlap,
            self.secret_renewal.map(Duration::from_secs) => rules.secret_renewal,
        );
        rules.protected_names = ProtectedNames::new(self.protected_names.iter().cloned());
        rules.insecure_allow_http_redirect_uris = self.insecure_allow_http_redirect_uris;
        rules.insecure_allow_http_jwks_uri = self.insecure_allow_http_jwks_uri;
        rules
    }

    /// Whether discovery names the registration endpoint.
    pub(crate) fn is_advertised(&self) -> bool {
        self.advertise_registration.unwrap_or(self.profile == Profile::Standard && !self.closed)
    }

    /// What software statements are here: where nothing is said, they are believed once somebody is trusted.
    pub(crate) fn statements(&self) -> SoftwareStatement {
        let by_default = match self.profile {
            Profile::Standard if !self.statement_issuers.is_empty() => SoftwareStatement::Optional,
            _ => SoftwareStatement::Ignore,
        };
        self.software_statement.unwrap_or(by_default)
    }

    /// The first key that cannot be as it is, and why; `policies` are those that there are.
    pub(crate) fn problem(&self, has_policy: impl Fn(&str) -> bool) -> Option<(String, String)> {
        let wrong = |key: &str, problem: &str| Some((format!("registration.{key}"), problem.to_owned()));
        if self.profile == Profile::Duende && self.strict {
            return wrong("strict", "is of the profile `standard`: the other one is what it is");
        }
        if self.open && self.closed {
            return wrong("closed", "cannot stand beside `open`");
        }
        if let Some(problem) = self.url.as_deref().and_then(|url| wrong_endpoint(url).err()) {
            return wrong("url", &problem);
        }
        let rotates = self.rotate_registration_token != Some(RotateToken::Never);
        if rotates && self.registration_token_overlap.is_some_and(|overlap| overlap < SHORTEST_OVERLAP) {
            return wrong(
                "registration_token_overlap",
                "must be at least 60 seconds: a client whose answer got lost has no other token",
            );
        }
        if self.statements() != SoftwareStatement::Ignore && self.statement_issuers.is_empty() {
            return wrong(
                "software_statement",
                "needs an issuer to believe: [[registration.statement_issuers]]",
            );
        }
        for (number, issuer) in self.issuers.iter().enumerate() {
            if let Some(problem) = issuer.problem() {
                return wrong(&format!("issuers[{number}]"), problem);
            }
            if issuer.policy.as_ref().is_some_and(|name| !has_policy(name)) {
                return wrong(
                    &format!("issuers[{number}].policy"),
                    "names a policy that is not under [policies]",
                );
            }
        }
        for (number, issuer) in self.statement_issuers.iter().enumerate() {
            if issuer.jwks.is_some() == issuer.jwks_file.is_some() {
                let key = format!("statement_issuers[{number}]");
                return wrong(&key, "needs its keys as either `jwks` or `jwks_file`");
            }
            let is_unknown = |member: &&String| !ClientMetadata::MEMBERS.contains(&member.as_str());
            if let Some(member) = issuer.claims.values().find(is_unknown) {
                let key = format!("statement_issuers[{number}].claims");
                return wrong(&key, &format!("`{member}` is no member of client metadata"));
            }
        }
        None
    }
}
