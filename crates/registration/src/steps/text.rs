//! Text that people, logs or terminals will show: one line that reads as it is spelled.

use enroll_oauth_types::{Problem, Rejection};

use crate::protected_names::is_seen;

/// Whether text is such a line of at most `longest` characters.
///
/// Control characters and the separators U+2028 and U+2029 end lines, some drive terminals; bidirectional overrides (U+202A–U+202E, U+2066–U+2069) make
/// a name look like another one. Unicode Standard Annex 9 §2.
pub(super) fn check(text: &str, longest: usize) -> Result<(), Problem> {
    // Octets are never fewer than characters, so most texts are not counted.
    if text.len() > longest && text.chars().count() > longest {
        return Err(format!("must be at most {longest} characters long").into());
    }
    if !text.chars().any(|character| is_seen(character) && !character.is_whitespace()) {
        return Err("must not be blank".into());
    }
    for character in text.chars() {
        match character {
            ' '..='~' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let code = u32::from(character);
                return Err(format!("must not turn the direction of text (U+{code:04X})").into());
            }
            '\u{2028}' | '\u{2029}' => return Err("must be one line".into()),
            _ if character.is_control() => return Err("must not contain control characters".into()),
            _ => {}
        }
    }
    Ok(())
}

/// The same for the value of a member.
pub(super) fn check_member(
    member: &'static str,
    text: Option<&String>,
    longest: usize,
) -> Result<(), Rejection> {
    let Some(text) = text else { return Ok(()) };
    check(text, longest).map_err(|problem| Rejection::metadata(member, problem))
}

/// The same for each item of a member.
pub(super) fn check_items(
    member: &'static str,
    items: Option<&Vec<String>>,
    longest: usize,
) -> Result<(), Rejection> {
    for (index, item) in items.into_iter().flatten().enumerate() {
        check(item, longest).map_err(|problem| Rejection::metadata(member, problem).at(index))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_is_spelled() {
        for good in ["App", "アプリ", "Café – Ünïcode", "e\u{301}", "👩‍👩‍👧"] {
            assert_eq!(check(good, 200), Ok(()), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "a\nb",
            "a\0",
            "\u{1b}[31m",
            "a\u{85}",
            "a\u{2028}b",
            "a\u{2029}b",
            "\u{202e}ppA",
            "\u{2066}App\u{2069}",
            "\u{3164}",
            "\u{200d} \u{e0041}",
            "\u{2800}",
        ] {
            assert!(check(bad, 200).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn characters_are_counted_not_octets() {
        assert_eq!(check(&"é".repeat(200), 200), Ok(()));
        assert!(check(&"é".repeat(201), 200).is_err());
    }
}
