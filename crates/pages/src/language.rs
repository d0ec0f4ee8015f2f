//! Which language a person reads: `ui_locales` (OpenID Connect Core 1.0 §3.1.2.1) before `Accept-Language` (RFC 9110
//! §12.5.4), by lookup (RFC 4647 §3.4).

use crate::sentences::{ENGLISH, GERMAN, JAPANESE, Sentences};

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`, and for everybody whose language is none of these.
    #[default]
    English,
    /// `de`.
    German,
    /// `ja`.
    Japanese,
}

/// The most ranges of one request that are looked at: a header is as long as its sender likes.
const MOST_RANGES: usize = 32;

impl Language {
    /// Every language there is.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Japanese];

    /// The language for somebody who sent these. What is malformed is passed over.
    ///
    /// ```
    /// use enroll_pages::Language;
    ///
    /// assert_eq!(Language::choose(None, Some("fr-CH, de-CH;q=0.7, *;q=0.1")), Language::German);
    /// assert_eq!(Language::choose(Some("ja en"), Some("de")), Language::Japanese);
    /// ```
    pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        language_ranges(ui_locales, accept_language).into_iter().find_map(Self::lookup).unwrap_or_default()
    }

    /// The tag for `lang`. BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Japanese => "ja",
        }
    }

    /// The direction for `dir`. Names in another direction are isolated where they stand.
    pub fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German | Self::Japanese => "ltr",
        }
    }

    /// RFC 4647 §3.4. Our tags have one subtag each, so a range is shortened to its first.
    fn lookup(range: &str) -> Option<Self> {
        let first = range.split('-').next().unwrap_or(range);
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(first))
    }

    pub(crate) fn sentences(self) -> &'static Sentences {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Japanese => &JAPANESE,
        }
    }
}

/// What a person reads, best first: for the names and links of clients that have them in several languages. RFC 4647
/// §2.1.
///
/// ```
/// let ranges = enroll_pages::language_ranges(Some("ja-JP"), Some("de;q=0.5, fr, *;q=0.1"));
/// assert_eq!(ranges, ["ja-JP", "fr", "de"]);
/// ```
pub fn language_ranges<'a>(ui_locales: Option<&'a str>, accept_language: Option<&'a str>) -> Vec<&'a str> {
    let asked = ui_locales.into_iter().flat_map(str::split_ascii_whitespace).filter(|range| is_range(range));
    let mut weighed: Vec<(&str, u16)> = accept_language
        .into_iter()
        .flat_map(|header| header.split(','))
        .filter_map(weighed_range)
        .take(MOST_RANGES)
        .collect();
    // The sort is stable: of the same weight, the first named comes first.
    weighed.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    asked.take(MOST_RANGES).chain(weighed.into_iter().map(|(range, _)| range)).collect()
}

/// `de-CH;q=0.7` as a range and thousandths. `None` for what is malformed, refused (`q=0`), or any language at all (`*`).
fn weighed_range(item: &str) -> Option<(&str, u16)> {
    let (range, weight) = match item.split_once(';') {
        None => (item.trim(), 1000),
        Some((range, parameter)) => {
            let (name, value) = parameter.split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("q") {
                return None;
            }
            (range.trim(), thousandths(value.trim())?)
        }
    };
    (is_range(range) && weight > 0).then_some((range, weight))
}

/// `0.7` as 700. RFC 9110 §12.4.2: at most three digits, and at most one.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// RFC 4647 §2.1: letters, then letters and digits, eight at most between hyphens.
fn is_range(range: &str) -> bool {
    let fits = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let begins = range.split('-').next().is_some_and(|first| first.bytes().all(|b| b.is_ascii_alphabetic()));
    begins && range.split('-').all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(header: &str) -> Language {
        Language::choose(None, Some(header))
    }

    // RFC 4647 §3.4
    #[test]
    fn a_range_is_shortened_until_it_fits() {
        assert_eq!(accept("de-CH-1996"), Language::German);
        assert_eq!(accept("JA-jp-u-ca-japanese"), Language::Japanese);
        assert_eq!(accept("deu"), Language::English, "another tag, though of the same language");
    }

    // RFC 9110 §12.4.2
    #[test]
    fn the_greatest_weight_wins_and_the_first_of_equal_ones() {
        assert_eq!(accept("de;q=0.5, ja;q=0.9, en;q=0.1"), Language::Japanese);
        assert_eq!(accept("de, ja"), Language::German);
        assert_eq!(accept("en;q=0.8,de;q=0.85"), Language::German);
        assert_eq!(accept("ja ; q=0.301 , de ; Q=0.3"), Language::Japanese);
    }

    #[test]
    fn a_language_of_weight_zero_is_not_chosen() {
        assert_eq!(accept("de;q=0, ja;q=0.001"), Language::Japanese);
        assert_eq!(accept("de;q=0.000"), Language::English);
    }

    #[test]
    fn ui_locales_come_before_the_header() {
        assert_eq!(Language::choose(Some("fr ja"), Some("de")), Language::Japanese);
        assert_eq!(Language::choose(Some("fr"), Some("de")), Language::German);
        assert_eq!(Language::choose(Some(""), None), Language::English);
    }

    #[test]
    fn what_is_malformed_is_passed_over_and_the_rest_counts() {
        for malformed in [
            "",
            ",,,",
            ";",
            "de;q",
            "de;q=",
            "de;q=2",
            "de;q=1.001",
            "de;q=0.1234",
            "de;q=-1",
            "de;q=NaN",
            "de;q=+1",
            "de;level=1",
            "de;q=1;q=1",
            "-de",
            "de-",
            "de--CH",
            "d_e",
            "abcdefghi",
            "de-abcdefghi",
            "de\u{e9}",
            "*",
            "1de",
        ] {
            assert_eq!(accept(&format!("{malformed}, ja;q=0.1")), Language::Japanese, "{malformed:?}");
        }
    }

    #[test]
    fn a_header_without_end_is_read_to_a_limit() {
        let ranges = language_ranges(Some(&"fr ".repeat(10_000)), None).len();
        assert_eq!(ranges, MOST_RANGES);
        assert_eq!(accept(&"x,".repeat(100_000)), Language::English);
    }
}
