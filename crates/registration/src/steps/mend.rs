//! What has no effect beside the rest, or goes beyond the caller's policy: mended with a note, or refused where
//! nothing is mended. RFC 7591 §3.2.1 lets the server replace what was asked, as long as it says so.

use std::borrow::Cow;
use std::fmt::Display;

use enroll_oauth_types::Rejection;

use crate::{Registration, StepResult};

impl Registration<'_> {
    /// Goes on without a member, for this reason, and notes it; refuses where [`Rules::substitute`](crate::Rules) is off.
    pub fn leave_out(&mut self, member: impl Into<Cow<'static, str>>, reason: &str) -> StepResult {
        if !self.server.rules.substitute {
            return Err(Rejection::metadata(member, format!("must be left out: {reason}")).into());
        }
        self.note(member, format!("left out: {reason}"));
        Ok(())
    }

    /// Goes on with another value, for this reason, and notes it; refuses where [`Rules::substitute`](crate::Rules) is off.
    pub fn put_instead(&mut self, member: &'static str, value: &dyn Display, reason: &str) -> StepResult {
        if !self.server.rules.substitute {
            return Err(Rejection::metadata(member, format!("must be {value}: {reason}")).into());
        }
        self.note(member, format!("set to {value}: {reason}"));
        Ok(())
    }
}
