//! Names and descriptions that people see: cleaned, so that they read as they are spelled, and nobody else's.
//!
//! RFC 7591 §5: users decide by them. Unicode Standard Annexes 9 §2 and 15, Technical Standard 39 §5.4.

use std::borrow::Cow;

use enroll_oauth_types::{Localized, Problem, Rejection};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::text;
use crate::Registration;

/// A letter with more marks than this reaches into the lines around it.
const MOST_MARKS: usize = 4;

/// Each language of a name: cleaned when the rules allow to mend, refused when it is not clean otherwise.
pub(super) fn taken_over(
    r: &mut Registration<'_>,
    member: &'static str,
    names: Option<&Localized<String>>,
    longest: usize,
) -> Result<Option<Localized<String>>, Rejection> {
    let Some(names) = names else { return Ok(None) };
    let may_mend = r.server.rules.substitute;
    let taken = names.try_map(|tag, name| {
        let refuse = |problem| Rejection::metadata(spelled(member, tag), problem);
        if !may_mend {
            check(name, longest).map_err(refuse)?;
        }
        let clean = clean(name);
        if clean == *name {
            check(name, longest).map_err(refuse)?;
        } else if may_mend {
            check(&clean, longest).map_err(refuse)?;
            r.note(spelled(member, tag), "cleaned: in Normalization Form C, without what is not seen");
        } else {
            return Err(refuse(
                "must be in Normalization Form C, without outer spaces and what is not seen".into(),
            ));
        }
        Ok(clean.into_owned())
    });
    taken.map(Some)
}

/// That nobody takes a name that is protected, unless its policy lets it.
pub(super) fn check_free(
    r: &Registration<'_>,
    member: &'static str,
    names: Option<&Localized<String>>,
) -> Result<(), Rejection> {
    if r.terms().privileges.include("client_name") {
        return Ok(());
    }
    for (tag, name) in names.into_iter().flat_map(Localized::iter) {
        if let Some(protected) = r.server.rules.protected_names.looks_like(name) {
            let problem = format!("must not look like `{protected}`, which is protected here");
            return Err(Rejection::metadata(spelled(member, tag), problem));
        }
    }
    Ok(())
}

fn spelled(member: &'static str, tag: Option<&str>) -> Cow<'static, str> {
    tag.map_or(Cow::Borrowed(member), |tag| Cow::Owned(format!("{member}#{tag}")))
}

fn check(name: &str, longest: usize) -> Result<(), Problem> {
    text::check(name, longest)?;
    let mut marks = 0;
    for character in name.chars() {
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        if marks > MOST_MARKS {
            return Err(format!("must not have more than {MOST_MARKS} marks on one letter").into());
        }
    }
    Ok(())
}

/// The name in NFC, its line breaks and tabs as spaces, without what is not seen but has an effect.
fn clean(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim();
    let is_plain = trimmed.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let is_clean = || {
        trimmed.chars().all(|character| kept(character) == Some(character))
            && is_nfc_quick(trimmed.chars()) == IsNormalized::Yes
    };
    if is_plain || is_clean() {
        return Cow::Borrowed(trimmed);
    }
    let text: String = trimmed.chars().filter_map(kept).nfc().collect();
    Cow::Owned(text.trim().to_owned())
}

/// What becomes of a character. Joiners stay: scripts and emoji need them.
fn kept(character: char) -> Option<char> {
    match character {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' // turn the direction
        | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => None, // text that only machines read
        _ if character.is_control() => None,
        _ => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use enroll_access::Terms;
    use serde_json::json;

    use super::*;
    use crate::ProtectedNames;
    use crate::steps::trial::{Trial, app};

    #[test]
    fn a_name_is_cleaned_once_and_for_all() {
        for (sent, shown) in [
            ("App", "App"),
            (" App\n", "App"),
            ("e\u{301}", "é"),
            ("\u{212b}", "Å"),
            ("\u{202e}knaB\u{202c}", "knaB"),
            ("Ba\u{2066}nk", "Bank"),
            ("\u{200f}App 2\u{200e}", "App 2"),
            ("Ba\nnk", "Ba nk"),
            ("\u{1b}[31mred", "[31mred"),
            ("a\u{0}b", "ab"),
            ("Pay\u{200b}Pal", "PayPal"),
            ("App\u{e0049}\u{e0067}", "App"),
            ("👩\u{200d}👩", "👩\u{200d}👩"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ] {
            assert_eq!(clean(sent), shown, "{sent:?}");
            assert_eq!(clean(shown), shown, "{shown:?}");
        }
    }

    /// RFC 7591 §2.2
    #[test]
    fn every_language_is_cleaned_and_the_report_says_so() {
        let body =
            app(json!({ "client_name": "App", "client_name#de": "A\u{202e}pp", "description": "a\nb" }));
        let registered = Trial::new().register(&body).unwrap();
        assert_eq!(registered.json["client_name#de"], "App");
        assert_eq!(registered.json["description"], "a b");
        assert!(registered.notes_about("client_name#de") && registered.notes_about("description"));
        assert!(!registered.notes_about("client_name"));
    }

    #[test]
    fn what_nothing_is_left_of_and_what_overflows_is_refused() {
        for name in
            ["\u{202e}\u{202c}", " ", "\u{0}", "\u{200f}", "\u{3164}", "q\u{331}\u{331}\u{331}\u{331}\u{331}"]
        {
            Trial::new().refuses_about("client_name", &app(json!({ "client_name": name })));
        }
        Trial::new().accepts(&app(json!({ "client_name": "q\u{331}\u{331}\u{331}\u{331}" })));
        Trial::new().accepts(&app(json!({ "client_name": "e\u{301}".repeat(200) })));
        Trial::new().accepts(&app(json!({ "client_name": "x".repeat(200) })));
        Trial::new().refuses_about("client_name", &app(json!({ "client_name": "x".repeat(201) })));
    }

    #[test]
    fn a_strict_server_cleans_nothing() {
        for name in ["\u{202e}knaB", "Ba\nnk", " App", "e\u{301}", "Pay\u{200b}Pal"] {
            Trial::strict().refuses_about("client_name", &app(json!({ "client_name": name })));
        }
        Trial::strict().accepts(&app(json!({ "client_name": "é アプリ" })));
    }

    /// RFC 7591 §5
    #[test]
    fn a_protected_name_takes_a_privilege() {
        let mut trial = Trial::new();
        trial.server.rules.protected_names = ProtectedNames::new(["Example Bank"]);
        trial.refuses_about("client_name#fr", &app(json!({ "client_name#fr": "\u{415}xample Bank" })));
        trial.refuses_about("organization_name", &app(json!({ "organization_name": "Example Bank" })));
        trial.accepts(&app(json!({ "client_name": "Other Bank", "description": "Not Example Bank" })));
        trial.on(Terms::unrestricted()).accepts(&app(json!({ "client_name": "Example Bank" })));
    }
}
