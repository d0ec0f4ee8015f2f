//! What commands print. Strangers wrote much of it, and a terminal obeys some characters: none of those gets through.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Prints a line on standard output. A reader that went away ends the command without another word.
pub(super) fn say(line: impl Display) -> Result<(), Failure> {
    print(&visible(&line.to_string()))
}

/// Prints a row of a table: one line, whatever is in it.
pub(super) fn say_row(row: &str) -> Result<(), Failure> {
    say(row.trim_end().replace('\n', "\\u000A"))
}

/// Prints a value as indented JSON.
pub(super) fn say_json(value: &impl Serialize) -> Result<(), Failure> {
    say(serde_json::to_string_pretty(value).map_err(|error| Failure::world(&error))?)
}

/// Prints a value as JSON on one line.
pub(super) fn say_json_line(value: &impl Serialize) -> Result<(), Failure> {
    say(serde_json::to_string(value).map_err(|error| Failure::world(&error))?)
}

/// Prints what another command will read, byte for byte unless a person would read it.
pub(super) fn say_exactly(line: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { say(line) } else { print(line) }
}

fn print(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::Refused(String::new())),
        outcome => Ok(outcome?),
    }
}

/// Tells the person before the screen, on standard error. Nobody may be reading, which is no reason to stop.
pub(crate) fn tell(line: impl Display) {
    let _unread = writeln!(std::io::stderr(), "{}", visible(&line.to_string()));
}

/// The text with every character that moves the cursor, turns the direction of text or shows nothing written as JSON
/// writes it (`\u202E`), so that JSON stays the same JSON. Line breaks stay.
fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            true => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _infallible = write!(written, "\\u{unit:04X}");
                }
            }
            false => written.push(character),
        }
    }
    written.into()
}

/// Control characters of both sets, and the format characters of Unicode that scripts do not need. The joiners
/// (U+200C, U+200D) stay: names in some languages, and many emoji, are written with them.
fn is_hidden(character: char) -> bool {
    match character {
        '\n' => false,
        '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_terminal_obeys_what_a_stranger_wrote() {
        for (text, shown) in [
            ("App – アプリ 👩‍👧", "App – アプリ 👩‍👧"),
            ("two\nlines", "two\nlines"),
            ("\u{1b}[31m", "\\u001B[31m"),
            ("\u{9b}31m\r\u{7f}", "\\u009B31m\\u000D\\u007F"),
            ("\u{202e}\u{2066}\u{200f}\u{2028}", "\\u202E\\u2066\\u200F\\u2028"),
            ("\u{e0041}", "\\uDB40\\uDC41"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "\u{202e}": "a\u{9b}b\u{e0041}" });
        let shown = visible(&value.to_string()).into_owned();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
