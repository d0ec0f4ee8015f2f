//! A page that waits for somebody: what was asked, and in which browser, sealed into the page itself. So a page costs the
//! server nothing until it is answered, and whoever sends it must have been given it: this is the token against forged
//! requests. OWASP, "Signed Double-Submit Cookie".

use std::time::Duration;

use axum::response::Response;
use enroll_oauth_types::{BrowserToken, SealedSecret, SecretHash, Timestamp};
use enroll_pages::Forms;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::Provider;
use crate::browser::{Jar, Visitor};
use crate::html::page;
use crate::parameters::Parameters;

/// How long a page may wait for somebody, and how long a browser may take from one address to the next.
const PATIENCE: Duration = Duration::from_hours(1);
const ON_THE_WAY: Duration = Duration::from_mins(1);

/// What the sealed text is for.
const PURPOSE: &str = "transaction";

/// What a page waits for, and whose it is where somebody is logged in.
pub(crate) struct Waiting<'a> {
    pub(crate) step: Step,
    pub(crate) parameters: &'a Parameters,
    pub(crate) session: Option<&'a str>,
    /// What the client was that somebody is asked about.
    pub(crate) client: Option<SecretHash>,
}

/// What a page waited for.
pub(crate) struct Answered {
    pub(crate) parameters: Parameters,
    pub(crate) client: Option<SecretHash>,
    /// Whether the browser came right on from where it was sent.
    pub(crate) is_prompt: bool,
}

/// What a page carries along.
#[derive(Debug, Serialize, Deserialize)]
struct Transaction {
    step: Step,
    parameters: String,
    browser: SecretHash,
    session: Option<String>,
    #[serde(default)]
    client: Option<SecretHash>,
    issued_at: Timestamp,
}

/// Which page it is: no other takes its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Somebody is to log in.
    Login,
    /// Somebody has just logged in, and goes on from there.
    LoggedIn,
    /// Somebody is asked what a client may have.
    Consent,
    /// Somebody is asked whether to log out.
    LogOut,
}

impl Provider {
    /// Seals what a page is about, for one browser.
    pub(crate) fn sealed(&self, waiting: &Waiting<'_>, browser: &BrowserToken) -> String {
        let transaction = Transaction {
            step: waiting.step,
            parameters: waiting.parameters.encode(),
            browser: browser.hash(),
            session: waiting.session.map(str::to_owned),
            client: waiting.client,
            issued_at: self.clock.now(),
        };
        let text = serde_json::to_string(&transaction).expect("a transaction is made of JSON");
        self.sealing_key.seal_text(&text, PURPOSE).to_string()
    }

    /// A page with a form, made with what it carries along; a browser that has no name yet gets one.
    pub(crate) fn page_that_waits(
        &self,
        status: StatusCode,
        waiting: &Waiting<'_>,
        visitor: &Visitor<'_>,
        render: impl FnOnce(&str) -> String,
    ) -> Response {
        let (browser, new_cookie) = visitor.browser(self.random.as_ref());
        let html = render(&self.sealed(waiting, &browser));
        let mut response = page(status, html, Forms::OwnThenAnywhere);
        if let Some(cookie) = new_cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// What was asked when the page was made; `None` when it is another page's, another browser's, another session's, or
    /// waited too long.
    pub(crate) fn unsealed(
        &self,
        step: Step,
        answer: &Parameters,
        visitor: &Visitor<'_>,
        session: Option<&str>,
    ) -> Option<Answered> {
        let sealed: SealedSecret = answer.only("transaction")?.parse().ok()?;
        let text = self.sealing_key.open_text(&sealed, PURPOSE)?;
        let transaction: Transaction = serde_json::from_str(&text).ok()?;
        let browser: BrowserToken = visitor.secret(Jar::Browser)?;
        let is_right = transaction.step == step
            && transaction.browser == browser.hash()
            && transaction.session.as_deref() == session
            && self.clock.now() < transaction.issued_at + PATIENCE;
        is_right.then(|| Answered {
            parameters: Parameters::parse(transaction.parameters.as_bytes()),
            client: transaction.client,
            is_prompt: self.clock.now() < transaction.issued_at + ON_THE_WAY,
        })
    }
}
