//! What all pages have in common.

use crate::Language;
use crate::markup::{Markup, STYLE};
use crate::sentences::Sentences;

/// In which language a page speaks, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The language of every sentence.
    pub language: Language,
    /// How people know this server: its name, or the host of its issuer.
    pub service: &'a str,
}

impl Look<'_> {
    pub(crate) fn sentences(&self) -> &'static Sentences {
        self.language.sentences()
    }

    /// Templates know values, not constants.
    #[expect(clippy::unused_self, reason = "a template reaches it through the look")]
    pub(crate) fn style(&self) -> Markup {
        STYLE
    }
}
