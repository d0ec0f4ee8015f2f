//! The endpoints in words that programs read: paths and components of an OpenAPI 3.1 description.

use enroll_oauth_types::{ClientMetadata, ErrorBody, UpdateRequest};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::{ClientInformation, Registrar, Report, choices};

/// The endpoints of a [registrar](Registrar::description), as parts of an OpenAPI 3.1 description.
///
/// The paths refer to the components, so both belong into one document.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// Path items, by path.
    pub paths: Map<String, Value>,
    /// `schemas`: what requests and answers hold.
    pub schemas: Map<String, Value>,
    /// `responses`: the refusals, by name.
    pub responses: Map<String, Value>,
    /// `securitySchemes`: the credentials.
    pub security_schemes: Map<String, Value>,
}

impl Description {
    /// A reference to the schema of this name.
    pub fn schema(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A reference to the response of this name.
    pub fn response(name: &str) -> Value {
        json!({ "$ref": format!("#/components/responses/{name}") })
    }

    /// An answer in JSON, by the name of its schema.
    pub fn answer(description: &str, schema: &str) -> Value {
        let content = json!({ "application/json": { "schema": Self::schema(schema) } });
        json!({ "description": description, "content": content })
    }
}

impl Registrar {
    /// What the endpoints take and answer, under the rules of this registrar.
    pub fn description(&self) -> Description {
        let mut paths = Map::new();
        paths.insert(self.path.clone(), json!({ "post": registration("register") }));
        for (number, alias) in self.aliases.iter().enumerate() {
            let post = registration(&format!("register_at_alias_{}", number + 1));
            paths.insert(alias.clone(), json!({ "post": post }));
        }
        paths.insert(format!("{}/{{client_id}}", self.path), configuration());
        paths.insert(format!("{}/{{client_id}}/secret", self.path), secret());
        Description { paths, schemas: self.schemas(), responses: refusals(), security_schemes: credentials() }
    }

    fn schemas(&self) -> Map<String, Value> {
        let metadata = |name: &str, more: Value| json!({ "allOf": [Description::schema(name), more] });
        let mut error = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let error = error.root_schema_for::<ErrorBody>().to_value();
        Map::from_iter([
            (
                "RegistrationRequest".to_owned(),
                with_choices(ClientMetadata::request_schema(&self.rules().reading)),
            ),
            ("UpdateRequest".to_owned(), metadata("RegistrationRequest", UpdateRequest::schema())),
            ("ClientMetadata".to_owned(), ClientMetadata::response_schema()),
            ("ClientInformation".to_owned(), metadata("ClientMetadata", ClientInformation::schema())),
            (
                "DryRun".to_owned(),
                Report::schema("#/components/schemas/Error", "#/components/schemas/ClientMetadata"),
            ),
            ("Error".to_owned(), without_dialect(error)),
        ])
    }
}

/// `POST`. RFC 7591 §3.
fn registration(id: &str) -> Value {
    let mut created = Description::answer("The client is registered.", "ClientInformation");
    created["headers"] = json!({
        "Cache-Control": never_cached(),
        "Location": { "description": "The client configuration endpoint.", "schema": { "type": "string" } },
    });
    created["links"] = ["read", "update", "delete", "rotate_secret"]
        .iter()
        .map(|operation| {
            let link = json!({
                "operationId": operation, "parameters": { "client_id": "$response.body#/client_id" },
            });
            ((*operation).to_owned(), link)
        })
        .collect();
    json!({
        "operationId": id,
        "summary": "Registers a client. RFC 7591 §3",
        "tags": ["registration"],
        "security": [{ "registration": [] }, {}],
        "parameters": [{
            "name": "dry_run",
            "in": "query",
            "description": "Tells what would become of the request, and stores nothing. Needs a credential, always.",
            "schema": { "type": "boolean", "default": false },
        }],
        "requestBody": body("RegistrationRequest", &json!({
            "redirect_uris": ["https://app.example/callback"], "client_name": "App", "client_name#ja": "アプリ",
        })),
        "responses": responses(&[
            ("200", Description::answer("A dry run: what each step would do.", "DryRun")),
            ("201", created),
        ], &["400", "401", "403", "408", "413", "415", "429", "503"]),
    })
}

/// `GET`, `PUT` and `DELETE`. RFC 7592 §2.
fn configuration() -> Value {
    let found = || found("The client as it is registered.");
    let mut update = managed(
        "update",
        "Replaces a registration; what is left out is not registered any more. RFC 7592 §2.2",
        &[("200", found())],
        &["400", "401", "403", "408", "409", "413", "415", "429", "503"],
    );
    update["requestBody"] = body(
        "UpdateRequest",
        &json!({ "client_id": "019e0c5a-5f6c-7000-8000-000000000000", "redirect_uris": ["https://app.example/new"] }),
    );
    let deleted = json!({ "description": "The client is no longer registered." });
    let refusals = ["400", "401", "403", "409", "429", "503"];
    json!({
        "parameters": [client_id()],
        "get": managed("read", "Reads a registration. RFC 7592 §2.1", &[("200", found())], &refusals),
        "put": update,
        "delete": managed("delete", "Deletes a registration. RFC 7592 §2.3", &[("204", deleted)], &refusals),
    })
}

/// `POST` below the client configuration endpoint.
fn secret() -> Value {
    let summary = "Gives the client another secret; those before work on for a while";
    let refusals = ["400", "401", "403", "409", "429", "503"];
    json!({
        "parameters": [client_id()],
        "post": managed("rotate_secret", summary, &[("200", found("The client, with its new secret."))], &refusals),
    })
}

fn found(description: &str) -> Value {
    let mut information = Description::answer(description, "ClientInformation");
    information["headers"] = json!({ "Cache-Control": never_cached() });
    information
}

/// What the owner of a client may do.
fn managed(id: &str, summary: &str, answers: &[(&str, Value)], refusals: &[&str]) -> Value {
    json!({
        "operationId": id,
        "summary": summary,
        "tags": ["registration"],
        "security": [{ "management": [] }],
        "responses": responses(answers, refusals),
    })
}

fn client_id() -> Value {
    json!({
        "name": "client_id",
        "in": "path",
        "required": true,
        "description": "The end of `registration_client_uri`.",
        "schema": { "type": "string", "minLength": 1 },
    })
}

fn body(schema: &str, example: &Value) -> Value {
    let content =
        json!({ "application/json": { "schema": Description::schema(schema), "example": example } });
    json!({ "required": true, "content": content })
}

fn never_cached() -> Value {
    json!({ "required": true, "schema": { "const": "no-store" } })
}

/// These answers, and the refusals of these statuses.
fn responses(answers: &[(&str, Value)], refusals: &[&str]) -> Value {
    let refusal = |status: &&str| ((*status).to_owned(), Description::response(status));
    let answers = answers.iter().map(|(status, answer)| ((*status).to_owned(), answer.clone()));
    answers.chain(refusals.iter().map(refusal)).collect()
}

/// The refusals by their status. RFC 7591 §3.2.2, RFC 6750 §3.1, RFC 9110 §15.
fn refusals() -> Map<String, Value> {
    let none = json!({});
    let challenge = |required: bool| {
        json!({ "WWW-Authenticate": {
            "required": required, "description": "RFC 6750 §3.", "schema": { "type": "string" },
        } })
    };
    let later = json!({ "Retry-After": {
        "required": true, "description": "In seconds.", "schema": { "type": "integer", "minimum": 0 },
    } });
    [
        ("400", "The request is refused.", challenge(false)),
        ("401", "A credential is missing or not valid.", challenge(true)),
        ("403", "The credential is not enough.", challenge(false)),
        ("408", "The body did not arrive in time.", none.clone()),
        ("409", "The registration was changed at the same time.", none.clone()),
        ("413", "The body is larger than 64 KiB.", none.clone()),
        ("415", "The body is not `application/json`.", none.clone()),
        ("429", "Too many requests or connections.", later.clone()),
        ("503", "The server cannot do this at the moment.", later),
    ]
    .into_iter()
    .map(|(status, description, headers)| {
        let mut refusal = Description::answer(description, "Error");
        refusal["headers"] = headers;
        (status.to_owned(), refusal)
    })
    .collect()
}

fn credentials() -> Map<String, Value> {
    let bearer =
        |description: &str| json!({ "type": "http", "scheme": "bearer", "description": description });
    Map::from_iter([
        (
            "registration".to_owned(),
            bearer(
                "An initial access token, or an access token of an issuer that the server trusts. Where registration is open, none is needed.",
            ),
        ),
        (
            "management".to_owned(),
            bearer(
                "The registration access token of the client; or, when that is lost, a JWT signed with a key of its `jwks`: `iss` and `sub` are the `client_id`, `aud` is the `registration_client_uri`, `jti` is new, `exp` is within an hour (RFC 7523 §3). An update, and any use of such a JWT, answers the token to use from then on.",
            ),
        ),
    ])
}

/// A request may offer values instead of one. OpenID Connect Relying Party Metadata Choices 1.0 §2.
fn with_choices(mut request: Value) -> Value {
    for (list, member) in choices::lists() {
        request["properties"][list] = json!({
            "description": format!("What the client can do; `{member}` is chosen from it."),
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "enum": [null, ""] }],
        });
    }
    request
}

/// A schema without the name of its dialect, which the document says for all.
fn without_dialect(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("$schema");
    }
    schema
}
