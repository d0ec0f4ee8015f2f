//! JSON, shortened: what most registrations say is one byte each.
//!
//! A character below the space stands in no JSON but as a line break or a tab between its parts, so each of the others can
//! stand for a phrase, and nothing has to be escaped. The list is part of the form of an identifier: phrases are never changed.

/// What each of [`MARKS`] stands for. The longer one is taken where two fit.
const PHRASES: [&str; 28] = [
    r#","b":{"kind":"anonymous","policy":"default"},"m":{"#,
    r#""redirect_uris":["https://"#,
    r#""redirect_uris":["http://localhost"#,
    r#""redirect_uris":["http://127.0.0.1"#,
    r#"","http://localhost"#,
    r#"","http://127.0.0.1"#,
    r#"","https://"#,
    r#"],"token_endpoint_auth_method":"none","grant_types":["authorization_code""#,
    r#"],"token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code""#,
    r#"],"token_endpoint_auth_method":"client_secret_post","grant_types":["authorization_code""#,
    r#""token_endpoint_auth_method":"private_key_jwt","grant_types":[""#,
    r#","refresh_token"],"response_types":["code"],"client_name":""#,
    r#"],"response_types":["code"],"client_name":""#,
    r#"],"response_types":["code"],"#,
    r#"","scope":"openid profile email offline_access"#,
    r#"","scope":""#,
    r#"","client_uri":"https://"#,
    r#"","logo_uri":"https://"#,
    r#"","tos_uri":"https://"#,
    r#"","policy_uri":"https://"#,
    r#"","jwks_uri":"https://"#,
    r#"","contacts":[""#,
    r#"","software_id":""#,
    r#"","software_version":""#,
    r#","application_type":"native"}"#,
    r#","application_type":"web"}"#,
    r#""client_credentials""#,
    r#""post_logout_redirect_uris":["https://"#,
];

/// What every phrase begins with.
const FIRST: [char; 3] = [',', '"', ']'];

/// All below the space but tab and line breaks.
const MARKS: [char; 28] = [
    '\u{01}', '\u{02}', '\u{03}', '\u{04}', '\u{05}', '\u{06}', '\u{07}', '\u{08}', '\u{0b}', '\u{0c}',
    '\u{0e}', '\u{0f}', '\u{10}', '\u{11}', '\u{12}', '\u{13}', '\u{14}', '\u{15}', '\u{16}', '\u{17}',
    '\u{18}', '\u{19}', '\u{1a}', '\u{1b}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}',
];

/// The text with a mark in the place of each phrase.
pub(super) fn shortened(json: &str) -> String {
    let mut short = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(next) = rest.chars().next() {
        // Few characters can be the first of a phrase, and few phrases go on as the text does.
        let phrases = if FIRST.contains(&next) { &PHRASES[..] } else { &[] };
        let fits = phrases
            .iter()
            .zip(MARKS)
            .filter(|(phrase, _)| beginning(phrase) == beginning(rest) && rest.starts_with(**phrase));
        let (taken, written) = fits
            .max_by_key(|(phrase, _)| phrase.len())
            .map_or((next.len_utf8(), next), |(phrase, mark)| (phrase.len(), mark));
        short.push(written);
        rest = &rest[taken..];
    }
    short
}

/// What tells most phrases from a text, in one comparison. Every phrase is longer than that.
fn beginning(text: &str) -> Option<&[u8; 4]> {
    text.as_bytes().first_chunk()
}

/// The text that was shortened.
pub(super) fn lengthened(short: &str) -> String {
    let mut json = String::with_capacity(short.len() * 2);
    for character in short.chars() {
        match MARKS.iter().position(|mark| *mark == character) {
            Some(place) => json.push_str(PHRASES[place]),
            None => json.push(character),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shortened_comes_back_as_it_was() {
        let all: String = PHRASES.concat();
        for json in ["", "{}", "{\n\t\"a\":\r1}", "\"é𝄞\\u0001\"", &all, &all.replace("https", "http")] {
            assert_eq!(lengthened(&shortened(json)), json);
        }
        assert_eq!(shortened(&all).len(), PHRASES.len());
    }

    #[test]
    fn each_mark_stands_for_one_phrase_and_is_no_part_of_one() {
        for (place, phrase) in PHRASES.iter().enumerate() {
            assert_eq!(PHRASES.iter().position(|other| other == phrase), Some(place));
            assert!(phrase.starts_with(FIRST) && !phrase.contains(MARKS), "{phrase}");
            assert!(beginning(phrase).is_some(), "{phrase}");
        }
        assert!(MARKS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
