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
    /// Without gaps.
    looks: [String; 2],
}

impl ProtectedNames {
    /// These names. One without a letter or a digit protects nothing.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into);
        let protected =
            names.map(|name| ProtectedName { looks: looks(&name).map(|words| words.concat()), name });
        Self(protected.filter(|protected| !protected.looks[0].is_empty()).collect())
    }

    /// The protected name that this text looks like, or holds as words of its own, whatever gaps are between or within
    /// them.
    pub fn looks_like(&self, text: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let text = looks(text);
        let found = self
            .0
            .iter()
            .find(|protected| protected.looks.iter().any(|look| text.iter().any(|words| holds(words, look))));
        found.map(|protected| protected.name.as_str())
    }
}

/// Whether some words of the text, one after the other, look like this.
fn holds(text: &[String], look: &str) -> bool {
    (0..text.len()).any(|first| {
        let mut rest = look;
        for word in &text[first..] {
            match rest.strip_prefix(word.as_str()) {
                Some("") => return true,
                Some(after) => rest = after,
                None => break,
            }
        }
        false
    })
}

/// The words of a text by their looks: without marks, and with one character for all that look alike. Both before and
/// after it is turned into small letters, since a great I looks like an l, and a small one does not.
fn looks(text: &str) -> [Vec<String>; 2] {
    let is_shown = |character: &char| !is_combining_mark(*character) && is_seen(*character);
    let plain = text.replace(MARKS_OF_TRADE, " ");
    let plain: String = plain.chars().map(drawn_as).nfkd().filter(is_shown).collect();
    let plain = with_gaps(&plain);
    [plain.clone(), plain.to_lowercase()].map(|text| {
        // What looks like a letter with a mark becomes both.
        let look = skeleton(&text).filter(is_shown).collect::<String>().to_lowercase();
        let words = look.split(|character: char| !character.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    })
}

/// Put behind a name, and letters in Normalization Form KD: SM, TM, MC, MD, MR.
const MARKS_OF_TRADE: [char; 5] = ['\u{2120}', '\u{2122}', '\u{1f16a}', '\u{1f16b}', '\u{1f16c}'];

/// The letter that a picture of one shows, for those that Unicode does not decompose: letters in squares and circles, those
/// of flags, small capitals, and the signs that stand in for a letter in the middle of a word.
fn drawn_as(character: char) -> char {
    let nth = |first: char| char::from(b'A' + u8::try_from(character as u32 - first as u32).unwrap_or(0));
    match character {
        '\u{1f150}'..='\u{1f169}' => nth('\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => nth('\u{1f170}'),
        '\u{1f1e6}'..='\u{1f1ff}' => nth('\u{1f1e6}'),
        '@' => 'a',
        '$' => 's',
        '\u{20ac}' => 'e',
        other => {
            SMALL_CAPITALS.iter().find(|(small, _)| *small == other).map_or(other, |(_, letter)| *letter)
        }
    }
}

/// Latin Letter Small Capital A and so on; there is none of X, and that of F, Q and S came late.
const SMALL_CAPITALS: [(char, char); 25] = [
    ('\u{1d00}', 'a'),
    ('\u{299}', 'b'),
    ('\u{1d04}', 'c'),
    ('\u{1d05}', 'd'),
    ('\u{1d07}', 'e'),
    ('\u{a730}', 'f'),
    ('\u{262}', 'g'),
    ('\u{29c}', 'h'),
    ('\u{26a}', 'i'),
    ('\u{1d0a}', 'j'),
    ('\u{1d0b}', 'k'),
    ('\u{29f}', 'l'),
    ('\u{1d0d}', 'm'),
    ('\u{274}', 'n'),
    ('\u{1d0f}', 'o'),
    ('\u{1d18}', 'p'),
    ('\u{a7af}', 'q'),
    ('\u{280}', 'r'),
    ('\u{a731}', 's'),
    ('\u{1d1b}', 't'),
    ('\u{1d1c}', 'u'),
    ('\u{1d20}', 'v'),
    ('\u{1d21}', 'w'),
    ('\u{28f}', 'y'),
    ('\u{1d22}', 'z'),
];

/// The text with a gap wherever a reader sees a word begin: before a great letter after a small one, between letters and
/// digits, and around each character of a script that is written without gaps.
fn with_gaps(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        let begins = (before.is_lowercase() && character.is_uppercase())
            || (before.is_alphanumeric() && before.is_numeric() != character.is_numeric())
            || is_written_without_gaps(before)
            || is_written_without_gaps(character);
        if begins {
            spaced.push(' ');
        }
        spaced.push(character);
        before = character;
    }
    spaced
}

/// Thai and Lao, Myanmar, Khmer, kana, and Chinese characters.
fn is_written_without_gaps(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3041}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'
    )
}

/// What leaves no trace on a screen does not make a name another one.
pub(crate) fn is_seen(character: char) -> bool {
    !matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
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
            ("Pay Pal Support", "PayPal"),
            ("P.a.y.P.a.l Login", "PayPal"),
            ("PayPal\u{2122}", "PayPal"),
            ("PayPalSupport", "PayPal"),
            ("PayPal2", "PayPal"),
            ("PayPa1 2", "PayPal"),
            ("Pay\u{2800}Pal", "PayPal"),
            ("Pa\u{1b4}Pa\u{19a} Login", "PayPal"),
            ("Okobank Online", "Ökobank"),
            ("\u{1f17f}\u{1f170}\u{1f188}\u{1f17f}\u{1f170}\u{1f17b}", "PayPal"),
            ("\u{1f1f5}\u{1f1e6}\u{1f1fe}\u{1f1f5}\u{1f1e6}\u{1f1f1}", "PayPal"),
            ("\u{1d18}\u{1d00}\u{28f}\u{1d18}\u{1d00}\u{29f}", "PayPal"),
            ("P@yP@l", "PayPal"),
        ] {
            assert_eq!(names.looks_like(text), Some(found), "{text}");
        }
    }

    /// Some scripts have no gaps between words, and some letters are drawn as others with a stroke.
    #[test]
    fn names_of_every_script_are_protected_amid_others() {
        let names = ProtectedNames::new(["三菱銀行", "\u{d8}kobank", "ธนาคาร"]);
        for (text, found) in [
            ("三菱銀行アプリ", "三菱銀行"),
            ("新三菱 銀行", "三菱銀行"),
            ("Okobank Online", "\u{d8}kobank"),
            ("\u{d8}kobank Online", "\u{d8}kobank"),
            ("แอปธนาคาร", "ธนาคาร"),
        ] {
            assert_eq!(names.looks_like(text), Some(found), "{text}");
        }
        assert_eq!(names.looks_like("三菱電機 銀行"), None);
    }

    #[test]
    fn other_names_are_free() {
        let names = ProtectedNames::new(["ING Bank", "PayPal"]);
        for text in
            ["", "Banking", "ING", "Bank ING", "Paypalooza", "Calling Bank", "アプリ", "Shopping Bank"]
        {
            assert_eq!(names.looks_like(text), None, "{text}");
        }
        assert_eq!(ProtectedNames::new(["", " - "]).looks_like("- -"), None);
    }
}
