//! A day, as people write it.

use enroll_oauth_types::Timestamp;

use crate::Language;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// The day in Greenwich of a moment: year, month, day of the month.
fn civil(moment: Timestamp) -> (u64, usize, u64) {
    // Counted from the 1st of March of the year 0, so that the leap day is the last of its year.
    let days = moment.seconds() / SECONDS_OF_A_DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Five months have 153 days, whichever five, from March on.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

/// `3 November 2026`, and its like in other languages.
pub(crate) fn date(moment: Timestamp, language: Language) -> String {
    let sentences = language.sentences();
    let (year, month, day) = civil(moment);
    let name = sentences.months.get(month - 1).copied().unwrap_or_default();
    sentences
        .date
        .replace("{day}", &day.to_string())
        .replace("{month}", name)
        .replace("{year}", &year.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let civil = |seconds| civil(Timestamp(seconds));
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(951_782_399), (2000, 2, 28));
        assert_eq!(civil(951_782_400), (2000, 2, 29));
        assert_eq!(civil(1_709_251_200), (2024, 3, 1));
        assert_eq!(civil(1_798_761_599), (2026, 12, 31));
        assert_eq!(civil(4_107_542_400), (2100, 3, 1), "2100 has no leap day");
    }

    #[test]
    fn every_language_writes_it_in_its_own_way() {
        let moment = Timestamp(1_793_664_000);
        assert_eq!(date(moment, Language::English), "3 November 2026");
        assert_eq!(date(moment, Language::German), "3. November 2026");
        assert_eq!(date(moment, Language::Japanese), "2026年11月3日");
    }

    #[test]
    fn the_end_of_time_is_a_day_too() {
        assert!(date(Timestamp(u64::MAX), Language::English).len() > 4);
    }
}
