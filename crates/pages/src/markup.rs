//! Text of our own that goes into a page as it stands.

use std::fmt;

use askama::filters::HtmlSafe;

/// Markup that was written here, never anything from outside: it is a constant by its type.
#[derive(Clone, Copy)]
pub(crate) struct Markup(pub(crate) &'static str);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl HtmlSafe for Markup {}

/// The stylesheet of every page. It stands in the page, so that no second request is needed.
pub(crate) const STYLE: Markup = Markup(include_str!("../templates/style.css"));

/// Sends the only form of a page. The method is taken from the prototype, since a field named `submit` would hide it.
pub(crate) const SCRIPT: Markup = Markup("HTMLFormElement.prototype.submit.call(document.forms[0])");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_text_ends_its_element_early() {
        assert!(!STYLE.0.contains("</"), "the stylesheet would end before its end");
        assert!(!SCRIPT.0.contains("</"), "the script would end before its end");
    }

    #[test]
    fn the_stylesheet_asks_nobody_for_anything() {
        assert!(!STYLE.0.contains("url(") && !STYLE.0.contains("@import"));
    }
}
