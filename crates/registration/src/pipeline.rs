//! The ordered list of named steps.

use std::panic::Location;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::Instrument as _;

use crate::report::{Outcome, Report};
use crate::{Registration, RegistrationError, StepResult, steps};

/// One rule, or one group of members: reads the request, writes the client, or refuses.
///
/// A rule without state is a function: every `Fn(&mut Registration<'_>) -> StepResult` is a step.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step of a registration",
    note = "a step is a `fn(&mut Registration<'_>) -> StepResult`, or a type that implements `Step`"
)]
pub trait Step: Send + Sync + 'static {
    /// Does its part.
    async fn run(&self, registration: &mut Registration<'_>) -> StepResult;
}

#[async_trait]
impl<F> Step for F
where
    F: Fn(&mut Registration<'_>) -> StepResult + Send + Sync + 'static,
{
    async fn run(&self, registration: &mut Registration<'_>) -> StepResult {
        self(registration)
    }
}

/// The steps of a registration, in order.
///
/// ```
/// use enroll_registration::{Pipeline, Registration, Rejection, StepResult, steps};
///
/// fn require_contacts(r: &mut Registration<'_>) -> StepResult {
///     match r.request.contacts {
///         None => Err(Rejection::metadata("contacts", "is required here").into()),
///         Some(_) => Ok(()),
///     }
/// }
///
/// let pipeline = Pipeline::standard().after(steps::DISPLAY, "require_contacts", require_contacts).remove(steps::LOGOUT);
/// assert!(pipeline.names().any(|name| name == "require_contacts"));
/// ```
#[derive(Clone, Default)]
pub struct Pipeline {
    steps: Vec<(&'static str, Arc<dyn Step>)>,
}

impl Pipeline {
    /// No steps at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The names of the steps, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|(name, _)| *name)
    }

    /// Adds a step at the end. Panics when the name is taken.
    #[must_use]
    #[track_caller]
    pub fn push(self, name: &'static str, step: impl Step) -> Self {
        let end = self.steps.len();
        self.insert(end, name, step)
    }

    /// Puts another step in the place of one, under the same name. Panics when there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn replace(mut self, name: &'static str, step: impl Step) -> Self {
        let place = self.place(name);
        self.steps[place].1 = Arc::new(step);
        self
    }

    /// Adds a step before another. Panics when there is none of that name, or the new name is taken.
    #[must_use]
    #[track_caller]
    pub fn before(self, other: &'static str, name: &'static str, step: impl Step) -> Self {
        let place = self.place(other);
        self.insert(place, name, step)
    }

    /// Adds a step after another. Panics when there is none of that name, or the new name is taken.
    #[must_use]
    #[track_caller]
    pub fn after(self, other: &'static str, name: &'static str, step: impl Step) -> Self {
        let place = self.place(other);
        self.insert(place + 1, name, step)
    }

    /// Takes a step out; the members that it owns are not registered any more. Panics when there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn remove(mut self, name: &'static str) -> Self {
        let place = self.place(name);
        self.steps.remove(place);
        self
    }

    #[track_caller]
    fn insert(mut self, place: usize, name: &'static str, step: impl Step) -> Self {
        assert!(
            self.names().all(|own| own != name),
            "{}: the pipeline has a step `{name}` already; use `replace`, or another name",
            Location::caller()
        );
        self.steps.insert(place, (name, Arc::new(step)));
        self
    }

    #[track_caller]
    fn place(&self, name: &str) -> usize {
        self.names().position(|own| own == name).unwrap_or_else(|| {
            let names: Vec<_> = self.names().collect();
            panic!("{}: the pipeline has no step `{name}`; it has: {}", Location::caller(), names.join(", "))
        })
    }

    /// Runs the steps in order; the first refusal ends it.
    pub(crate) async fn run(&self, registration: &mut Registration<'_>) -> StepResult {
        for (name, step) in &self.steps {
            let span = tracing::debug_span!("step", step.name = name);
            step.run(registration).instrument(span).await?;
        }
        Ok(())
    }

    /// The same, writing down what each step did.
    pub(crate) async fn explain(
        &self,
        registration: &mut Registration<'_>,
    ) -> Result<Report, RegistrationError> {
        let mut report = Report::default();
        for (name, step) in &self.steps {
            if report.refusal().is_some() {
                report.add(name, Outcome::NotReached, Vec::new());
                continue;
            }
            let outcome = match step.run(registration).await {
                Ok(()) => Outcome::Passed,
                Err(RegistrationError::Rejected(rejection)) => Outcome::Refused(rejection),
                Err(other) => return Err(other),
            };
            report.add(name, outcome, std::mem::take(&mut registration.notes));
        }
        Ok(report)
    }

    /// The report of a registration that ended before the first step.
    pub(crate) fn not_reached(&self) -> Report {
        let mut report = Report::default();
        self.names().for_each(|name| report.add(name, Outcome::NotReached, Vec::new()));
        report
    }

    /// The steps that the standards ask for.
    pub fn standard() -> Self {
        steps::standard()
    }
}
