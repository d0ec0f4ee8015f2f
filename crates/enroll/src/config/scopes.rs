//! `[[scopes]]` and `[[resources]]`: what there is to get access to.

use std::collections::BTreeMap;

use enroll_oauth_types::Localized;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scope that the server knows.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeConfig {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) dynamic: Dynamic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<Wording>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Wording>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<String>,
}

/// What a scope is to clients that register themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dynamic {
    /// They get it when they ask for no scope.
    #[default]
    Default,
    /// They may ask for it.
    Allowed,
    /// They do not get it.
    No,
}

/// Words for people: the same for all, or by language tag.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Wording {
    One(String),
    ByLanguage(BTreeMap<String, String>),
}

impl Wording {
    pub(crate) fn localized(&self) -> Localized<String> {
        match self {
            Self::One(words) => Localized::new(words.clone()),
            Self::ByLanguage(words) => {
                words.iter().map(|(tag, words)| (Some(tag.clone()), words.clone())).collect()
            }
        }
    }
}

impl ScopeConfig {
    /// The scopes of OpenID Connect Core §5.4 and §11.
    pub(crate) fn standard() -> Vec<Self> {
        ["openid", "profile", "email", "offline_access"]
            .map(|name| Self::plain(name, Dynamic::Default))
            .to_vec()
    }

    /// The scopes of `--dev`.
    pub(crate) fn demo() -> Vec<Self> {
        let apis = ["api1", "api2", "mcp:tools"].map(|name| Self::plain(name, Dynamic::Default));
        let registration = Self::plain("enroll.registration", Dynamic::Allowed);
        Self::standard().into_iter().chain(apis).chain([registration]).collect()
    }

    /// One of which there is nothing else to say.
    fn plain(name: &str, dynamic: Dynamic) -> Self {
        Self { name: name.to_owned(), dynamic, title: None, description: None, claims: Vec::new() }
    }
}

/// A protected resource, and the scopes that lead there. RFC 8707.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceConfig {
    pub(crate) identifier: String,
    pub(crate) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) access_token_lifetime: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secret_hashes: Vec<String>,
}

impl ResourceConfig {
    /// The resources of `--dev`.
    pub(crate) fn demo() -> Vec<Self> {
        let of = |identifier: &str, scopes: &[&str]| Self {
            identifier: identifier.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..Self::default()
        };
        vec![of("urn:example:api", &["api1", "api2"]), of("urn:example:mcp", &["mcp:tools"])]
    }
}
