//! Every call of a test against what the app says of itself: no answer and no accepted request that its description does
//! not allow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use boon::{Compiler, SchemaIndex, Schemas};
use enroll_oauth_types::ReadingRules;
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
    /// The schemas under these rules of reading, on which alone they depend: made once.
    pub(crate) fn of(registrar: &Registrar) -> Arc<Self> {
        static MADE: Mutex<Vec<(ReadingRules, Arc<Described>)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().expect("nothing panics while it is locked");
        let rules = &registrar.rules().reading;
        if let Some((_, described)) = made.iter().find(|(own, _)| own == rules) {
            return described.clone();
        }
        let described = Arc::new(Self::made_for(registrar));
        made.push((rules.clone(), described.clone()));
        described
    }

    fn made_for(registrar: &Registrar) -> Self {
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
            (_, StatusCode::NO_CONTENT) | (&Method::HEAD, _) => return,
            (_, status) if status.is_client_error() || status.is_server_error() => (None, "Error"),
            (&Method::POST, StatusCode::CREATED) => (Some("RegistrationRequest"), "ClientInformation"),
            // Another secret is asked for without a body.
            (&Method::POST, StatusCode::OK) if sent.is_empty() => (None, "ClientInformation"),
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
