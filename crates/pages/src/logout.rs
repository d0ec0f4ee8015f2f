//! The pages at the end of a session. OpenID Connect RP-Initiated Logout 1.0 §2, §3.

use askama::Template;

use crate::address::WebLink;
use crate::sentences::{Sentences, With as _};
use crate::{ClientFace, Look};

/// Asks before the session ends. It sends `decision` (`sign_out` or `stay`) by POST, beside the hidden fields.
#[derive(Clone, Debug)]
pub struct LogOutPage<'a> {
    /// Who is signed in.
    pub user: &'a str,
    /// The client that asks for it, if one does.
    pub client: Option<ClientFace<'a>>,
    /// Where the form goes.
    pub action: &'a str,
    /// Fields that come back as they are: the transaction, the CSRF token.
    pub hidden: Vec<(&'a str, &'a str)>,
}

/// Says that the session has ended.
#[derive(Clone, Copy, Debug)]
pub struct SignedOutPage<'a> {
    /// The name of the client that asked for it, and where to go back to: a link where it is `http` or `https`.
    pub back_to: Option<(&'a str, &'a str)>,
}

/// Says that the session goes on, since somebody chose so.
#[derive(Clone, Copy, Debug)]
pub struct StillSignedInPage<'a> {
    /// As in [`SignedOutPage`].
    pub back_to: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "log_out.html")]
struct LogOut<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    page: &'a LogOutPage<'a>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    back_to: Option<(&'a str, WebLink)>,
}

#[derive(Template)]
#[template(path = "still_signed_in.html")]
struct StillSignedIn<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    back_to: Option<(&'a str, WebLink)>,
}

impl LogOutPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = LogOut { look, t: look.sentences(), page: self };
        view.render().expect("a string takes whatever is written to it")
    }
}

impl SignedOutPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = SignedOut { look, t: look.sentences(), back_to: linked(self.back_to) };
        view.render().expect("a string takes whatever is written to it")
    }
}

impl StillSignedInPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = StillSignedIn { look, t: look.sentences(), back_to: linked(self.back_to) };
        view.render().expect("a string takes whatever is written to it")
    }
}

fn linked<'a>(back_to: Option<(&'a str, &'a str)>) -> Option<(&'a str, WebLink)> {
    back_to.and_then(|(name, address)| Some((name, WebLink::parse(address)?)))
}
