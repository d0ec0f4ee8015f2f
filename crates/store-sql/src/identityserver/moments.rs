//! Dates as these tables hold them: in UTC, to the second when we write them.

use std::time::{SystemTime, UNIX_EPOCH};

use enroll_oauth_types::Timestamp;

/// `2026-11-28 14:00:00`
pub(super) fn to_text(moment: Timestamp) -> String {
    let text = humantime::format_rfc3339_seconds(SystemTime::from(moment)).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

/// The second in which it was; `None` where there is no such date, or it is before 1970.
pub(super) fn from_text(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = if text.len() == "2026-11-28".len() { format!("{text} 00:00:00") } else { text.to_owned() };
    let moment = humantime::parse_rfc3339_weak(&text).ok()?;
    Some(Timestamp(moment.duration_since(UNIX_EPOCH).ok()?.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_comes_back_from_the_forms_that_engines_have() {
        let moment = Timestamp(1_800_000_000);
        assert_eq!(to_text(moment), "2027-01-15 08:00:00");
        for text in [
            "2027-01-15 08:00:00",
            "2027-01-15 08:00:00.9999999",
            "2027-01-15 08:00:00.000000",
            "2027-01-15T08:00:00Z",
        ] {
            assert_eq!(from_text(text), Some(moment), "{text}");
        }
        assert_eq!(from_text("2027-01-15"), Some(Timestamp(1_800_000_000 - 8 * 3600)));
        assert_eq!(to_text(super::super::columns::LATEST), "9999-12-31 23:59:59");
        for text in ["", "yesterday", "1969-12-31 23:59:59", "0001-01-01 00:00:00"] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
