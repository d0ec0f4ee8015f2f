//! The header that each page is sent with. Content Security Policy Level 3.

/// The stylesheet that stands in every page, as a source of `style-src`.
pub const STYLE_HASH: &str = "sha256-nwT1MnEQLhvUQRKNlsyVnk1T7/aDGt24B6VCofIVmig=";

/// The script that stands in [`FormPostPage`](crate::FormPostPage) alone, as a source of `script-src`.
pub const SCRIPT_HASH: &str = "sha256-ox4bri+xTrW3kuLTyRoak73QX8KZGuyP3JlQYusbSlA=";

/// Where the forms of a page lead.
#[derive(Clone, Copy, Debug)]
pub enum Forms {
    /// There are none.
    None,
    /// To this server, which may send the browser to a client that sends it on, nobody knows where to. Some browsers look
    /// where an answer to a form redirects to, at all of it, and stop unless it is named. No `form-action` then, which is
    /// safe as far as nobody can write a form into a page.
    OwnThenAnywhere,
    /// To a client, by the script of [`FormPostPage`](crate::FormPostPage). The client sends the browser on as well.
    ClientThenAnywhere,
}

/// The value of `Content-Security-Policy`: no script but that of a form post, nothing from elsewhere, in nobody's frame.
///
/// ```
/// use enroll_pages::{Forms, content_security_policy};
///
/// let policy = content_security_policy(Forms::ClientThenAnywhere);
/// assert!(policy.starts_with("default-src 'none';"));
/// assert!(policy.contains("frame-ancestors 'none'"));
/// assert!(!policy.contains("form-action"));
/// ```
pub fn content_security_policy(forms: Forms) -> String {
    let of_forms = match forms {
        Forms::None => " form-action 'none';".to_owned(),
        Forms::OwnThenAnywhere => String::new(),
        Forms::ClientThenAnywhere => format!(" script-src '{SCRIPT_HASH}';"),
    };
    format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; img-src 'self';{of_forms} frame-ancestors 'none'; base-uri 'none'"
    )
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use crate::markup::{SCRIPT, STYLE};

    fn hash(text: &str) -> String {
        format!("sha256-{}", BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes())))
    }

    // CSP3 §6.7.3.3. After a change of either text, put what this shows into the constant.
    #[test]
    fn the_hashes_are_those_of_the_texts() {
        assert_eq!(STYLE_HASH, hash(STYLE.0), "STYLE_HASH");
        assert_eq!(SCRIPT_HASH, hash(SCRIPT.0), "SCRIPT_HASH");
    }

    #[test]
    fn no_policy_allows_frames_another_base_or_a_script_but_the_one() {
        let all = [Forms::None, Forms::OwnThenAnywhere, Forms::ClientThenAnywhere];
        for policy in all.map(content_security_policy) {
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(policy.ends_with(" frame-ancestors 'none'; base-uri 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(policy.contains("script-src"), policy.contains(SCRIPT_HASH), "{policy}");
        }
    }

    // CSP3 §6.4.1.1 holds redirects that follow a form against `form-action`, and nobody knows where a client sends people.
    #[test]
    fn a_form_that_leads_to_a_client_may_lead_on_from_there() {
        for forms in [Forms::OwnThenAnywhere, Forms::ClientThenAnywhere] {
            let policy = content_security_policy(forms);
            assert!(!policy.contains("form-action"), "{policy}");
        }
        assert!(content_security_policy(Forms::None).contains(" form-action 'none';"));
    }
}
