//! What there is to get access to: resources, and the scopes that lead there. RFC 6749 §3.3, RFC 8707.

use enroll_oauth_types::{ErrorCode, Scope};

use crate::ProtocolError;

/// A protected resource: an API, an MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What the `aud` of its tokens is, and what clients name as `resource`: an absolute URI, or a name. RFC 8707 §2.
    pub identifier: String,
    /// The scopes that lead there.
    pub scopes: Vec<String>,
}

/// Every resource of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog(Vec<Resource>);

/// The scopes that are about a user, and mean nothing where none takes part. OpenID Connect Core 1.0 §5.4, §11.
const OF_USERS: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Telling the values of a list apart takes a time that grows faster than the list.
const LONGEST_SCOPE: usize = 4096;

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) scope: Scope,
    pub(crate) audience: Vec<String>,
}

impl Catalog {
    /// These resources.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        Self(resources.into_iter().collect())
    }

    /// What a client without a user gets of what it asks: `registered` is what it may have, `asked` what it names, if it
    /// does, and `resources` where it wants to go, if it says. RFC 6749 §4.4.2, RFC 8707 §2.2.
    pub(crate) fn for_client<'a>(
        &self,
        registered: &Scope,
        asked: Option<&str>,
        resources: impl Iterator<Item = &'a str>,
    ) -> Result<Grant, ProtocolError> {
        let wanted = self.named(resources)?;
        let refuse = |problem: String| ProtocolError::new(ErrorCode::InvalidScope, problem);
        if asked.is_some_and(|asked| asked.len() > LONGEST_SCOPE) {
            return Err(refuse(format!("scope: must be at most {LONGEST_SCOPE} characters long")));
        }
        let asked_for = Scope::from(asked.unwrap_or_default());
        let granted: Vec<&str> = match asked {
            None => registered.values().filter(|value| !OF_USERS.contains(value)).collect(),
            Some(_) => asked_for.values().collect(),
        };
        for value in &granted {
            if OF_USERS.contains(value) {
                return Err(refuse(format!("scope: {value} is about a user, and none takes part")));
            }
            if !registered.contains(value) {
                return Err(refuse(format!("scope: {value} is not one that the client is registered with")));
            }
        }
        let leads = |value: &str| match wanted.is_empty() {
            true => true,
            false => wanted.iter().any(|resource| resource.scopes.iter().any(|own| own == value)),
        };
        let scope: Scope = granted.into_iter().filter(|value| leads(value)).collect();
        let chosen: Vec<&Resource> = match wanted.is_empty() {
            true => self.0.iter().filter(|own| own.scopes.iter().any(|own| scope.contains(own))).collect(),
            false => wanted,
        };
        Ok(Grant {
            scope,
            audience: chosen.into_iter().map(|resource| resource.identifier.clone()).collect(),
        })
    }

    /// RFC 8707 §2: a resource that is not known is refused.
    fn named<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<Vec<&Resource>, ProtocolError> {
        let find = |name: &str| {
            let found = self.0.iter().find(|own| own.identifier == name);
            found.ok_or_else(|| {
                let problem = format!("resource: {} is not known here", name.escape_default());
                ProtocolError::new(ErrorCode::InvalidTarget, problem)
            })
        };
        names.map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let resource = |identifier: &str, scopes: &[&str]| Resource {
            identifier: identifier.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        Catalog::new([
            resource("https://api1.example", &["api1", "both"]),
            resource("urn:api2", &["api2", "both"]),
        ])
    }

    fn grant(asked: Option<&str>, resources: &[&str]) -> Result<(String, Vec<String>), String> {
        let registered = Scope::from("openid api1 api2 both other");
        let grant = catalog().for_client(&registered, asked, resources.iter().copied());
        let grant = grant.map_err(|error| match error {
            ProtocolError::Refused(code, _) => code.to_string(),
            other => panic!("{other}"),
        })?;
        Ok((grant.scope.as_str().to_owned(), grant.audience))
    }

    /// RFC 6749 §4.4.2
    #[test]
    fn a_client_gets_what_it_asks_or_all_that_it_may_have() {
        for (asked, scope, audience) in [
            (None, "api1 api2 both other", &["https://api1.example", "urn:api2"][..]),
            (Some("api1"), "api1", &["https://api1.example"]),
            (Some("api2  api2"), "api2", &["urn:api2"]),
            (Some("both"), "both", &["https://api1.example", "urn:api2"]),
            (Some("other"), "other", &[]),
        ] {
            let audience = audience.iter().map(|own| (*own).to_owned()).collect();
            assert_eq!(grant(asked, &[]), Ok((scope.to_owned(), audience)), "{asked:?}");
        }
    }

    /// RFC 6749 §5.2
    #[test]
    fn what_it_may_not_have_is_refused() {
        let long = "api1 ".repeat(1000);
        for asked in ["api3", "openid", "offline_access", "api1 api3", "API1", &long] {
            assert!(grant(Some(asked), &[]).unwrap_err().contains("invalid_scope"), "{asked}");
        }
    }

    /// RFC 8707 §2.2
    #[test]
    fn a_resource_narrows_scope_and_audience() {
        let expected = ("api2 both".to_owned(), vec!["urn:api2".to_owned()]);
        assert_eq!(grant(None, &["urn:api2"]), Ok(expected));
        for unknown in ["https://api1.example/", "urn:api3"] {
            assert!(grant(None, &[unknown]).unwrap_err().contains("invalid_target"), "{unknown}");
        }
    }
}
