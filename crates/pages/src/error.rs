//! The page for what cannot be answered to the client, since it is not known where that is. RFC 6749 §4.1.2.1.

use askama::Template;
use enroll_oauth_types::Timestamp;

use crate::Look;
use crate::date::date;
use crate::sentences::{Phrase, Sentences, With as _};

/// Says what went wrong and what to do: to a person first, to developers further down.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// What went wrong.
    pub problem: Problem,
    /// The error code of the standard: `invalid_request`.
    pub code: &'a str,
    /// The `error_description`, in English.
    pub detail: Option<&'a str>,
    /// By what the operators find it in their log.
    pub request: Option<&'a str>,
}

/// What went wrong, as far as a person can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No client of that identifier was ever here.
    UnknownClient,
    /// The client was deleted at this time.
    GoneClient(Timestamp),
    /// The operators switched the client off at this time.
    DisabledClient(Timestamp),
    /// The redirect URI is missing or not the client's.
    RedirectUri,
    /// Anything else that the client did wrong.
    InvalidRequest,
    /// The page came from a form that is too old or was used before, or its cookie is missing.
    Expired,
    /// The fault is ours.
    Unavailable,
}

#[derive(Template)]
#[template(path = "error.html")]
struct View<'a> {
    look: &'a Look<'a>,
    t: &'static Sentences,
    page: &'a ErrorPage<'a>,
}

impl ErrorPage<'_> {
    /// The page as HTML.
    pub fn render(&self, look: &Look<'_>) -> String {
        let view = View { look, t: look.sentences(), page: self };
        view.render().expect("a string takes whatever is written to it")
    }
}

impl View<'_> {
    fn sentence(&self) -> Phrase {
        match self.page.problem {
            Problem::UnknownClient => Phrase::from(self.t.unknown_client),
            Problem::GoneClient(since) => self.t.gone_client.with("date", date(since, self.look.language)),
            Problem::DisabledClient(since) => {
                let sentence = self.t.disabled_client.with("service", self.look.service);
                sentence.with("date", date(since, self.look.language))
            }
            Problem::RedirectUri => Phrase::from(self.t.redirect_uri),
            Problem::InvalidRequest => Phrase::from(self.t.invalid_request),
            Problem::Expired => Phrase::from(self.t.expired),
            Problem::Unavailable => self.t.unavailable.with("service", self.look.service),
        }
    }

    fn remedy(&self) -> &'static str {
        match self.page.problem {
            Problem::UnknownClient => self.t.unknown_client_remedy,
            Problem::GoneClient(_) => self.t.gone_client_remedy,
            Problem::DisabledClient(_) => self.t.disabled_client_remedy,
            Problem::RedirectUri => self.t.redirect_uri_remedy,
            Problem::InvalidRequest => self.t.invalid_request_remedy,
            Problem::Expired => self.t.expired_remedy,
            Problem::Unavailable => self.t.unavailable_remedy,
        }
    }
}
