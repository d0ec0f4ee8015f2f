//! What the caller's policy grants: ceilings of lifetimes, privileged members, scopes.
//!
//! The last step before identifiers are made: it judges the client as it will be, defaults included, so that
//! nothing slips past by being left out (RFC 7591 §2: the server may replace what was asked). It owns no member.

use enroll_oauth_types::{GrantType, RefreshTokenExpiration, Rejection, Scope, Seconds};

use super::lifetimes::{
    DEFAULT_ABSOLUTE_REFRESH_TOKEN_LIFETIME, DEFAULT_ACCESS_TOKEN_LIFETIME,
    DEFAULT_AUTHORIZATION_CODE_LIFETIME, DEFAULT_IDENTITY_TOKEN_LIFETIME,
    DEFAULT_SLIDING_REFRESH_TOKEN_LIFETIME,
};
use crate::{Registration, StepResult, UnknownScope};

/// Lowers, drops or refuses what goes beyond the caller's terms.
pub fn policy(r: &mut Registration<'_>) -> StepResult {
    ceilings(r)?;
    privileged_members(r)?;
    scopes(r)
}

/// One lifetime under its ceiling.
struct Lifetime {
    member: &'static str,
    registered: Option<Seconds>,
    ceiling: Option<Seconds>,
    /// What a client that asks for nothing gets, in seconds; `None` is no end.
    default: Option<u32>,
    /// Whether 0 is no end, too.
    zero_is_endless: bool,
    /// Whether the grants and scopes of the client make use of it.
    relevant: bool,
}

impl Lifetime {
    /// What to register.
    fn judge(self, r: &mut Registration<'_>) -> Result<Option<Seconds>, crate::RegistrationError> {
        let Some(ceiling) = self.ceiling else { return Ok(self.registered) };
        let effective = match self.registered.map(Seconds::get) {
            Some(0) if self.zero_is_endless => None,
            Some(seconds) => Some(seconds),
            None => self.default,
        };
        if effective.is_some_and(|seconds| seconds <= ceiling.get()) {
            return Ok(self.registered);
        }
        // To ask for the default is to ask for nothing.
        if effective != self.default && self.registered.is_some() {
            r.put_instead(self.member, &ceiling, "the most that this caller may have")?;
        } else if self.relevant || self.registered.is_some() {
            r.note(self.member, format!("set to {ceiling}: the default is more than this caller may have"));
        } else {
            return Ok(None);
        }
        Ok(Some(ceiling))
    }
}

macro_rules! limit {
    ($r:ident, $member:ident, default $default:expr, relevant $relevant:expr) => {
        limit!($r, $member, default $default, relevant $relevant, endless false)
    };
    ($r:ident, $member:ident, default $default:expr, relevant $relevant:expr, endless $endless:expr) => {{
        let lifetime = Lifetime {
            member: stringify!($member),
            registered: $r.client.metadata.$member,
            ceiling: $r.terms().ceilings.$member,
            default: $default,
            zero_is_endless: $endless,
            relevant: $relevant,
        };
        $r.client.metadata.$member = lifetime.judge($r)?;
    }};
}

fn ceilings(r: &mut Registration<'_>) -> StepResult {
    let metadata = &r.client.metadata;
    let openid = metadata.scope.as_ref().is_some_and(|scope| scope.contains("openid"));
    let slides = metadata.refresh_token_expiration == Some(RefreshTokenExpiration::Sliding);
    let code = r.has_grant(&GrantType::AuthorizationCode);
    let refresh = r.has_grant(&GrantType::RefreshToken);
    let asks_users = r.uses_redirects();
    limit!(r, access_token_lifetime, default Some(DEFAULT_ACCESS_TOKEN_LIFETIME), relevant true);
    limit!(r, identity_token_lifetime, default Some(DEFAULT_IDENTITY_TOKEN_LIFETIME), relevant openid);
    limit!(r, authorization_code_lifetime, default Some(DEFAULT_AUTHORIZATION_CODE_LIFETIME), relevant code);
    limit!(r, absolute_refresh_token_lifetime, default Some(DEFAULT_ABSOLUTE_REFRESH_TOKEN_LIFETIME),
        relevant refresh, endless slides);
    limit!(r, sliding_refresh_token_lifetime, default Some(DEFAULT_SLIDING_REFRESH_TOKEN_LIFETIME),
        relevant refresh && slides);
    limit!(r, consent_lifetime, default None, relevant asks_users);
    Ok(())
}

/// Keeps a privileged member only with the policy's leave. Without it stays what somebody had registered who had
/// that leave, or what the policy's own template says: a client can undo neither. To ask for the default is to ask for
/// nothing, and no reason to refuse.
macro_rules! guard {
    ($r:ident, $member:ident, default $default:expr) => {
        guard!($r, $member, default $default, harmless |_, _| false)
    };
    ($r:ident, $member:ident, default $default:expr, harmless $harmless:expr) => {{
        let member = stringify!($member);
        let why = "this caller's policy does not grant it";
        let asked = $r.client.metadata.$member.take();
        let current = $r.current.and_then(|current| current.metadata.$member.clone());
        let kept = current.or_else(|| $r.terms().template.$member.clone());
        let is_harmless: fn(&Option<_>, &Option<_>) -> bool = $harmless;
        let granted = asked == kept || $r.terms().privileges.include(member) || is_harmless(&asked, &kept);
        match &asked {
            Some(asked) if !granted && kept.is_none() && *asked == $default => $r.note(member, why),
            Some(_) if !granted => $r.leave_out(member, why)?,
            _ => {}
        }
        $r.client.metadata.$member = if granted { asked } else { kept };
    }};
}

fn privileged_members(r: &mut Registration<'_>) -> StepResult {
    // To be asked for more consent than the server needs is anybody's right; to take it back is not.
    guard!(r, require_consent, default false, harmless |asked, kept| *asked == Some(true) && kept.is_none());
    guard!(r, allow_remember_consent, default true);
    guard!(r, enable_local_login, default true);
    guard!(r, identity_provider_restrictions, default Vec::<String>::new());
    guard!(r, coordinate_lifetime_with_user_session, default false);
    Ok(())
}

/// The step `scope` grants none of these; one that somebody put in its place might.
fn scopes(r: &mut Registration<'_>) -> StepResult {
    let (Some(allowed), Some(scope)) = (&r.terms().allowed_scopes, &r.client.metadata.scope) else {
        return Ok(());
    };
    let is_allowed = |value: &&str| allowed.iter().any(|own| own == value);
    let Some(outside) = scope.values().find(|value| !is_allowed(value)) else { return Ok(()) };
    if r.server.rules.unknown_scope == UnknownScope::Refuse {
        let problem = format!("must not hold {outside}: this caller's policy does not grant it");
        return Err(Rejection::metadata("scope", problem).into());
    }
    let kept: Scope = scope.values().filter(is_allowed).collect();
    r.client.metadata.scope = Some(kept).filter(|scope| !scope.as_str().is_empty());
    r.note("scope", "narrowed to what this caller's policy grants");
    Ok(())
}

#[cfg(test)]
mod tests;
