//! `enroll check`: a dry run, step by step.

use std::fmt::Write as _;
use std::sync::Arc;

use enroll_access::{Caller, Gate, policy};
use enroll_oauth_types::{ClientMetadata, Rejection, SealingKey, SystemRandom};
use enroll_registration::{Outcome, Report};
use enroll_store::MemoryStore;
use serde_json::json;

use super::{read_request, say, say_json};
use crate::cli::Check;
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

pub(super) async fn run(options: Check) -> Result<(), Failure> {
    let mut config = Config::load(&options.place)?;
    config.registration.strict |= options.strict;
    let terms = config.terms()?;
    let name = options.policy.as_deref().unwrap_or("default");
    let terms =
        terms.get(name).ok_or_else(|| Failure::Usage(format!("--policy: there is no policy `{name}`")))?;
    let issuer = config.issuer.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let key = SealingKey::generate(&SystemRandom); // nothing that it seals is kept
    let nowhere = Arc::new(MemoryStore::default());
    let registrar = service::registrar(&config, &issuer, nowhere, key, Gate::require(policy::open()))?;

    let parsed = ClientMetadata::parse(&read_request(&options.file)?, &registrar.rules().reading);
    let report = match &parsed {
        Ok(metadata) => {
            let caller = Caller::anonymous().on(terms.clone());
            registrar.explain(metadata, &caller).await.map_err(|error| Failure::world(&error))?
        }
        Err(_) => Report::default(),
    };
    let refusal = parsed.as_ref().err().or(report.refusal());
    match options.json {
        true => say_json(&as_json(&report, refusal))?,
        false => say(as_text(&report, parsed.as_ref().err())?)?,
    }
    match refusal {
        None => Ok(()),
        Some(rejection) => Err(Failure::Refused(format!("refused: {}: {rejection}", rejection.code))),
    }
}

fn as_text(report: &Report, unreadable: Option<&Rejection>) -> Result<String, Failure> {
    let mut text = String::new();
    let mut line = |mark: char, what: &str, why: &dyn std::fmt::Display| {
        let _infallible = writeln!(text, "{}", format!("{mark} {what:<26} {why}").trim_end());
    };
    match unreadable {
        None => line('✓', "read", &""),
        Some(rejection) => line('✗', "read", rejection),
    }
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
    if let Some(effective) = &report.effective {
        let json = serde_json::to_string_pretty(effective).map_err(|error| Failure::world(&error))?;
        let _infallible = write!(text, "\nThe client would be registered as\n{json}");
    }
    Ok(text.trim_end().to_owned())
}

fn as_json(report: &Report, refusal: Option<&Rejection>) -> serde_json::Value {
    let told = |rejection: &Rejection| json!({ "error": rejection.code, "error_description": rejection.to_string() });
    let steps = report.steps.iter().map(|step| {
        let notes = step.notes.iter().map(|note| json!({ "member": note.member, "note": note.text }));
        let (outcome, refusal) = match &step.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Refused(rejection) => ("refused", Some(told(rejection))),
            Outcome::NotReached => ("not reached", None),
        };
        json!({ "step": step.name, "outcome": outcome, "refusal": refusal, "notes": notes.collect::<Vec<_>>() })
    });
    json!({
        "accepted": refusal.is_none(),
        "refusal": refusal.map(told),
        "steps": steps.collect::<Vec<_>>(),
        "effective": report.effective,
    })
}
