//! Which claims about a user a client gets to see. OpenID Connect Core 1.0 §5.4, §5.5.

use enroll_oauth_types::Scope;
use enroll_store::Client;
use serde_json::{Map, Value};

use crate::{Catalog, Provider, User};

/// The claims that each scope opens. §5.4.
const OF_SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Every claim that a scope opens, and those about the login, once. `claims_supported`. OpenID Connect Discovery 1.0 §3.
pub(crate) fn supported(catalog: &Catalog) -> Vec<String> {
    let standard = OF_SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied());
    let mut all = Vec::new();
    for name in ["sub", "auth_time", "acr"].into_iter().chain(standard).chain(catalog.claims_of_scopes()) {
        if !all.iter().any(|own| own == name) {
            all.push(name.to_owned());
        }
    }
    all
}

/// The scopes that open a claim.
pub(crate) fn scopes_that_open<'a>(claim: &'a str, catalog: &'a Catalog) -> impl Iterator<Item = &'a str> {
    let standard =
        OF_SCOPES.iter().filter(move |(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope);
    let own = catalog.scopes().filter(move |scope| scope.claims.iter().any(|own| own == claim));
    standard.chain(own.map(|scope| scope.name.as_str()))
}

/// What the scopes open of what is known of a user.
pub(crate) fn of_scope(user: &User, scope: &Scope, catalog: &Catalog) -> Map<String, Value> {
    let mut claims = Map::new();
    for value in scope.values() {
        let standard = OF_SCOPES.iter().find(|(own, _)| *own == value).map_or(&[][..], |(_, claims)| claims);
        add(&mut claims, user, standard.iter().copied());
        let own = catalog.meaning(value).into_iter().flat_map(|meaning| &meaning.claims);
        add(&mut claims, user, own.map(String::as_str));
    }
    claims
}

impl Provider {
    /// The single claims that were asked for, of those that the client is still registered for. §5.5.
    pub(crate) fn single_claims<'a>(
        &'a self,
        client: &'a Client,
        asked: &'a Map<String, Value>,
    ) -> impl Iterator<Item = &'a str> {
        let registered = client.metadata.scope.as_ref();
        let is_open = move |scope: &str| registered.is_some_and(|own| own.contains(scope));
        let names = asked.keys().map(String::as_str);
        names.filter(move |claim| scopes_that_open(claim, &self.catalog).any(is_open))
    }
}

/// Adds the claims of these names, those that are known of the user.
pub(crate) fn add<'a>(claims: &mut Map<String, Value>, user: &User, names: impl Iterator<Item = &'a str>) {
    for name in names {
        // §5.3.2: what is not known is left out.
        if let Some(value) = user.claims.get(name).filter(|value| !value.is_null()) {
            claims.insert(name.to_owned(), value.clone());
        }
    }
}
