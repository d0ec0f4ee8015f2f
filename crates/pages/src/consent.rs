//! The page that asks whether a client may do what it asks for.

use askama::Template;
use enroll_oauth_types::Timestamp;

use crate::address::Destination;
use crate::date::date;
use crate::sentences::{Phrase, Sentences, With as _};
use crate::{ClientFace, Look};

/// Asks for consent. It sends `decision` (`allow` or `deny`), a `scope` for each optional scope that was left chosen, and
/// `remember=yes` where that was ticked, by POST, beside the hidden fields. OpenID Connect Core 1.0 §3.1.2.4.
///
/// Required scopes are not sent: whoever reads the answer knows them, and must not believe it about them.
#[derive(Clone, Debug)]
pub struct ConsentPage<'a> {
    /// The client that asks.
    pub client: ClientFace<'a>,
    /// Since when it is registered.
    pub registered_at: Timestamp,
    /// Who registered it.
    pub registered_by: RegisteredBy,
    /// Whether somebody checked who runs it. A client that registered dynamically is not verified by that.
    pub verified: bool,
    /// Where the answer goes. Its host is shown, with a warning where it is on the same device.
    pub redirect_uri: &'a str,
    /// What it asks for.
    pub scopes: Vec<ScopeChoice<'a>>,
    /// Where that can be used: names of resources, or their identifiers. RFC 8707.
    pub resources: Vec<&'a str>,
    /// Who is signed in.
    pub user: &'a str,
    /// Where somebody goes who wants to be another.
    pub other_account: &'a str,
    /// Whether the decision may be remembered (`allow_remember_consent`).
    pub may_remember: bool,
    /// Where the form goes.
    pub action: &'a str,
    /// Fields that come back as they are: the transaction, the CSRF token.
    pub hidden: Vec<(&'a str, &'a str)>,
}

/// A scope that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeChoice<'a> {
    /// The scope as in the request.
    pub name: &'a str,
    /// What people call it; the name where nobody said.
    pub title: &'a str,
    /// What it means.
    pub description: Option<&'a str>,
    /// Whether it comes with the rest or the rest is worth nothing.
    pub required: bool,
    /// Whether it is ticked at first, where it is not required.
    pub chosen: bool,
}

/// How a client came to be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisteredBy {
    /// By itself: registration was open to everybody. RFC 7591 §3.
    Itself,
    /// By somebody who had a token. RFC 7591 §3.
    Token,
    /// By the operators of this server.
    Operator,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct View<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    page: &'a ConsentPage<'a>,
    client: &'a ClientFace<'a>,
    destination: Destination,
}

impl ConsentPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let destination = Destination::of(self.redirect_uri);
        let view = View { look, t: look.sentences(), page: self, client: &self.client, destination };
        view.render().expect("a string takes whatever is written to it")
    }
}

impl View<'_> {
    fn registered(&self) -> Phrase {
        let date = date(self.page.registered_at, self.look.language);
        match self.page.registered_by {
            RegisteredBy::Itself => self.t.registered_by_itself.with("date", date),
            RegisteredBy::Token => self.t.registered_by_token.with("date", date),
            RegisteredBy::Operator => {
                self.t.registered_by_operator.with("date", date).with("service", self.look.service)
            }
        }
    }

    fn verification(&self) -> Phrase {
        let sentence = if self.page.verified { self.t.verified_detail } else { self.t.unverified_detail };
        sentence.with("service", self.look.service)
    }

    fn destination(&self) -> Phrase {
        match &self.destination {
            Destination::Site(host) => self.t.destination.with("host", host),
            Destination::Loopback(host) => self.t.destination_loopback.with("host", host),
            Destination::App(scheme) => self.t.destination_app.with("scheme", scheme),
        }
    }
}
