//! The page that carries an authorization response to a client. OAuth 2.0 Form Post Response Mode 1.0 §2.

use askama::Template;

use crate::markup::{Markup, SCRIPT};
use crate::sentences::{Sentences, With as _};
use crate::{Look, PostTarget};

/// Posts the parameters of a response by itself, or by a button where no script runs.
#[derive(Clone, Debug)]
pub struct FormPostPage<'a> {
    /// The redirect URI.
    pub target: PostTarget<'a>,
    /// The parameters of the response: `code`, `state`, `iss`.
    pub parameters: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct View<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    page: &'a FormPostPage<'a>,
    script: Markup,
}

impl FormPostPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = View { look, t: look.sentences(), page: self, script: SCRIPT };
        view.render().expect("a string takes whatever is written to it")
    }
}
