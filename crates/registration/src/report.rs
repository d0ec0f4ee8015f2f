//! What each step of a dry run did.

use enroll_oauth_types::{ClientMetadata, Rejection};
use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};
use serde_json::{Value, json};

use crate::Note;

/// A dry run: every step with its outcome. As JSON it is what the registration endpoint answers to a dry run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The steps, in order. Where the body itself was read, that is the first one, [`Report::READ`].
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
    /// The name of what comes before the steps: from the body to its members.
    pub const READ: &'static str = "read";

    /// The refusal, when there is one.
    pub fn refusal(&self) -> Option<&Rejection> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Refused(rejection) => Some(rejection),
            Outcome::Passed | Outcome::NotReached => None,
        })
    }

    /// The report as a JSON Schema; `refusal` and `effective` are where the schemas of these stand.
    pub(crate) fn schema(refusal: &str, effective: &str) -> Value {
        let or_null = |schema: &str| json!({ "anyOf": [{ "$ref": schema }, { "type": "null" }] });
        json!({
            "type": "object",
            "properties": {
                "accepted": { "type": "boolean", "description": "Whether it would be registered." },
                "refusal": or_null(refusal),
                "steps": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "step": { "type": "string", "description": "The name of the step." },
                            "outcome": { "enum": ["passed", "refused", "not reached"] },
                            "refusal": or_null(refusal),
                            "notes": {
                                "type": "array",
                                "description": "What it decided otherwise than asked.",
                                "items": {
                                    "type": "object",
                                    "properties": { "member": { "type": "string" }, "note": { "type": "string" } },
                                    "required": ["member", "note"],
                                    "additionalProperties": false,
                                },
                            },
                        },
                        "required": ["step", "outcome", "refusal", "notes"],
                        "additionalProperties": false,
                    },
                },
                "effective": or_null(effective),
            },
            "required": ["accepted", "refusal", "steps", "effective"],
            "additionalProperties": false,
        })
    }

    pub(crate) fn add(&mut self, name: &'static str, outcome: Outcome, notes: Vec<Note>) {
        self.steps.push(StepReport { name, outcome, notes });
    }
}

/// A refusal as an error response has it.
struct Told<'a>(&'a Rejection);

/// Metadata with the members that no standard names.
struct Whole<'a>(&'a ClientMetadata);

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("Report", 4)?;
        json.serialize_field("accepted", &self.refusal().is_none())?;
        json.serialize_field("refusal", &self.refusal().map(Told))?;
        json.serialize_field("steps", &self.steps)?;
        json.serialize_field("effective", &self.effective.as_ref().map(Whole))?;
        json.end()
    }
}

impl Serialize for StepReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (outcome, refusal) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Refused(rejection) => ("refused", Some(Told(rejection))),
            Outcome::NotReached => ("not reached", None),
        };
        let mut json = serializer.serialize_struct("StepReport", 4)?;
        json.serialize_field("step", self.name)?;
        json.serialize_field("outcome", outcome)?;
        json.serialize_field("refusal", &refusal)?;
        json.serialize_field("notes", &self.notes)?;
        json.end()
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("Note", 2)?;
        json.serialize_field("member", &self.member)?;
        json.serialize_field("note", &self.text)?;
        json.end()
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("Refusal", 2)?;
        json.serialize_field("error", &self.0.code)?;
        json.serialize_field("error_description", &self.0.to_string())?;
        json.end()
    }
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write_members(&mut map)?;
        self.0.extensions.write_members(&mut map)?;
        map.end()
    }
}
