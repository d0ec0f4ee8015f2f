//! `software_id`, `software_version`, `software_statement`: what it is, and who vouches for it.
//!
//! RFC 7591 §2 and §2.3.

use enroll_oauth_types::Rejection;

use super::text;
use crate::statement::Verdict;
use crate::{Registration, StepResult};

const LONGEST: usize = 1024;

/// Takes the names of the software over, and a statement that is believed. Its claims stand in the request already.
///
/// A statement that nobody can judge is ignored, which RFC 7591 §2.3 allows, and is not returned: to return it would say
/// that it was believed.
pub fn software(r: &mut Registration<'_>) -> StepResult {
    text::check_member("software_id", r.request.software_id.as_ref(), LONGEST)?;
    text::check_member("software_version", r.request.software_version.as_ref(), LONGEST)?;
    take_over!(r: software_id, software_version);
    match r.verdict {
        Verdict::Refused(rejection) => return Err(rejection.clone().into()),
        Verdict::Believed => {
            take_over!(r: software_statement);
        }
        Verdict::Absent => {}
        // Where nobody is believed any more, there is nothing to keep to.
        Verdict::Ignored => return ignore(r),
    }
    check_it_is_the_same_software(r)
}

fn ignore(r: &mut Registration<'_>) -> StepResult {
    if r.request.software_statement.is_none() {
        return Ok(());
    }
    if !r.server.rules.substitute {
        let problem = "must be left out: this server trusts no issuer of software statements";
        return Err(Rejection::software_statement(problem).into());
    }
    r.note("software_statement", "left out: this server trusts no issuer of software statements");
    Ok(())
}

/// What somebody vouched for does not change into what nobody vouches for.
fn check_it_is_the_same_software(r: &Registration<'_>) -> StepResult {
    let Some(current) = r.current.map(|client| &client.metadata) else { return Ok(()) };
    if current.software_statement.is_none() {
        return Ok(());
    }
    if r.client.metadata.software_statement.is_none() {
        let problem = "must be sent as it was registered, or a newer one of the same software";
        return Err(Rejection::software_statement(problem).into());
    }
    if r.client.metadata.software_id != current.software_id {
        return Err(Rejection::software_statement("must be of the same software_id as before").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    /// RFC 7591 §2
    #[test]
    fn the_names_of_the_software_come_back() {
        let body = app(json!({ "software_id": "4NRB1-0XZABZI9E6-5SM3R", "software_version": "2.1" }));
        let json = Trial::new().accepts(&body);
        assert_eq!(json["software_id"], "4NRB1-0XZABZI9E6-5SM3R");
        assert_eq!(json["software_version"], "2.1");
    }

    #[test]
    fn the_names_of_the_software_are_one_line() {
        Trial::new().refuses_about("software_id", &app(json!({ "software_id": "a\u{0}b" })));
        Trial::new().refuses_about("software_version", &app(json!({ "software_version": "1\n2" })));
    }

    /// RFC 7591 §2.3
    #[test]
    fn a_statement_that_nobody_believes_is_not_returned() {
        let registered = Trial::new().register(&app(json!({ "software_statement": "a.b.c" }))).unwrap();
        assert!(registered.json.get("software_statement").is_none());
        assert!(registered.notes_about("software_statement"));
    }

    #[test]
    fn a_client_outlives_the_trust_in_whoever_vouched_for_it() {
        let mut client = Trial::new().register(&app(json!({}))).unwrap().client;
        client.metadata.software_statement = Some("a.b.c".to_owned());
        let update = Trial::new().updating(client);
        for body in [app(json!({ "software_statement": "a.b.c" })), app(json!({}))] {
            assert!(update.accepts(&body).get("software_statement").is_none());
        }
    }

    /// RFC 7591 §3.2.2
    #[test]
    fn a_strict_server_refuses_a_statement_that_it_cannot_judge() {
        let refusal = Trial::strict().refuses(&app(json!({ "software_statement": "a.b.c" })));
        assert!(refusal.starts_with("invalid_software_statement software_statement: "), "{refusal}");
    }
}
