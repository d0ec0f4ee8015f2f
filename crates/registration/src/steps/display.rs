//! `client_name`, `client_uri`, `logo_uri`, `tos_uri`, `policy_uri`, `contacts`: what people see, in every language.
//!
//! RFC 7591 §2, §2.2 and §5: users decide by it, so it must read as it is spelled and lead to web pages.

use enroll_oauth_types::{Localized, Rejection, Uri};

use super::{names, text};
use crate::{Registration, StepResult};

const LONGEST_NAME: usize = 200;
const LONGEST_CONTACT: usize = 320;

/// Takes the names, links and contacts over.
pub fn display(r: &mut Registration<'_>) -> StepResult {
    let names = names::taken_over(r, "client_name", r.request.client_name.as_ref(), LONGEST_NAME)?;
    names::check_free(r, "client_name", names.as_ref())?;
    r.client.metadata.client_name = names;
    check_links("client_uri", r.request.client_uri.as_ref())?;
    check_links("logo_uri", r.request.logo_uri.as_ref())?;
    check_links("tos_uri", r.request.tos_uri.as_ref())?;
    check_links("policy_uri", r.request.policy_uri.as_ref())?;
    text::check_items("contacts", r.request.contacts.as_ref(), LONGEST_CONTACT)?;
    take_over!(r: client_uri, logo_uri, tos_uri, policy_uri, contacts);
    Ok(())
}

/// Each language of a link.
pub(super) fn check_links(member: &str, links: Option<&Localized<Uri>>) -> Result<(), Rejection> {
    for (tag, link) in links.into_iter().flat_map(Localized::iter) {
        link.check_web().map_err(|problem| match tag {
            None => Rejection::metadata(member.to_owned(), problem),
            Some(tag) => Rejection::metadata(format!("{member}#{tag}"), problem),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    /// RFC 7591 §2.2
    #[test]
    fn every_language_comes_back() {
        let json = Trial::new().accepts(&app(json!({
            "client_name": "App", "client_name#ja-Jpan-JP": "アプリ", "tos_uri#fr": "https://app.example/cgu",
        })));
        assert_eq!(json["client_name"], "App");
        assert_eq!(json["client_name#ja-Jpan-JP"], "アプリ");
        assert_eq!(json["tos_uri#fr"], "https://app.example/cgu");
    }

    /// RFC 7591 §5
    #[test]
    fn links_lead_to_web_pages_in_any_language() {
        for member in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
            for good in ["https://app.example/", "http://app.example/x?y#z"] {
                assert_eq!(Trial::new().accepts(&app(json!({ member: good })))[member], good);
            }
            let tagged = format!("{member}#fr-CA");
            for bad in
                ["javascript:alert(1)", "data:image/svg+xml,x", "app.example", "ftp://a.example/", "/x"]
            {
                Trial::new().refuses_about(member, &app(json!({ member: bad })));
                Trial::new().refuses_about(&tagged, &app(json!({ &tagged: bad })));
            }
        }
    }

    /// RFC 7591 §2: any way to reach somebody, not only e-mail.
    #[test]
    fn contacts_are_any_short_lines() {
        let contacts = json!(["ops@app.example", "+49 30 1234", "https://app.example/contact"]);
        assert_eq!(Trial::new().accepts(&app(json!({ "contacts": contacts })))["contacts"], contacts);
        Trial::new().refuses_about("contacts[1]", &app(json!({ "contacts": ["a", "b\u{0}"] })));
        Trial::new().refuses_about("contacts[0]", &app(json!({ "contacts": ["x".repeat(321)] })));
    }
}
