//! A page that waits for somebody: what was asked, and in which browser, sealed into the page itself. So a page costs the
//! server nothing until it is answered, and whoever sends it must have been given it: this is the token against forged
//! requests. OWASP, "Signed Double-Submit Cookie".

use std::time::Duration;

use enroll_oauth_types::{BrowserToken, SealedSecret, SecretHash, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Provider;
use crate::browser::{Jar, Visitor};
use crate::parameters::Parameters;

/// How long a page may wait.
const PATIENCE: Duration = Duration::from_hours(1);

/// What the sealed text is for.
const PURPOSE: &str = "transaction";

/// What a page carries along.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Transaction {
    step: Step,
    parameters: String,
    browser: SecretHash,
    /// Whose page it is, where somebody is logged in.
    session: Option<String>,
    expires_at: Timestamp,
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
    /// Seals what a page is about, for one browser and, where one is named, one session.
    pub(crate) fn sealed(
        &self,
        step: Step,
        parameters: &Parameters,
        browser: &BrowserToken,
        session: Option<&str>,
    ) -> String {
        let transaction = Transaction {
            step,
            parameters: parameters.encode(),
            browser: browser.hash(),
            session: session.map(str::to_owned),
            expires_at: self.clock.now() + PATIENCE,
        };
        let text = serde_json::to_string(&transaction).expect("a transaction is made of JSON");
        self.sealing_key.seal_text(&text, PURPOSE).to_string()
    }

    /// What was asked when the page was made; `None` when it is another page's, another browser's, another session's, or
    /// waited too long.
    pub(crate) fn unsealed(
        &self,
        step: Step,
        answer: &Parameters,
        visitor: &Visitor<'_>,
        session: Option<&str>,
    ) -> Option<Parameters> {
        let sealed: SealedSecret = answer.only("transaction")?.parse().ok()?;
        let text = self.sealing_key.open_text(&sealed, PURPOSE)?;
        let transaction: Transaction = serde_json::from_str(&text).ok()?;
        let browser: BrowserToken = visitor.secret(Jar::Browser)?;
        let is_right = transaction.step == step
            && transaction.browser == browser.hash()
            && transaction.session.as_deref() == session
            && self.clock.now() < transaction.expires_at;
        is_right.then(|| Parameters::parse(transaction.parameters.as_bytes()))
    }
}
