//! Lists whose order is the client's and whose repetitions mean nothing.

use enroll_oauth_types::Rejection;

/// The most URIs in one member: each is judged, and compared with the others.
const MOST_URIS: usize = 100;

/// Whether there are not too many.
pub(super) fn check_length<T>(member: &'static str, list: Option<&Vec<T>>) -> Result<(), Rejection> {
    if list.is_none_or(|list| list.len() <= MOST_URIS) {
        return Ok(());
    }
    Err(Rejection::metadata(member, format!("must hold at most {MOST_URIS} items")))
}

/// Each value once, in the order of first mention.
pub(super) fn distinct<T: PartialEq + Clone>(values: &[T]) -> Vec<T> {
    let mut distinct = Vec::with_capacity(values.len());
    for value in values {
        if !distinct.contains(value) {
            distinct.push(value.clone());
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    #[test]
    fn a_list_of_uris_has_an_end() {
        let uris = |count: usize| (0..count).map(|own| format!("https://a{own}.example")).collect::<Vec<_>>();
        for member in
            ["request_uris", "allowed_cors_origins", "post_logout_redirect_uris", "claims_redirect_uris"]
        {
            Trial::new().accepts(&app(json!({ member: uris(100) })));
            Trial::new().refuses_about(member, &app(json!({ member: uris(101) })));
        }
    }
}
