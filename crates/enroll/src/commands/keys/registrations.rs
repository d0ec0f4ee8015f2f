//! The keys that registrations are sealed under where they are kept in their `client_id`. RFC 7591 Appendix A.5.2.

use enroll_oauth_types::{Clock as _, SystemClock, SystemRandom};
use enroll_store::{RegistrationKeyEntry, RegistrationKeys};
use enroll_store_sql::Access;
use serde_json::json;

use crate::cli::Place;
use crate::commands::{moment, say};
use crate::config::Config;
use crate::failure::Failure;
use crate::{sealed, service};

/// The keys of a server that was there before.
async fn open(place: &Place, access: Access) -> Result<RegistrationKeys, Failure> {
    let config = Config::load(place)?;
    let store = service::existing_store(&config, access).await?;
    let key = service::sealing_key(&config, &store).await?;
    RegistrationKeys::load(key, store).await.map_err(|error| sealed::failed(&error))
}

pub(super) async fn list(place: &Place, as_json: bool) -> Result<(), Failure> {
    let keys = open(place, Access::ReadOnly).await?;
    if !as_json {
        say(format_args!("{:<8}  {:<20}  STATE", "NAME", "SINCE"))?;
    }
    for RegistrationKeyEntry { name, made_at, seals } in keys.list() {
        let state = if seals { "seals" } else { "opens" };
        match as_json {
            true => say(json!({ "name": name, "since": made_at, "state": state }))?,
            false => say(format_args!("{name:<8}  {:<20}  {state}", moment(made_at)))?,
        }
    }
    Ok(())
}

pub(super) async fn rotate(place: &Place) -> Result<(), Failure> {
    let keys = open(place, Access::ReadWrite).await?;
    let name = keys.rotate(SystemClock.now(), &SystemRandom).await.map_err(|error| sealed::failed(&error))?;
    say(format_args!("{name} seals from now on, on every node within half a minute"))
}

pub(super) async fn retire(name: &str, place: &Place) -> Result<(), Failure> {
    let keys = open(place, Access::ReadWrite).await?;
    match keys.retire(name, SystemClock.now()).await.map_err(|error| sealed::failed(&error))? {
        true => say(format_args!("{name} is ended, on every node within half a minute")),
        false => Err(Failure::Refused(format!("there is no registration key {name}"))),
    }
}
