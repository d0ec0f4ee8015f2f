//! `enroll check`: a dry run, step by step.

use std::fmt::Write as _;
use std::sync::Arc;

use enroll_access::{Caller, Gate, policy};
use enroll_oauth_types::{SealingKey, SystemRandom};
use enroll_registration::{Outcome, Pipeline, Remote, Report, steps};
use enroll_store::MemoryStore;

use super::{read_request, say, say_json};
use crate::cli::Check;
use crate::config::Config;
use crate::failure::Failure;
use crate::{sealed, service};

pub(super) async fn run(options: Check) -> Result<(), Failure> {
    let mut config = Config::load(&options.place)?;
    config.registration.strict |= options.strict;
    let terms = config.terms()?;
    let name = options.policy.as_deref().unwrap_or("default");
    let terms =
        terms.get(name).ok_or_else(|| Failure::Usage(format!("--policy: there is no policy `{name}`")))?;
    let issuer = config.issuer_or_default();
    let key = Arc::new(SealingKey::generate(&SystemRandom)); // nothing that it seals is kept
    let nowhere = Arc::new(MemoryStore::default());
    let keys = sealed::keys(&config, nowhere.clone(), key.clone()).await?;
    let registrar = service::registrar(&config, &issuer, nowhere, key, Gate::require(policy::open()))?;
    let registrar = registrar.registration_keys(keys);
    let registrar = match options.fetch {
        true => registrar.remote(service::remote(&config, false)?).pipeline(eager()),
        false => registrar.remote(Remote::Unchecked),
    };
    let registrar = registrar.build()?;

    let caller = Caller::anonymous().on(terms.clone());
    let report = registrar.explain_body(&read_request(&options.file)?, &caller).await;
    let report = report.map_err(|error| Failure::world(&error))?;
    match options.json {
        true => say_json(&report)?,
        false => say(as_text(&report)?)?,
    }
    match report.refusal() {
        None => Ok(()),
        Some(rejection) => Err(Failure::Refused(format!("refused: {}: {rejection}", rejection.code))),
    }
}

/// The steps, and one more that wants to see the keys at `jwks_uri` now.
fn eager() -> Pipeline {
    Pipeline::standard().before(steps::POLICY, "remote_keys", steps::RemoteKeys)
}

fn as_text(report: &Report) -> Result<String, Failure> {
    let mut text = String::new();
    let mut line = |mark: char, what: &str, why: &dyn std::fmt::Display| {
        let _infallible = writeln!(text, "{}", format!("{mark} {what:<26} {why}").trim_end());
    };
    for step in &report.steps {
        match &step.outcome {
            Outcome::Passed => line('✓', step.name, &""),
            Outcome::Refused(rejection) => line('✗', step.name, rejection),
            Outcome::NotReached => line('·', step.name, &""),
        }
        for note in &step.notes {
            line(' ', "", &format_args!("{}: {}", note.member, note.text));
        }
    }
    if report.effective.is_some() {
        let report = serde_json::to_value(report).map_err(|error| Failure::world(&error))?;
        let _infallible = write!(text, "\nThe client would be registered as\n{:#}", report["effective"]);
    }
    Ok(text.trim_end().to_owned())
}
