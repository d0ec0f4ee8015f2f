//! What each step of a dry run did.

use enroll_oauth_types::{ClientMetadata, Rejection};

use crate::Note;

/// A dry run: every step with its outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The steps, in order.
    pub steps: Vec<StepReport>,
    /// The metadata that would be registered, unless a step refused.
    pub effective: Option<ClientMetadata>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Its name in the pipeline.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What it decided otherwise than asked.
    pub notes: Vec<Note>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing to refuse.
    Passed,
    /// It refused, and the registration ended there.
    Refused(Rejection),
    /// An earlier step had refused.
    NotReached,
}

impl Report {
    /// The refusal, when there is one.
    pub fn refusal(&self) -> Option<&Rejection> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Refused(rejection) => Some(rejection),
            Outcome::Passed | Outcome::NotReached => None,
        })
    }

    pub(crate) fn add(&mut self, name: &'static str, outcome: Outcome, notes: Vec<Note>) {
        self.steps.push(StepReport { name, outcome, notes });
    }
}
