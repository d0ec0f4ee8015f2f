//! The page that asks who somebody is.

use std::time::Duration;

use askama::Template;

use crate::sentences::{Phrase, Sentences, With as _};
use crate::{ClientFace, Look};

/// Asks for user name and password. It sends the fields `username` and `password` by POST, beside the hidden ones.
#[derive(Clone, Debug)]
pub struct LoginPage<'a> {
    /// The client that somebody wants to use.
    pub client: ClientFace<'a>,
    /// Where the form goes.
    pub action: &'a str,
    /// Fields that come back as they are: the transaction, the CSRF token.
    pub hidden: Vec<(&'a str, &'a str)>,
    /// What was typed before, or `login_hint`. OpenID Connect Core 1.0 §3.1.2.1.
    pub username: Option<&'a str>,
    /// Why the last try failed.
    pub problem: Option<LoginProblem>,
    /// Whether the client lets people sign in with a password here (`enable_local_login`).
    pub local_login: bool,
}

/// Why somebody is not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// The name or the password is wrong: which of them is not told.
    WrongCredentials,
    /// Too many tries, of this account or from this source: when to come back.
    TooManyTries(Duration),
    /// Many people sign in just now, and nobody looked at what was typed.
    Busy,
}

#[derive(Template)]
#[template(path = "login.html")]
struct View<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    page: &'a LoginPage<'a>,
    client: &'a ClientFace<'a>,
}

impl LoginPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = View { look, t: look.sentences(), page: self, client: &self.client };
        view.render().expect("a string takes whatever is written to it")
    }
}

impl View<'_> {
    /// After too many tries, nothing is known to be wrong with what was typed.
    fn is_wrong(&self) -> bool {
        self.page.problem == Some(LoginProblem::WrongCredentials)
    }

    /// Minutes are rounded up, so that nobody comes back too early.
    fn problem(&self, problem: &LoginProblem) -> Phrase {
        match problem {
            LoginProblem::WrongCredentials => Phrase::from(self.t.wrong_credentials),
            LoginProblem::Busy => Phrase::from(self.t.many_sign_in),
            LoginProblem::TooManyTries(wait) => match wait.as_secs().div_ceil(60) {
                0 | 1 => Phrase::from(self.t.too_many_tries_minute),
                minutes => self.t.too_many_tries_minutes.with("minutes", minutes),
            },
        }
    }
}
