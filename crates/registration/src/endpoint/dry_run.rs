//! `?dry_run=true`: what would become of a registration, for callers who are known.

use enroll_access::{AccessError, Caller, Credential};
use http::StatusCode;
use http::request::Parts;

use super::answer::Refusal;

/// Whether the query asks for a dry run. Any other value is refused: somebody who expects that nothing is stored must not
/// be surprised.
pub(super) fn is_asked_for(parts: &Parts) -> Result<bool, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let mut values = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some(("dry_run", value)) => Some(value),
        _ => (pair == "dry_run").then_some(""),
    });
    match (values.next(), values.next()) {
        (None, _) | (Some("false"), None) => Ok(false),
        (Some("true"), None) => Ok(true),
        _ => Err(Refusal::Request(StatusCode::BAD_REQUEST, "dry_run: must be true or false, once")),
    }
}

/// A change is made or not: whoever asks for a dry run of one must not see it made.
pub(super) fn must_not_be_asked_for(parts: &Parts) -> Result<(), Refusal> {
    match is_asked_for(parts)? {
        true => Err(Refusal::Request(StatusCode::BAD_REQUEST, "dry_run: is for registrations alone")),
        false => Ok(()),
    }
}

/// Whoever presented a credential.
pub(super) fn must_be_known(caller: &Caller) -> Result<(), AccessError> {
    if caller.credential == Credential::Anonymous { Err(AccessError::Missing) } else { Ok(()) }
}
