//! Members that no standard we know names: dropped, kept or refused.
//!
//! RFC 7591 §2: the server ignores what it does not understand.

use enroll_oauth_types::Rejection;

use crate::{Registration, StepResult, UnknownMembers};

/// Does with them as the rules say. Kept ones stay apart from the members that somebody judged.
pub fn extensions(r: &mut Registration<'_>) -> StepResult {
    let unknown = &r.request.extensions;
    match r.server.rules.unknown_members {
        UnknownMembers::Drop => {
            for name in unknown.names() {
                r.note(name.to_owned(), "left out: not known here");
            }
        }
        UnknownMembers::Keep => r.client.metadata.extensions.clone_from(unknown),
        UnknownMembers::Refuse => {
            if let Some(name) = unknown.names().next() {
                return Err(Rejection::metadata(name.to_owned(), "is not known here: leave it out").into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::UnknownMembers;
    use crate::steps::trial::{Trial, app};

    /// RFC 7591 §2
    #[test]
    fn an_unknown_member_is_ignored() {
        let registered = Trial::new().register(&app(json!({ "favourite_colour": "blue" }))).unwrap();
        assert!(registered.json.get("favourite_colour").is_none());
        assert!(registered.client.metadata.extensions.is_empty());
        assert!(registered.notes_about("favourite_colour"));
    }

    #[test]
    fn an_unknown_member_is_kept_apart_on_request() {
        let mut trial = Trial::new();
        trial.server.rules.unknown_members = UnknownMembers::Keep;
        let registered = trial.register(&app(json!({ "x": { "a": [1.0] }, "scope#fr": "x" }))).unwrap();
        assert!(registered.json.get("x").is_none());
        let kept = &registered.client.metadata.extensions;
        assert_eq!(kept.get("x"), Some(r#"{"a":[1.0]}"#));
        assert_eq!(kept.get("scope#fr"), Some(r#""x""#));
    }

    #[test]
    fn a_strict_server_refuses_it_by_name() {
        Trial::strict().refuses_about("favourite_colour", &app(json!({ "favourite_colour": "blue" })));
    }
}
