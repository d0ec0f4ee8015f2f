//! Who is calling.

use std::sync::Arc;

use enroll_store::{RegisteredBy, TokenId};
use serde_json::{Map, Value};

use crate::Terms;

/// What a caller presented.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing.
    Anonymous,
    /// An initial access token. RFC 7591 §1.2.
    InitialAccessToken,
    /// A signed access token. RFC 9068.
    BearerJwt,
    /// The registration access token of a client that changes its own registration. RFC 7592 §2.2.
    RegistrationAccessToken,
    /// Nothing over the network: whoever has the machine, or the code that embeds the library.
    Operator,
    /// A credential of your own authenticator, by its name.
    Other(&'static str),
}

impl Credential {
    /// The name in logs, metrics and records.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::InitialAccessToken => "initial_access_token",
            Self::BearerJwt => "bearer_jwt",
            Self::RegistrationAccessToken => "registration_access_token",
            Self::Operator => "operator",
            Self::Other(name) => name,
        }
    }
}

/// A verified caller. Policies and steps read nothing else about who is asking.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What was presented.
    pub credential: Credential,
    /// Who it is: the `sub` of a token, the label of an initial access token.
    pub subject: Option<String>,
    /// Who vouches for it: the `iss` of a token.
    pub issuer: Option<String>,
    /// The scopes it was given.
    pub scopes: Vec<String>,
    /// The verified claims of its token.
    pub claims: Map<String, Value>,
    /// The token that pays for a registration, one use each.
    pub pays_with: Option<TokenId>,
    /// The name of the policy that its token was issued under.
    pub policy: Option<String>,
    /// On what terms it registers. The gate puts here what the policy allows.
    pub terms: Arc<Terms>,
}

impl Caller {
    /// A caller with this credential, and nothing known about it yet.
    pub fn new(credential: Credential) -> Self {
        Self {
            credential,
            subject: None,
            issuer: None,
            scopes: Vec::new(),
            claims: Map::new(),
            pays_with: None,
            policy: None,
            terms: Terms::shared_default(),
        }
    }

    /// Somebody who presented nothing.
    pub fn anonymous() -> Self {
        Self::new(Credential::Anonymous)
    }

    /// The operator, who may register anything. `name` says through what: `cli`.
    pub fn operator(name: impl Into<String>) -> Self {
        let terms = Arc::new(Terms::unrestricted());
        Self { subject: Some(name.into()), terms, ..Self::new(Credential::Operator) }
    }

    /// The same caller on other terms.
    #[must_use]
    pub fn on(self, terms: Arc<Terms>) -> Self {
        Self { terms, ..self }
    }

    /// What the record of a client keeps of who let it in.
    pub fn to_record(&self) -> RegisteredBy {
        let token = self.pays_with.as_ref().map(ToString::to_string);
        RegisteredBy {
            issuer: self.issuer.clone(),
            kind: self.credential.as_str().to_owned(),
            policy: self.terms.name.clone(),
            subject: token.or_else(|| self.subject.clone()),
        }
    }
}
