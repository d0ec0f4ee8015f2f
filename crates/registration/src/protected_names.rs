//! Names that no client may take, nor one that looks like it. Unicode Technical Standard 39 §4.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// Names whose look nobody may borrow: those of the operator, of banks, of what users trust.
///
/// ```
/// use enroll_registration::ProtectedNames;
///
/// let names = ProtectedNames::new(["Example Bank"]);
/// assert_eq!(names.looks_like("\u{415}xamp1e  BANK \u{2013} Support"), Some("Example Bank"));
/// assert_eq!(names.looks_like("Example Bankruptcy Advice"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProtectedNames(Vec<ProtectedName>);

#[derive(Clone, Debug, PartialEq)]
struct ProtectedName {
    name: String,
    looks: [Vec<String>; 2],
}

impl ProtectedNames {
    /// These names. One without a letter or a digit protects nothing.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into);
        let protected = names.map(|name| ProtectedName { looks: looks(&name), name });
        Self(protected.filter(|protected| !protected.looks[0].is_empty()).collect())
    }

    /// The protected name that this text looks like, or holds as words of its own.
    pub fn looks_like(&self, text: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let text = looks(text);
        let found = self
            .0
            .iter()
            .find(|protected| protected.looks.iter().any(|name| text.iter().any(|words| holds(words, name))));
        found.map(|protected| protected.name.as_str())
    }
}

/// Whether the words stand in the text one after the other, or the whole text is these words without a gap.
fn holds(text: &[String], words: &[String]) -> bool {
    text.windows(words.len()).any(|window| window == words) || text.concat() == words.concat()
}

/// The words of a text by their looks: without marks, and with one character for all that look alike. Both before and
/// after it is turned into small letters, since a great I looks like an l, and a small one does not.
fn looks(text: &str) -> [Vec<String>; 2] {
    let is_shown = |character: &char| !is_combining_mark(*character) && is_seen(*character);
    let plain: String = text.nfkd().filter(is_shown).collect();
    [plain.clone(), plain.to_lowercase()].map(|text| {
        let look = skeleton(&text).collect::<String>().to_lowercase();
        let words = look.split(|character: char| !character.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    })
}

/// What leaves no trace on a screen does not make a name another one.
fn is_seen(character: char) -> bool {
    !matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_protected_name_is_found() {
        let names = ProtectedNames::new(["ING Bank", "PayPal", "Ökobank"]);
        for (text, found) in [
            ("ING Bank", "ING Bank"),
            ("ing bank", "ING Bank"),
            ("lNG Bank", "ING Bank"),
            ("ING-Bank Online", "ING Bank"),
            ("INGBank", "ING Bank"),
            ("PaypaI", "PayPal"),
            ("\u{420}\u{430}yPal", "PayPal"),
            ("Pay\u{200b}Pal", "PayPal"),
            ("Pa\u{301}yPa\u{142}", "PayPal"),
            ("\u{ff30}\u{ff41}\u{ff59}\u{ff30}\u{ff41}\u{ff4c}", "PayPal"),
            ("My PAYPAL", "PayPal"),
            ("Okobank", "Ökobank"),
            ("0kobank", "Ökobank"),
        ] {
            assert_eq!(names.looks_like(text), Some(found), "{text}");
        }
    }

    #[test]
    fn other_names_are_free() {
        let names = ProtectedNames::new(["ING Bank", "PayPal"]);
        for text in ["", "Banking", "ING", "Bank ING", "Paypalooza", "Calling Bank", "アプリ"] {
            assert_eq!(names.looks_like(text), None, "{text}");
        }
        assert_eq!(ProtectedNames::new(["", " - "]).looks_like("- -"), None);
    }
}
