//! Every sentence of the pages, a field each, and a table of them for each language.
//!
//! To add a sentence: a line below, then its text in each language; the compiler names the tables that lack it. What
//! differs from page to page stands in braces, and [`With::with`] puts it in, escaped and isolated.

mod english;
mod german;
mod japanese;

use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};

pub(crate) use english::ENGLISH;
pub(crate) use german::GERMAN;
pub(crate) use japanese::JAPANESE;

macro_rules! sentences {
    ($($name:ident)*) => {
        /// What the pages say in one language.
        pub(crate) struct Sentences {
            $(pub(crate) $name: &'static str,)*
            /// January first.
            pub(crate) months: [&'static str; 12],
        }

        #[cfg(test)]
        impl Sentences {
            /// Every sentence with its name.
            fn each(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

sentences! {
    date
    new_tab about_client website privacy_policy terms
    sign_in to_continue username password wrong_credentials too_many_tries_minute too_many_tries_minutes
    many_sign_in no_local_login no_local_login_remedy
    consent consent_heading signed_in_as other_account
    verified verified_detail unverified unverified_detail
    registered_by_itself registered_by_token registered_by_operator
    asks_for required nothing_in_particular resources
    destination destination_loopback destination_app just_started warning
    remember remember_detail allow deny
    sign_out_question signed_in_to asked_to_sign_out sign_out stay_signed_in
    signed_out signed_out_detail still_signed_in still_signed_in_detail back_to
    error error_code error_detail error_request for_developers
    unknown_client unknown_client_remedy gone_client gone_client_remedy disabled_client disabled_client_remedy
    redirect_uri redirect_uri_remedy invalid_request invalid_request_remedy expired expired_remedy
    unavailable unavailable_remedy
    one_moment being_taken press_continue continue_button
}

/// A sentence that has room for something.
pub(crate) trait With {
    /// Puts a value in the place of `{name}`.
    fn with(self, name: &'static str, value: impl fmt::Display) -> Phrase;
}

impl With for &'static str {
    fn with(self, name: &'static str, value: impl fmt::Display) -> Phrase {
        Phrase::from(self).with(name, value)
    }
}

impl With for Phrase {
    fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.values.push((name, value.to_string()));
        self
    }
}

/// A sentence with its values. The sentence is ours by its type; the values may be anybody's, and are escaped.
pub(crate) struct Phrase {
    sentence: &'static str,
    values: Vec<(&'static str, String)>,
}

impl From<&'static str> for Phrase {
    fn from(sentence: &'static str) -> Self {
        Self { sentence, values: Vec::new() }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.sentence;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            Html.write_escaped_str(&mut *f, before)?;
            match self.values.iter().find(|(own, _)| *own == name) {
                Some((_, value)) => {
                    f.write_str("<bdi>")?;
                    Html.write_escaped_str(&mut *f, value)?;
                    f.write_str("</bdi>")?;
                }
                None => write!(f, "{{{name}}}")?,
            }
            rest = after;
        }
        Html.write_escaped_str(f, rest)
    }
}

impl HtmlSafe for Phrase {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Language;

    fn placeholders(sentence: &str) -> BTreeSet<&str> {
        sentence.split('{').skip(1).map(|part| part.split('}').next().unwrap_or_default()).collect()
    }

    #[test]
    fn every_language_has_every_sentence_with_the_same_places() {
        for language in Language::ALL {
            for ((name, english), (_, own)) in ENGLISH.each().into_iter().zip(language.sentences().each()) {
                assert!(!own.trim().is_empty(), "{} lacks {name}", language.tag());
                assert_eq!(placeholders(own), placeholders(english), "{name} in {}", language.tag());
            }
        }
    }

    #[test]
    fn no_sentence_was_left_in_english() {
        // Words that are the same in German.
        let alike = ["website", "error_detail", "error_code"];
        for language in [Language::German, Language::Japanese] {
            for ((name, english), (_, own)) in ENGLISH.each().into_iter().zip(language.sentences().each()) {
                assert!(own != english || alike.contains(&name), "{name} in {}", language.tag());
            }
        }
    }

    #[test]
    fn values_are_escaped_and_isolated_and_never_read_as_places() {
        let phrase = "{a} & {b}".with("a", "<script>").with("b", "{a}\"'");
        assert_eq!(phrase.to_string(), "<bdi>&#60;script&#62;</bdi> &#38; <bdi>{a}&#34;&#39;</bdi>");
    }
}
