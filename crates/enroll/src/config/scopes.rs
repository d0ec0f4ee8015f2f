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
        let apis = [
            Self::worded(
                "api1",
                ["Read in the demo API", "Im Demo-API lesen", "デモAPIの読み取り"],
                [
                    "It can read what this API keeps for you.",
                    "Die Anwendung kann lesen, was dieses API für Sie aufbewahrt.",
                    "このAPIに保存されたあなたの情報を読み取ることができます。",
                ],
            ),
            Self::worded(
                "api2",
                ["Change things in the demo API", "Im Demo-API ändern", "デモAPIの変更"],
                [
                    "It can change what this API keeps for you.",
                    "Die Anwendung kann ändern, was dieses API für Sie aufbewahrt.",
                    "このAPIに保存されたあなたの情報を変更することができます。",
                ],
            ),
            Self::worded(
                "mcp:tools",
                [
                    "Use the tools of an MCP server",
                    "Werkzeuge eines MCP-Servers nutzen",
                    "MCPサーバーのツールの利用",
                ],
                [
                    "It can call tools of that server in your name.",
                    "Die Anwendung kann in Ihrem Namen Werkzeuge dieses Servers aufrufen.",
                    "そのサーバーのツールをあなたに代わって呼び出すことができます。",
                ],
            ),
        ];
        let registration = Self::plain("enroll.registration", Dynamic::Allowed);
        Self::standard().into_iter().chain(apis).chain([registration]).collect()
    }

    /// One for everybody, in English, German and Japanese.
    fn worded(name: &str, title: [&str; 3], description: [&str; 3]) -> Self {
        let wording = |words: [&str; 3]| {
            let tags = ["en", "de", "ja"].map(str::to_owned);
            Some(Wording::ByLanguage(tags.into_iter().zip(words.map(str::to_owned)).collect()))
        };
        Self {
            title: wording(title),
            description: wording(description),
            ..Self::plain(name, Dynamic::Default)
        }
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
