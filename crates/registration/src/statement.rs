//! What a software statement does to a request: its claims take the place of what the client says. RFC 7591 §2.3, §3.1.1.

use std::sync::Arc;

use enroll_access::{StatementError, StatementIssuers, Validity};
use enroll_oauth_types::{ClientMetadata, Clock, ErrorCode, Rejection};
use serde_json::Value;

use crate::choices::is_list;

/// Whose software statements are believed, and whether one is needed.
#[derive(Clone, Default)]
pub struct Statements {
    issuers: Arc<StatementIssuers>,
    required: bool,
}

/// What came of the statement of a request, for the step that owns the member.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nobody is trusted to vouch for software.
    Ignored,
    /// There is none, and none is needed.
    Absent,
    /// It is believed, and the request says what it says.
    Believed,
    /// It is not.
    Refused(Rejection),
}

impl Statements {
    /// Those of these issuers. A client may come without one.
    pub fn of(issuers: StatementIssuers) -> Self {
        Self { issuers: Arc::new(issuers), required: false }
    }

    /// The same, and a client must come with one.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The request with the claims of its statement over it. `settled` is the statement that the client registered with:
    /// its ends do not matter any more.
    pub(crate) fn overlay(
        &self,
        request: &ClientMetadata,
        settled: Option<&str>,
        clock: &dyn Clock,
    ) -> (Verdict, Option<ClientMetadata>) {
        if self.issuers.is_empty() {
            return (Verdict::Ignored, None);
        }
        let Some(statement) = &request.software_statement else {
            let verdict = match self.required {
                true => Verdict::Refused(Rejection::software_statement("is required here")),
                false => Verdict::Absent,
            };
            return (verdict, None);
        };
        let is_settled = settled == Some(statement.as_str());
        let validity = if is_settled { Validity::Settled } else { Validity::At(clock.now()) };
        match self.claims(statement, validity) {
            Ok(claims) => (Verdict::Believed, Some(vouched_for(request, &claims))),
            Err(rejection) => (Verdict::Refused(rejection), None),
        }
    }

    /// The members of client metadata that a statement states. What it names beyond them is not registered.
    pub(crate) fn claims(&self, statement: &str, validity: Validity) -> Result<ClientMetadata, Rejection> {
        let vouched = self.issuers.verify(statement, validity).map_err(|error| match error {
            StatementError::Invalid(why) => Rejection::software_statement(why),
            error @ StatementError::Unapproved => Rejection {
                code: ErrorCode::UnapprovedSoftwareStatement,
                ..Rejection::software_statement(error.to_string())
            },
        })?;
        let mut claims = vouched.claims;
        claims.retain(|name, _| {
            let base = name.split('#').next().unwrap_or_default();
            is_list(name) || base != "software_statement" && ClientMetadata::MEMBERS.contains(&base)
        });
        ClientMetadata::try_from(Value::Object(claims))
            .map_err(|rejection| Rejection::software_statement(format!("its claim {rejection}")))
    }
}

/// Keys by value and keys by address exclude each other: those of the statement are the client's.
fn vouched_for(request: &ClientMetadata, claims: &ClientMetadata) -> ClientMetadata {
    let mut request = request.clone();
    if claims.jwks.is_some() || claims.jwks_uri.is_some() {
        (request.jwks, request.jwks_uri) = (None, None);
    }
    request.overlaid_by(claims)
}
