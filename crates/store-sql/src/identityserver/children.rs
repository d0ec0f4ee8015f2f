//! The tables of one value a row: what a client has several of.

use std::collections::HashSet;

use enroll_oauth_types::{GrantType, ResponseType, Scope};
use enroll_store::Client;

/// A table beside `Clients`, and the member that it holds.
pub(super) struct Child {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// The member that is named when a value does not fit.
    pub(super) member: &'static str,
    /// How many characters fit, where the catalogue does not say.
    pub(super) longest: usize,
    get: fn(&Client) -> Vec<String>,
    set: fn(&mut Client, &[String]),
}

impl Child {
    /// The rows of this client: each value once.
    pub(super) fn of(&self, client: &Client) -> Vec<String> {
        let mut rows = distinct((self.get)(client));
        rows.retain(|row| self.reads(row));
        rows
    }

    /// Whether a row means something here. What does not belong there is not read, and stays.
    pub(super) fn reads(&self, row: &str) -> bool {
        let is_elsewhere = match self.table {
            "ClientScopes" => row == OFFLINE_ACCESS,
            "ClientGrantTypes" => row == REFRESH_TOKEN,
            _ => false,
        };
        !row.is_empty() && !is_elsewhere
    }

    /// Makes the client what the rows say.
    pub(super) fn tell(&self, client: &mut Client, rows: Vec<String>) {
        (self.set)(client, &distinct(rows));
    }

    /// Whether both hold the same values, in whichever order.
    pub(super) fn is_same(one: &[String], other: &[String]) -> bool {
        let sorted = |values: &[String]| {
            let mut values = distinct(values.to_vec());
            values.sort_unstable();
            values
        };
        sorted(one) == sorted(other)
    }
}

macro_rules! list {
    ($table:literal, $column:literal, $longest:literal, $member:ident) => {
        Child {
            table: $table,
            column: $column,
            member: stringify!($member),
            longest: $longest,
            get: |client| client.metadata.$member.iter().flatten().map(ToString::to_string).collect(),
            set: |client, rows| {
                let values: Vec<_> = rows.iter().map(|row| row.as_str().into()).collect();
                client.metadata.$member = Some(values).filter(|values| !values.is_empty());
            },
        }
    };
}

/// Every one of them.
pub(super) static CHILDREN: &[Child] = &[
    Child {
        table: "ClientGrantTypes",
        column: "GrantType",
        member: "grant_types",
        longest: 250,
        get: grant_rows,
        set: set_grants,
    },
    list!("ClientRedirectUris", "RedirectUri", 400, redirect_uris),
    list!("ClientPostLogoutRedirectUris", "PostLogoutRedirectUri", 400, post_logout_redirect_uris),
    Child {
        table: "ClientScopes",
        column: "Scope",
        member: "scope",
        longest: 200,
        get: |client| client.metadata.scope.iter().flat_map(scopes).map(str::to_owned).collect(),
        set: |client, rows| {
            let offline = client.metadata.scope.as_ref().is_some_and(|scope| scope.contains(OFFLINE_ACCESS));
            let values = rows.iter().map(String::as_str);
            let scope: Scope = values.chain(offline.then_some(OFFLINE_ACCESS)).collect();
            client.metadata.scope = Some(scope).filter(|scope| !scope.as_str().is_empty());
        },
    },
    list!("ClientIdPRestrictions", "Provider", 200, identity_provider_restrictions),
    list!("ClientCorsOrigins", "Origin", 150, allowed_cors_origins),
];

/// The scope that is no row: `AllowOfflineAccess` says it. OpenID Connect Core §11.
pub(super) const OFFLINE_ACCESS: &str = "offline_access";

/// What the schema calls a client that has both redirect grants, which must not stand beside each other there.
const HYBRID: &str = "hybrid";

/// The grant that is no row: `AllowOfflineAccess` says it.
const REFRESH_TOKEN: &str = "refresh_token";

fn scopes(scope: &Scope) -> impl Iterator<Item = &str> {
    scope.values().filter(|value| *value != OFFLINE_ACCESS)
}

fn grant_rows(client: &Client) -> Vec<String> {
    let grants = client.metadata.grant_types.as_deref().unwrap_or_default();
    let redirecting = [GrantType::AuthorizationCode, GrantType::Implicit];
    let is_hybrid = redirecting.iter().all(|own| grants.contains(own));
    let mut rows: Vec<String> = Vec::with_capacity(grants.len());
    for grant in grants.iter().filter(|own| **own != GrantType::RefreshToken) {
        let is_part = is_hybrid && redirecting.contains(grant);
        rows.push(if is_part { HYBRID.to_owned() } else { grant.to_string() });
    }
    rows
}

fn set_grants(client: &mut Client, rows: &[String]) {
    let refreshes = super::columns::can_refresh(client);
    let mut grants = Vec::with_capacity(rows.len() + 2);
    for row in rows {
        match row.as_str() {
            HYBRID => grants.extend([GrantType::AuthorizationCode, GrantType::Implicit]),
            other => grants.push(GrantType::from(other)),
        }
    }
    grants.extend(refreshes.then_some(GrantType::RefreshToken));
    client.metadata.grant_types = Some(grants);
}

/// Whether a response type may be asked for with these grants. RFC 7591 §2.1.
fn fits(response_type: &ResponseType, grants: &[GrantType]) -> bool {
    (!response_type.contains("code") || grants.contains(&GrantType::AuthorizationCode))
        && (!response_type.is_front_channel() || grants.contains(&GrantType::Implicit))
}

/// What a client may ask for of which only its grants are known, and whether browsers may carry its access tokens.
pub(super) fn response_types(client: &Client, tokens_by_browser: bool) -> Vec<ResponseType> {
    let grants = client.metadata.grant_types.as_deref().unwrap_or_default();
    let all = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];
    let is_hybrid = grants.contains(&GrantType::AuthorizationCode);
    all.map(ResponseType::from)
        .into_iter()
        .filter(|own| fits(own, grants))
        .filter(|own| own.contains("code") || !is_hybrid)
        .filter(|own| !own.contains("token") || tokens_by_browser)
        .collect()
}

/// Each value once, in the order of first mention.
fn distinct(mut values: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::with_capacity(values.len());
    values.retain(|value| seen.insert(value.clone()));
    values
}
