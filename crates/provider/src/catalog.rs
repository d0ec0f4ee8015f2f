//! What there is to get access to: resources, and the scopes that lead there. RFC 6749 §3.3, RFC 8707.

use std::borrow::Cow;
use std::sync::Arc;

use enroll_oauth_types::{ErrorCode, Localized, Scope, SecretHash, Uri};

use crate::ProtocolError;

/// A protected resource: an API, an MCP server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// What the `aud` of its tokens is, and what clients name as `resource`: an absolute URI, or a name. RFC 8707 §2.
    pub identifier: String,
    /// What people call it; its identifier where nobody said.
    pub title: Option<String>,
    /// The scopes that lead there.
    pub scopes: Vec<String>,
    /// What its tokens tell of the user, beside the subject. OpenID Connect Core 1.0 §5.1.
    pub claims: Vec<String>,
    /// How long its tokens live at most, in seconds.
    pub access_token_lifetime: Option<u32>,
    /// The secrets with which it asks about the tokens that are sent to it, if it does. RFC 7662 §2.1.
    pub secrets: Vec<SecretHash>,
}

/// What a scope means.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeMeaning {
    /// The scope.
    pub name: String,
    /// What people call it, by language.
    pub title: Option<Localized<String>>,
    /// What it means to them, by language.
    pub description: Option<Localized<String>>,
    /// The claims that it opens at the `UserInfo` endpoint, beside those of the standard. OpenID Connect Core 1.0 §5.4.
    pub claims: Vec<String>,
}

/// Every resource and scope of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    resources: Vec<Arc<Resource>>,
    scopes: Vec<ScopeMeaning>,
    loopback: Option<Vec<String>>,
}

/// The scopes that are about a user, and mean nothing where none takes part. OpenID Connect Core 1.0 §5.4, §11.
pub(crate) const OF_USERS: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Telling the values of a list apart takes a time that grows faster than the list.
pub(crate) const LONGEST_SCOPE: usize = 4096;

/// The longest `resource`, in bytes.
const LONGEST_RESOURCE: usize = 512;

/// The most `resource`s of one request: they are stored with what comes of it.
const MOST_RESOURCES: usize = 16;

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<Arc<Resource>>,
}

impl Catalog {
    /// These resources.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        Self { resources: resources.into_iter().map(Arc::new).collect(), ..Self::default() }
    }

    /// The same, where these scopes are known, too.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = ScopeMeaning>) -> Self {
        Self { scopes: scopes.into_iter().collect(), ..self }
    }

    /// The same, where whatever listens on this machine is a resource with these scopes. For trying things: somebody who
    /// holds a token for one program here may not be trusted by the next.
    #[must_use]
    pub fn insecure_with_any_on_loopback(self, scopes: impl IntoIterator<Item = String>) -> Self {
        Self { loopback: Some(scopes.into_iter().collect()), ..self }
    }

    /// The resource of this identifier, when this is one of its secrets.
    pub(crate) fn authenticated(&self, identifier: &str, secret: &SecretHash) -> Option<&Resource> {
        // Each is compared, so that the time tells nothing of which one it is.
        let has_it = |own: &Resource| own.secrets.iter().filter(|hash| *hash == secret).count() > 0;
        self.resources.iter().map(Arc::as_ref).find(|own| has_it(own) && own.identifier == identifier)
    }

    /// The claims that any resource wants to know of a user.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().flat_map(|resource| &resource.claims).map(String::as_str)
    }

    /// The claims that any scope opens, beside those of the standard.
    pub(crate) fn claims_of_scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().flat_map(|scope| &scope.claims).map(String::as_str)
    }

    /// What every scope means.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &ScopeMeaning> {
        self.scopes.iter()
    }

    /// What a scope means, if anybody said.
    pub(crate) fn meaning(&self, scope: &str) -> Option<&ScopeMeaning> {
        self.scopes.iter().find(|own| own.name == scope)
    }

    /// What a client without a user gets of what it asks: `registered` is what it may have, `asked` what it names, if it
    /// does, and `resources` where it wants to go, if it says. RFC 6749 §4.4.2, RFC 8707 §2.2.
    pub(crate) fn for_client<'a>(
        &self,
        registered: &Scope,
        asked: Option<&str>,
        resources: impl Iterator<Item = &'a str>,
    ) -> Result<Extent, ProtocolError> {
        let wanted = self.named(resources)?;
        let asked = asked.map(limited).transpose()?;
        for value in asked.iter().flat_map(Scope::values) {
            if OF_USERS.contains(&value) {
                let problem = format!("scope: {value} is about a user, and none takes part");
                return Err(ProtocolError::new(ErrorCode::InvalidScope, problem));
            }
            must_be_registered(registered, value)?;
        }
        let granted = asked.unwrap_or_else(|| of_resources(registered));
        wanted.iter().try_for_each(|resource| resource.must_be_led_to_by(&granted))?;
        Ok(self.towards(&granted, some(wanted)))
    }

    /// What a user may let a client have. Scopes that nobody here knows are passed over, as the standard wants it.
    /// RFC 6749 §3.3, OpenID Connect Core 1.0 §3.1.2.1.
    pub(crate) fn for_user<'a>(
        &self,
        registered: &Scope,
        asked: Option<&str>,
        resources: impl Iterator<Item = &'a str>,
    ) -> Result<Extent, ProtocolError> {
        let wanted = self.named(resources)?;
        let asked = match asked {
            Some(asked) => {
                limited(asked)?.values().filter(|value| self.is_meant(value, registered)).collect()
            }
            None => of_resources(registered),
        };
        asked.values().try_for_each(|value| must_be_registered(registered, value))?;
        // One without scopes is for whomever its users let in.
        let mut guarded = wanted.iter().filter(|resource| !resource.scopes.is_empty());
        guarded.try_for_each(|resource| resource.must_be_led_to_by(registered))?;
        let extent = self.towards(&asked, some(wanted));
        match extent.scope.as_str().is_empty() {
            false => Ok(extent),
            true => Err(ProtocolError::new(
                ErrorCode::InvalidScope,
                "scope: nothing that is asked for can be had here; name a scope that the client is registered with",
            )),
        }
    }

    /// A part of what was granted before: `scope` is that, `resources` where it leads, if that was said; of these there may
    /// be none left. RFC 6749 §6, RFC 8707 §2.2.
    pub(crate) fn part_of<'a>(
        &self,
        scope: &Scope,
        resources: Option<&[String]>,
        asked: Option<&str>,
        wanted: impl Iterator<Item = &'a str>,
    ) -> Result<Extent, ProtocolError> {
        let wanted: Vec<&str> = wanted.collect();
        let outside = |name: &&&str| resources.is_some_and(|all| !all.iter().any(|own| is_same(own, name)));
        if let Some(name) = wanted.iter().find(outside) {
            let problem = format!("resource: {} is not one that was granted", name.escape_default());
            return Err(ProtocolError::new(ErrorCode::InvalidTarget, problem));
        }
        let asked = asked.map(limited).transpose()?;
        if let Some(value) = asked.iter().flat_map(Scope::values).find(|value| !scope.contains(value)) {
            let problem = format!("scope: {} was not granted", value.escape_default());
            return Err(ProtocolError::new(ErrorCode::InvalidScope, problem));
        }
        let wanted = match (resources, wanted.is_empty()) {
            (Some(all), true) => Some(self.named(all.iter().map(String::as_str))?),
            _ => some(self.named(wanted.into_iter())?),
        };
        if resources.is_none() {
            // Nobody named it when the user was asked: then only what was allowed leads there.
            wanted.iter().flatten().try_for_each(|resource| resource.must_be_led_to_by(scope))?;
        }
        Ok(self.towards(asked.as_ref().unwrap_or(scope), wanted))
    }

    /// Of the resources of these names those that stay open when less is allowed than was asked. RFC 8707 §2.2.
    pub(crate) fn still_open(&self, names: &[String], asked: &Scope, allowed: &Scope) -> Vec<String> {
        let is_open = |name: &&String| {
            let known = self.resources.iter().find(|own| own.is_called(name)).cloned();
            let resource = known.or_else(|| self.on_loopback(name));
            resource.is_some_and(|resource| !resource.is_closed(asked, allowed))
        };
        names.iter().filter(is_open).cloned().collect()
    }

    /// Of these scopes those that lead to what is wanted, or, when nobody said that, all, with every resource that they lead
    /// to.
    fn towards(&self, scope: &Scope, wanted: Option<Vec<Arc<Resource>>>) -> Extent {
        let Some(wanted) = wanted else {
            let led_to = self.resources.iter().filter(|resource| resource.is_led_to_by(scope));
            return Extent { scope: scope.values().collect(), resources: led_to.cloned().collect() };
        };
        let leads =
            |value: &str| wanted.iter().any(|resource| resource.scopes.iter().any(|own| own == value));
        let scope = scope.values().filter(|value| OF_USERS.contains(value) || leads(value)).collect();
        Extent { scope, resources: wanted }
    }

    /// Whether a scope is more than a wish that the standard lets the server pass over: one that nobody here knows, or
    /// access while the user is away, for a client that gets no refresh tokens. OpenID Connect Core 1.0 §11.
    fn is_meant(&self, value: &str, registered: &Scope) -> bool {
        self.knows(value) && (value != "offline_access" || registered.contains(value))
    }

    fn knows(&self, value: &str) -> bool {
        OF_USERS.contains(&value)
            || self.meaning(value).is_some()
            || self.resources.iter().any(|resource| resource.scopes.iter().any(|own| own == value))
    }

    /// RFC 8707 §2: a resource that is not known is refused.
    fn named<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<Vec<Arc<Resource>>, ProtocolError> {
        let find = |name: &str| {
            let found = self.resources.iter().find(|own| own.is_called(name)).cloned();
            found.or_else(|| self.on_loopback(name)).ok_or_else(|| {
                let problem = format!("resource: {} is not known here", name.escape_default());
                ProtocolError::new(ErrorCode::InvalidTarget, problem)
            })
        };
        let mut wanted: Vec<Arc<Resource>> = Vec::new();
        for resource in names.map(find) {
            let resource = resource?;
            if wanted.contains(&resource) {
                continue;
            }
            if wanted.len() == MOST_RESOURCES {
                let problem = format!("resource: must be at most {MOST_RESOURCES} different ones");
                return Err(ProtocolError::new(ErrorCode::InvalidTarget, problem));
            }
            wanted.push(resource);
        }
        Ok(wanted)
    }

    fn on_loopback(&self, name: &str) -> Option<Arc<Resource>> {
        let scopes = self.loopback.as_ref().filter(|_| name.len() <= LONGEST_RESOURCE)?;
        let uri = Uri::from(name);
        let parts = uri.parts().ok()?;
        let is_here = ["http", "https"].contains(&parts.scheme.as_str()) && parts.is_loopback();
        let resource =
            || Resource { identifier: name.to_owned(), scopes: scopes.clone(), ..Resource::default() };
        (is_here && parts.fragment.is_none()).then(|| Arc::new(resource()))
    }
}

impl Resource {
    /// Whether a client that names this means this resource.
    fn is_called(&self, name: &str) -> bool {
        is_same(&self.identifier, name)
    }

    fn is_led_to_by(&self, scope: &Scope) -> bool {
        self.scopes.iter().any(|own| scope.contains(own))
    }

    /// Whether somebody who was asked for this, and allowed that, left out each scope that leads there.
    pub(crate) fn is_closed(&self, asked: &Scope, allowed: &Scope) -> bool {
        self.is_led_to_by(asked) && !self.is_led_to_by(allowed)
    }

    /// Many a resource looks at `aud` alone: whoever has none of its scopes gets no token for it. RFC 8707 §2.2.
    fn must_be_led_to_by(&self, scope: &Scope) -> Result<(), ProtocolError> {
        if self.is_led_to_by(scope) {
            return Ok(());
        }
        let problem = format!("resource: none of the scopes lead to {}", self.identifier.escape_default());
        Err(ProtocolError::new(ErrorCode::InvalidTarget, problem))
    }
}

impl Extent {
    /// The `aud` of its tokens.
    pub(crate) fn audience(&self) -> Vec<String> {
        self.resources.iter().map(|resource| resource.identifier.clone()).collect()
    }
}

/// What was named, if anything was.
fn some(named: Vec<Arc<Resource>>) -> Option<Vec<Arc<Resource>>> {
    Some(named).filter(|named| !named.is_empty())
}

fn limited(asked: &str) -> Result<Scope, ProtocolError> {
    if asked.len() > LONGEST_SCOPE {
        let problem = format!("scope: must be at most {LONGEST_SCOPE} characters long");
        return Err(ProtocolError::new(ErrorCode::InvalidScope, problem));
    }
    Ok(Scope::from(asked))
}

fn must_be_registered(registered: &Scope, value: &str) -> Result<(), ProtocolError> {
    if registered.contains(value) {
        return Ok(());
    }
    let problem = format!("scope: {} is not one that the client is registered with", value.escape_default());
    Err(ProtocolError::new(ErrorCode::InvalidScope, problem))
}

/// What a client gets that names no scope: whatever it registered for that is not about the user.
fn of_resources(registered: &Scope) -> Scope {
    registered.values().filter(|value| !OF_USERS.contains(value)).collect()
}

/// Scheme and host may differ in their letters' case, and nothing else. RFC 3986 §6.2.2.1.
fn is_same(own: &str, named: &str) -> bool {
    own == named || with_small_authority(own) == with_small_authority(named)
}

fn with_small_authority(uri: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.into() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    format!("{}://{}{path}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase()).into()
}

#[cfg(test)]
mod tests;
