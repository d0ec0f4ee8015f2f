//! `require_consent`, `allow_remember_consent`, `consent_lifetime`, `enable_local_login`,
//! `identity_provider_restrictions`, `coordinate_lifetime_with_user_session`: what its users are asked, and how they
//! log in.
//!
//! Extension members beside RFC 7591 §2, most of them privileged: `policy` says whether they take effect.

use super::lifetimes::check_positive;
use super::text;
use crate::{Registration, StepResult};

const LONGEST: usize = 200;

/// Takes them over.
pub fn consent(r: &mut Registration<'_>) -> StepResult {
    check_positive("consent_lifetime", r.request.consent_lifetime)?;
    let providers = r.request.identity_provider_restrictions.as_ref();
    text::check_items("identity_provider_restrictions", providers, LONGEST)?;
    take_over!(r: require_consent, allow_remember_consent, consent_lifetime, enable_local_login);
    take_over!(r: identity_provider_restrictions, coordinate_lifetime_with_user_session);
    Ok(())
}

#[cfg(test)]
mod tests {
    use enroll_access::Terms;
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    #[test]
    fn what_the_policy_grants_is_registered() {
        let asked = json!({
            "require_consent": false, "allow_remember_consent": false, "consent_lifetime": 60,
            "enable_local_login": false, "identity_provider_restrictions": ["corp"],
            "coordinate_lifetime_with_user_session": true,
        });
        let json = Trial::new().on(Terms::unrestricted()).accepts(&app(asked.clone()));
        for (member, value) in asked.as_object().unwrap() {
            assert_eq!(&json[member], value, "{member}");
        }
    }

    #[test]
    fn names_of_identity_providers_are_lines() {
        let body = app(json!({ "identity_provider_restrictions": ["corp", "a\nb"] }));
        Trial::new().refuses_about("identity_provider_restrictions[1]", &body);
    }
}
