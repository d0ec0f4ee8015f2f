//! Scopes and policies of the configuration, and the terms that are made of them.

use std::collections::HashMap;
use std::sync::Arc;

use enroll_access::{Ceilings, Privileges, Terms};
use enroll_oauth_types::{ClientMetadata, Seconds};
use enroll_registration::UnknownScope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registration::{Profile, Storage};
use super::{Config, Dynamic, schema};
use crate::cli::Role;
use crate::failure::Failure;

/// `[policies.NAME]`: what the callers under this policy may register.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicyConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::privileges")]
    privileges: Vec<String>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "schema::ceilings")]
    ceilings: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "schema::template")]
    template: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    secret_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<Storage>,
}

impl Config {
    /// The terms of every policy by its name; `default` is always among them.
    pub(crate) fn terms(&self) -> Result<HashMap<String, Arc<Terms>>, Failure> {
        let mut all = HashMap::from([("default".to_owned(), Arc::new(self.base_terms()))]);
        for (name, policy) in &self.policies {
            let terms = policy
                .terms(name, self.base_terms())
                .map_err(|problem| Failure::Usage(format!("configuration: policies.{name}.{problem}")))?;
            self.must_know(name, &terms)?;
            all.insert(name.clone(), Arc::new(terms));
        }
        Ok(all)
    }

    /// Whether this process keeps some registrations in their identifiers.
    pub(crate) fn seals_registrations(&self) -> Result<bool, Failure> {
        let wants = self.terms()?.values().any(|terms| terms.storage != enroll_store::Storage::Stored);
        Ok(wants && self.role != Role::Authorization)
    }

    /// The terms of a policy that says nothing.
    fn base_terms(&self) -> Terms {
        let with = |wanted: &[Dynamic]| {
            let scopes = self.scopes.iter().filter(|scope| wanted.contains(&scope.dynamic));
            scopes.map(|scope| scope.name.clone()).collect()
        };
        // Scopes that nobody knows yet cannot be listed.
        let takes_any = self.rules().unknown_scope == UnknownScope::Store
            && self.scopes.iter().all(|scope| scope.dynamic != Dynamic::No);
        let is_standard = self.registration.profile == Profile::Standard;
        Terms {
            allowed_scopes: (!takes_any).then(|| with(&[Dynamic::Default, Dynamic::Allowed])),
            default_scopes: Some(if is_standard { with(&[Dynamic::Default]) } else { Vec::new() }),
            storage: self.registration.storage.into(),
            ..Terms::default()
        }
    }

    fn must_know(&self, policy: &str, terms: &Terms) -> Result<(), Failure> {
        let mut named = terms.allowed_scopes.iter().chain(&terms.default_scopes).flatten();
        match named.find(|name| self.scopes.iter().all(|scope| scope.name != **name)) {
            Some(name) => Err(Failure::Usage(format!(
                "configuration: policies.{policy}: `{name}` is not under [[scopes]]"
            ))),
            None => Ok(()),
        }
    }
}

impl PolicyConfig {
    fn terms(&self, name: &str, base: Terms) -> Result<Terms, String> {
        let template = ClientMetadata::try_from(serde_json::Value::Object(self.template.clone()))
            .map_err(|rejection| format!("template.{rejection}"))?;
        let privileges = match self.privileges.as_slice() {
            [] => Privileges::None,
            [all] if all == "all" => Privileges::All,
            members => Privileges::Members(members.to_vec()),
        };
        if let Privileges::Members(members) = &privileges
            && let Some(unknown) =
                members.iter().find(|member| !Privileges::MEMBERS.contains(&member.as_str()))
        {
            return Err(format!(
                "privileges: `{unknown}` is none; they are {}",
                Privileges::MEMBERS.join(", ")
            ));
        }
        let secret_lifetime = self.secret_lifetime.map(|seconds| {
            Seconds::new(seconds)
                .filter(|lifetime| lifetime.get() > 0)
                .ok_or("secret_lifetime: must be 1 to 2147483647")
        });
        Ok(Terms {
            name: name.to_owned(),
            template,
            allowed_scopes: self.scopes.clone().or(base.allowed_scopes),
            default_scopes: self
                .default_scopes
                .clone()
                .or_else(|| self.scopes.clone())
                .or(base.default_scopes),
            ceilings: self.ceilings(base.ceilings)?,
            privileges,
            secret_lifetime: secret_lifetime.transpose()?,
            storage: self.storage.map_or(base.storage, Into::into),
        })
    }

    fn ceilings(&self, mut ceilings: Ceilings) -> Result<Ceilings, String> {
        for (member, value) in &self.ceilings {
            let ceiling =
                value.as_u64().and_then(|seconds| u32::try_from(seconds).ok()).and_then(Seconds::new);
            let ceiling = ceiling.filter(|ceiling| ceiling.get() > 0);
            let slot = ceilings.get_mut(member);
            let slot =
                slot.ok_or_else(|| format!("ceilings.{member}: is no lifetime that a policy can limit"))?;
            *slot =
                Some(ceiling.ok_or_else(|| format!("ceilings.{member}: must be 1 to 2147483647 seconds"))?);
        }
        Ok(ceilings)
    }
}
