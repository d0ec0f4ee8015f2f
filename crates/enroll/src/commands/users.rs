//! `enroll users`: people who can log in. OpenID Connect Core 1.0 §5.1.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::net::Ipv4Addr;

use enroll_provider::{LogIn, NewUser, Password, User, UserError, Users};
use serde_json::{Map, Value, json};

use super::{say, say_row};
use crate::cli::{Place, Users as UsersCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

/// How many users are read at a time.
const PAGE: u32 = 500;

pub(super) async fn run(command: UsersCommand) -> Result<(), Failure> {
    match command {
        UsersCommand::Add { name, claims, email, place } => add(name, claims, email, &place).await,
        UsersCommand::List { place, json } => list(&place, json).await,
        UsersCommand::Change { name, claims, place } => change(&name, claims, &place).await,
        UsersCommand::Password(one) => {
            let users = existing(&one.place).await?;
            let password = password()?;
            done(&one.name, users.set_password(&one.name, password).await, "changed the password of")
        }
        UsersCommand::Disable(one) => enable(&one.name, &one.place, false).await,
        UsersCommand::Enable(one) => enable(&one.name, &one.place, true).await,
        UsersCommand::Delete(one) => {
            let users = existing(&one.place).await?;
            done(&one.name, users.delete(&one.name).await, "deleted")
        }
    }
}

async fn add(
    name: String,
    claims: Vec<(String, Value)>,
    email: Option<String>,
    place: &Place,
) -> Result<(), Failure> {
    let mut all: Map<String, Value> = claims.into_iter().filter(|(_, value)| !value.is_null()).collect();
    all.extend(email.map(|email| ("email".to_owned(), Value::from(email))));
    let users = service::users(&Config::load(place)?).await?;
    let new = NewUser { username: name.clone(), password: password()?, claims: all };
    let added = users.add(new).await.map_err(|error| failure(&name, error))?;
    say(added.subject)
}

async fn change(name: &str, claims: Vec<(String, Value)>, place: &Place) -> Result<(), Failure> {
    let users = existing(place).await?;
    let user = users.named(name).await?.ok_or_else(|| failure(name, UserError::Unknown))?;
    let mut all = user.claims;
    all.extend(claims);
    all.retain(|_, value| !value.is_null());
    done(name, users.set_claims(name, &all).await, "changed")
}

async fn enable(name: &str, place: &Place, enabled: bool) -> Result<(), Failure> {
    let users = existing(place).await?;
    done(name, users.set_enabled(name, enabled).await, if enabled { "enabled" } else { "disabled" })
}

fn done(name: &str, outcome: Result<(), UserError>, what: &str) -> Result<(), Failure> {
    outcome.map_err(|error| failure(name, error))?;
    say(format_args!("{what} {name}"))
}

fn failure(name: &str, error: UserError) -> Failure {
    match error {
        UserError::Internal(cause) => Failure::World(format!("the users: {cause}")),
        UserError::Name | UserError::Password | UserError::Claim(_) => Failure::Usage(error.to_string()),
        error => Failure::Refused(format!("{name}: {error}")),
    }
}

async fn list(place: &Place, as_json: bool) -> Result<(), Failure> {
    let users = existing(place).await?;
    if !as_json {
        say(format_args!("{:<24}  {:<22}  {:<8}  CLAIMS", "NAME", "SUBJECT", "ENABLED"))?;
    }
    let mut last: Option<String> = None;
    loop {
        let page = users.list(last.as_deref(), PAGE).await?;
        let Some(newest) = page.last() else { return Ok(()) };
        last = Some(newest.username.clone());
        page.iter().try_for_each(|user| say_one(user, as_json))?;
    }
}

fn say_one(user: &User, as_json: bool) -> Result<(), Failure> {
    let User { username, subject, claims, enabled, .. } = user;
    if as_json {
        let told = json!({ "username": username, "sub": subject, "enabled": enabled, "claims": claims });
        return say(told);
    }
    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
    say_row(&format!("{username:<24}  {subject:<22}  {enabled:<8}  {}", names.join(" ")))
}

/// The users of a server that was there before: a mistyped folder is no empty database.
async fn existing(place: &Place) -> Result<Users, Failure> {
    let config = Config::load(place)?;
    service::operational_must_exist(&config).await?;
    service::users(&config).await
}

/// The first line of standard input; on a terminal asked for, twice, and not shown.
fn password() -> Result<Password, Failure> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        // More than the longest password, so that a longer one is refused rather than cut off.
        std::io::stdin().lock().take(4096).read_line(&mut line)?;
        return Ok(Password::presented(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let asked = rpassword::prompt_password("Password: ")?;
    if asked != rpassword::prompt_password("The same again: ")? {
        return Err(Failure::Usage("the two passwords differ".to_owned()));
    }
    Ok(Password::presented(asked))
}

/// Adds the users of `--dev`, whose passwords are their names, unless they are there.
pub(super) async fn add_demonstration_users(users: &Users) -> Result<(), Failure> {
    for (name, given, family, birthdate) in
        [("alice", "Alice", "Ammann", "1991-04-12"), ("bob", "Bob", "Baumann", "1987-11-30")]
    {
        let claims = json!({
            "name": format!("{given} {family}"),
            "given_name": given,
            "family_name": family,
            "preferred_username": name,
            "locale": "en-GB",
            "zoneinfo": "Europe/Zurich",
            "birthdate": birthdate,
            "website": format!("https://{name}.example"),
            "updated_at": 1_767_225_600,
            "email": format!("{name}@example.com"),
            "email_verified": true,
            "phone_number": "+41 44 555 01 00",
            "phone_number_verified": false,
            "address": { "street_address": "Bahnhofstrasse 1", "postal_code": "8001", "locality": "Zürich", "country": "CH" },
        });
        let Value::Object(claims) = claims else { continue };
        if users.named(name).await?.is_some() {
            continue;
        }
        let new =
            NewUser { username: name.to_owned(), password: Password::presented(name.to_owned()), claims };
        match users.add(new).await {
            // Another process may have been quicker.
            Ok(_) | Err(UserError::Taken) => {}
            Err(error) => return Err(failure(name, error)),
        }
    }
    Ok(())
}

/// Deletes the users of `--dev` in a server that is none, unless they have other passwords by now: everybody knows these.
pub(super) async fn delete_demonstration_users(users: &Users) -> Result<(), Failure> {
    for name in ["alice", "bob"] {
        let password = Password::presented(name.to_owned());
        let source = Ipv4Addr::LOCALHOST.into();
        let tried = users.log_in(LogIn { username: name, password, source, device: None }).await;
        if tried.is_ok() {
            users.delete(name).await.map_err(|error| failure(name, error))?;
            tracing::warn!("deleted the user {name} of an earlier --dev, whose password is the name");
        }
    }
    Ok(())
}
