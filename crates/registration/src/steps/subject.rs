//! `subject_type`, `sector_identifier_uri`: who its users are to it.
//!
//! Runs after `redirect_uris`; what stands at `sector_identifier_uri` is for the step `sector_identifier`.
//! OpenID Connect Core §8, Dynamic Client Registration 1.0 §2 and §5.

use enroll_oauth_types::{AuthMethod, ClientMetadata, GrantType, Rejection, SubjectType};

use super::supported;
use crate::{Registration, StepResult};

/// Takes the subject type over. Without a sector document, a pairwise client has all its redirect URIs on one host, and
/// that host is its sector.
pub fn subject(r: &mut Registration<'_>) -> StepResult {
    if let Some(uri) = &r.request.sector_identifier_uri {
        uri.check_https().map_err(|problem| Rejection::metadata("sector_identifier_uri", problem))?;
    }
    if let Some(asked) = &r.request.subject_type {
        supported::check("subject_type", asked, &r.server.capabilities.subject_types)?;
    }
    take_over!(r: subject_type, sector_identifier_uri);
    if is_pairwise(&r.client.metadata) && sector(&r.client.metadata).is_none() {
        let problem =
            "must be public unless there is a sector_identifier_uri, or all redirect_uris are on one host";
        return Err(Rejection::metadata("subject_type", problem).into());
    }
    check_it_proves_its_sector(r)?;
    check_users_keep_their_names(r)
}

/// A client that nobody is redirected to shows that it is in the sector by using the keys there. CIBA §4.
fn check_it_proves_its_sector(r: &Registration<'_>) -> StepResult {
    let metadata = &r.client.metadata;
    if !is_pairwise(metadata) || !authenticates_elsewhere(metadata) {
        return Ok(());
    }
    let by_key = [AuthMethod::PrivateKeyJwt, AuthMethod::SelfSignedTlsClientAuth];
    if metadata.token_endpoint_auth_method.as_ref().is_none_or(|own| !by_key.contains(own)) {
        let problem =
            "must be private_key_jwt or self_signed_tls_client_auth for a pairwise client of this grant";
        return Err(Rejection::metadata("token_endpoint_auth_method", problem).into());
    }
    if metadata.jwks_uri.is_none() {
        let problem = "is required for a pairwise client of this grant: its host is in the sector";
        return Err(Rejection::metadata("jwks_uri", problem).into());
    }
    Ok(())
}

fn is_pairwise(metadata: &ClientMetadata) -> bool {
    metadata.subject_type == Some(SubjectType::Pairwise)
}

/// Whether users log in on a device of their own, without being redirected to the client. CIBA §4, RFC 8628.
pub(super) fn authenticates_elsewhere(metadata: &ClientMetadata) -> bool {
    let elsewhere = [GrantType::Ciba, GrantType::DeviceCode];
    metadata.grant_types.iter().flatten().any(|grant| elsewhere.contains(grant))
}

/// The host of the sector document, or the one that all redirect URIs share; of the keys, where there are no redirect URIs.
/// OpenID Connect Core §8.1, CIBA §4.
fn sector(metadata: &ClientMetadata) -> Option<&str> {
    if let Some(uri) = &metadata.sector_identifier_uri {
        return uri.parts().ok()?.host;
    }
    if metadata.redirect_uris.as_ref().is_none_or(Vec::is_empty) && authenticates_elsewhere(metadata) {
        return metadata.jwks_uri.as_ref()?.parts().ok()?.host;
    }
    let mut hosts = metadata.redirect_uris.iter().flatten().map(|uri| {
        let parts = uri.parts().ok()?;
        parts.host.filter(|_| parts.is_web())
    });
    let first = hosts.next()??;
    hosts.all(|host| host.is_some_and(|host| host.eq_ignore_ascii_case(first))).then_some(first)
}

/// Other subjects would make the client take each of its users for a new one.
fn check_users_keep_their_names(r: &Registration<'_>) -> StepResult {
    let Some(current) = r.current else { return Ok(()) };
    let (old, new) = (&current.metadata, &r.client.metadata);
    let kept = match (is_pairwise(old), is_pairwise(new)) {
        (true, true) => match (sector(old), sector(new)) {
            (Some(old), Some(new)) => old.eq_ignore_ascii_case(new),
            (old, new) => old == new,
        },
        (old, new) => old == new,
    };
    if kept {
        return Ok(());
    }
    let problem = "must stay as registered, and with it the host of sector_identifier_uri or redirect_uris: every user would get another subject";
    Err(Rejection::metadata("subject_type", problem).into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::steps::trial::{Trial, app, keys, machine};

    fn pairwise(uris: &Value) -> Value {
        json!({ "subject_type": "pairwise", "redirect_uris": uris })
    }

    /// OpenID Connect Core §8.1
    #[test]
    fn one_host_is_a_sector() {
        let uris = json!(["https://app.example/a", "https://APP.example:8443/b"]);
        assert_eq!(Trial::new().accepts(&pairwise(&uris))["subject_type"], "pairwise");
    }

    /// OpenID Connect Core §8.1
    #[test]
    fn several_hosts_or_none_are_no_sector() {
        for uris in [
            json!(["https://a.example/cb", "https://b.example/cb"]),
            json!(["https://a.example/cb", "com.example.app:/cb"]),
            json!(["com.example.app://host/cb"]),
        ] {
            Trial::new().refuses_about("subject_type", &pairwise(&uris));
        }
        Trial::new().refuses_about("subject_type", &machine(json!({ "subject_type": "pairwise" })));
    }

    #[test]
    fn a_subject_type_is_one_of_the_servers() {
        Trial::new().refuses_about("subject_type", &app(json!({ "subject_type": "ephemeral" })));
        let trial = Trial::new().capable(|own| own.subject_types = vec!["public".into()]);
        trial.refuses_about("subject_type", &app(json!({ "subject_type": "pairwise" })));
    }

    /// CIBA §4
    #[test]
    fn a_client_that_redirects_nobody_is_in_the_sector_of_its_keys() {
        const CIBA: &str = "urn:openid:params:grant-type:ciba";
        let trial = Trial::new().capable(|own| own.grant_types.push(CIBA.into()));
        let body = |over: Value| {
            let mut body = json!({
                "grant_types": [CIBA], "subject_type": "pairwise", "backchannel_token_delivery_mode": "poll",
                "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks",
            });
            body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
            body
        };
        let client = trial.register(&body(json!({}))).unwrap().client;
        trial.refuses_about(
            "token_endpoint_auth_method",
            &body(json!({ "token_endpoint_auth_method": "client_secret_basic" })),
        );
        trial.refuses_about("subject_type", &body(json!({ "jwks_uri": null, "jwks": keys() })));
        let update = Trial::new().capable(|own| own.grant_types.push(CIBA.into())).updating(client);
        update.accepts(&body(json!({ "jwks_uri": "https://app.example/keys" })));
        update.refuses_about("subject_type", &body(json!({ "jwks_uri": "https://new.example/jwks" })));
    }

    #[test]
    fn an_update_does_not_rename_the_users() {
        let client = Trial::new().register(&pairwise(&json!(["https://app.example/cb"]))).unwrap().client;
        let update = Trial::new().updating(client);
        update.accepts(&pairwise(&json!(["https://app.example/other"])));
        update.refuses_about("subject_type", &pairwise(&json!(["https://new.example/cb"])));
        update.refuses_about("subject_type", &app(json!({ "subject_type": "public" })));
        let public = Trial::new().register(&app(json!({}))).unwrap().client;
        let update = Trial::new().updating(public);
        update.accepts(&json!({ "redirect_uris": ["https://new.example/cb"] }));
        update.refuses_about("subject_type", &app(json!({ "subject_type": "pairwise" })));
    }
}
