//! The header that each page is sent with. Content Security Policy Level 3.

use crate::PostTarget;
use crate::address::form_action_source;

/// The stylesheet that stands in every page, as a source of `style-src`.
pub const STYLE_HASH: &str = "sha256-nwT1MnEQLhvUQRKNlsyVnk1T7/aDGt24B6VCofIVmig=";

/// The script that stands in [`FormPostPage`](crate::FormPostPage) alone, as a source of `script-src`.
pub const SCRIPT_HASH: &str = "sha256-ox4bri+xTrW3kuLTyRoak73QX8KZGuyP3JlQYusbSlA=";

/// Where the forms of a page lead.
#[derive(Clone, Copy, Debug)]
pub enum Forms<'a> {
    /// There are none.
    None,
    /// To this server, which may send the browser to a client that sends it on, nobody knows where to. Some browsers look
    /// where an answer to a form redirects to, at all of it, and stop unless it is named. No `form-action` then, which is
    /// safe as far as nobody can write a form into a page.
    OwnThenAnywhere,
    /// To a client, by the script of [`FormPostPage`](crate::FormPostPage).
    Client(PostTarget<'a>),
}

/// The value of `Content-Security-Policy`: no script but that of a form post, nothing from elsewhere, in nobody's frame.
///
/// ```
/// use enroll_pages::{Forms, PostTarget, content_security_policy};
///
/// let target = PostTarget::parse("https://app.example/callback").unwrap();
/// let policy = content_security_policy(Forms::Client(target));
/// assert!(policy.contains("form-action https://app.example;"));
/// assert!(policy.contains("frame-ancestors 'none'"));
/// ```
pub fn content_security_policy(forms: Forms<'_>) -> String {
    let form_action = match forms {
        Forms::None => " form-action 'none';".to_owned(),
        Forms::OwnThenAnywhere => String::new(),
        Forms::Client(target) => {
            let source = form_action_source(target.as_str()).unwrap_or_default();
            format!(" script-src '{SCRIPT_HASH}'; form-action {source};")
        }
    };
    format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; img-src 'self';{form_action} frame-ancestors 'none'; base-uri 'none'"
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
        let target = PostTarget::parse("https://app.example/cb").unwrap();
        let all = [Forms::None, Forms::OwnThenAnywhere, Forms::Client(target)];
        for policy in all.map(content_security_policy) {
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(policy.ends_with(" frame-ancestors 'none'; base-uri 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(policy.contains("script-src"), policy.contains(SCRIPT_HASH), "{policy}");
        }
    }

    #[test]
    fn an_address_brings_no_directive_of_its_own() {
        for uri in [
            "https://a.example/;script-src *",
            "https://a;b,c.example/",
            "https://x;script-src.example/",
            "http://[::1]:5/",
        ] {
            let policy = content_security_policy(Forms::Client(PostTarget::parse(uri).unwrap()));
            assert_eq!(policy.matches(';').count(), 6, "{policy}");
            assert_eq!(policy.matches("script-src").count(), 1, "{policy}");
            assert!(policy.bytes().all(|b| (0x20..0x7f).contains(&b)), "{policy}");
        }
    }
}
