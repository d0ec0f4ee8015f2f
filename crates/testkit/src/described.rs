//! Every call of a test against what the app says of itself: no answer and no accepted request that its description does
//! not allow.

use std::collections::HashMap;

use boon::{Compiler, SchemaIndex, Schemas};
use enroll_registration::Registrar;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Answer;

/// The schemas of an app.
pub(crate) struct Described {
    schemas: Schemas,
    by_name: HashMap<String, SchemaIndex>,
}

impl Described {
    pub(crate) fn of(registrar: &Registrar) -> Self {
        let description = registrar.description();
        let names: Vec<_> = description.schemas.keys().cloned().collect();
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        let document = json!({ "components": { "schemas": description.schemas } });
        compiler.add_resource("https://id.example/openapi.json", document).expect("the description is JSON");
        let mut compile = |name: String| {
            let location = format!("https://id.example/openapi.json#/components/schemas/{name}");
            let index = compiler.compile(&location, &mut schemas);
            (name, index.unwrap_or_else(|error| panic!("{error:#}")))
        };
        let by_name = names.into_iter().map(&mut compile).collect();
        Self { schemas, by_name }
    }

    /// Fails when the answer, or a request that was accepted, is not as described.
    pub(crate) fn check(&self, method: &Method, sent: &[u8], answer: &Answer) {
        let (request, response) = match (method, answer.status) {
            (_, StatusCode::NO_CONTENT) => return,
            (_, status) if status.is_client_error() || status.is_server_error() => (None, "Error"),
            (&Method::POST, StatusCode::CREATED) => (Some("RegistrationRequest"), "ClientInformation"),
            (&Method::POST, StatusCode::OK) => (None, "DryRun"),
            (&Method::PUT, StatusCode::OK) => (Some("UpdateRequest"), "ClientInformation"),
            (&Method::GET, StatusCode::OK) => (None, "ClientInformation"),
            _ => return,
        };
        self.fits(response, &answer.json());
        if let Some(request) = request {
            self.fits(request, &serde_json::from_slice(sent).expect("what was accepted is JSON"));
        }
    }

    fn fits(&self, schema: &str, content: &Value) {
        if let Err(error) = self.schemas.validate(content, self.by_name[schema]) {
            panic!("{content} is no {schema} as the description has it: {error:#}");
        }
    }
}
