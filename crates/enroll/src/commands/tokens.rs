//! `enroll tokens`: initial access tokens. RFC 7591 §1.2.

use std::sync::Arc;

use enroll_access::{InitialAccessTokenData, NewInitialAccessToken, issue};
use enroll_oauth_types::{Clock as _, SystemClock, SystemRandom, Timestamp};
use enroll_store::{Token, TokenId, TokenKind, TokenStore as _};
use enroll_store_sql::{Access, SqlStore};
use serde_json::json;

use super::{moment, say, say_row};
use crate::cli::{Place, Tokens};
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

/// How many tokens are read at a time.
const PAGE: u32 = 500;

pub(super) async fn run(command: Tokens) -> Result<(), Failure> {
    match command {
        Tokens::Issue { place, label, policy, expires, uses } => {
            let now = SystemClock.now();
            let expires_at = expires.map(|lifetime| now + lifetime);
            issue_one(&place, NewInitialAccessToken { label, policy, expires_at, uses }, now).await
        }
        Tokens::List { place, json } => list(&place, json).await,
        Tokens::Revoke { id, place } => revoke(&id, &place).await,
    }
}

async fn open(place: &Place, access: Access) -> Result<Arc<SqlStore>, Failure> {
    service::existing_store(&Config::load(place)?, access).await
}

async fn issue_one(place: &Place, new: NewInitialAccessToken, now: Timestamp) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let terms = config.terms()?;
    if let Some(name) = new.policy.as_ref().filter(|name| !terms.contains_key(*name)) {
        return Err(Failure::Usage(format!("--policy: there is no policy `{name}` in the configuration")));
    }
    let store = service::store(&config).await?;
    let (secret, token) =
        issue(new, now, &SystemRandom).map_err(|error| Failure::Usage(error.to_string()))?;
    store.put(&token).await?;
    say(secret.expose())
}

async fn list(place: &Place, as_json: bool) -> Result<(), Failure> {
    let store = open(place, Access::ReadOnly).await?;
    if !as_json {
        say(format_args!(
            "{:<36}  {:<20}  {:<20}  {:<9}  {:<12}  LABEL",
            "TOKEN_ID", "ISSUED", "EXPIRES", "USES LEFT", "POLICY"
        ))?;
    }
    let mut last: Option<TokenId> = None;
    loop {
        let tokens = store.tokens(TokenKind::InitialAccessToken, last.as_ref(), PAGE).await?;
        let Some(newest) = tokens.last() else { return Ok(()) };
        last = Some(newest.id.clone());
        for token in &tokens {
            say_one(token, as_json)?;
        }
    }
}

fn say_one(token: &Token, as_json: bool) -> Result<(), Failure> {
    let data: InitialAccessTokenData =
        serde_json::from_str(token.data.get()).map_err(|error| Failure::world(&error))?;
    if as_json {
        return say(json!({
            "token_id": token.id, "issued_at": token.issued_at, "expires_at": token.expires_at,
            "uses_left": token.uses_left, "policy": data.policy, "label": data.label,
        }));
    }
    let expires = token.expires_at.map_or_else(|| "never".to_owned(), moment);
    let uses = token.uses_left.map_or_else(|| "any".to_owned(), |uses| uses.to_string());
    let (policy, label) =
        (data.policy.unwrap_or_else(|| "default".to_owned()), data.label.unwrap_or_default());
    let (id, issued) = (token.id.as_str(), moment(token.issued_at));
    say_row(&format!("{id:<36}  {issued:<20}  {expires:<20}  {uses:<9}  {policy:<12}  {label}"))
}

async fn revoke(id: &str, place: &Place) -> Result<(), Failure> {
    if id.starts_with("enr_") {
        let problem = "TOKEN_ID: name the token by its identifier, which `enroll tokens list` prints; what you gave \
                       looks like the token itself, which is a secret";
        return Err(Failure::Usage(problem.to_owned()));
    }
    match open(place, Access::ReadWrite).await?.revoke(&TokenId::from(id)).await? {
        true => say(format_args!("revoked {id}")),
        false => Err(Failure::Refused(format!("there is no token {id}"))),
    }
}
