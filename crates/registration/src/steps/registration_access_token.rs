//! `registration_access_token`: how it manages itself.
//!
//! RFC 7592 §3.

use enroll_oauth_types::RegistrationAccessToken;

use crate::{Registration, StepResult};

/// Makes the token for a new client, unless clients are not to manage themselves; an update keeps the one that is there.
pub fn registration_access_token(r: &mut Registration<'_>) -> StepResult {
    if let Some(current) = r.current {
        r.client.registration_access_token = current.registration_access_token;
        return Ok(());
    }
    if !r.server.rules.management {
        return Ok(());
    }
    let token = RegistrationAccessToken::generate(r.server.random.as_ref());
    r.client.registration_access_token = Some(token.hash());
    r.issued.registration_access_token = Some(token);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    /// RFC 7592 §3
    #[test]
    fn a_token_is_issued_once_and_kept_as_its_hash() {
        let registered = Trial::new().register(&app(json!({}))).unwrap();
        let issued = registered.issued.registration_access_token.unwrap();
        assert!(issued.expose().starts_with("enr_rat_"));
        assert_eq!(registered.client.registration_access_token, Some(issued.hash()));
        let updated = Trial::new().updating(registered.client.clone()).register(&app(json!({}))).unwrap();
        assert!(updated.issued.registration_access_token.is_none());
        assert_eq!(updated.client.registration_access_token, registered.client.registration_access_token);
    }
}
