//! `subject_type`, `sector_identifier_uri`: who its users are to it.
//!
//! Runs after `redirect_uris`; what stands at `sector_identifier_uri` is for the step `sector_identifier`.
//! OpenID Connect Core §8, Dynamic Client Registration 1.0 §2 and §5.

use enroll_oauth_types::{ClientMetadata, Rejection, SubjectType};

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
    check_users_keep_their_names(r)
}

fn is_pairwise(metadata: &ClientMetadata) -> bool {
    metadata.subject_type == Some(SubjectType::Pairwise)
}

/// The host of the sector document, or the one that all redirect URIs share. OpenID Connect Core §8.1.
fn sector(metadata: &ClientMetadata) -> Option<&str> {
    if let Some(uri) = &metadata.sector_identifier_uri {
        return uri.parts().ok()?.host;
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

    use crate::steps::trial::{Trial, app, machine};

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
