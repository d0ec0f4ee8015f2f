//! `/openapi.json`: every endpoint in words that programs read. OpenAPI 3.1.

use axum::Router;
use axum::routing::get;
use enroll_endpoint::cors;
use enroll_oauth_types::ServerMetadata;
use enroll_registration::Description;
use http::{HeaderMap, Method};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::discovery::well_known;
use super::document::Document;
use crate::service;

/// The description, made once, for scripts of any origin.
pub(super) fn router(registration: Description, issuer: &str) -> Router {
    let document = Document::of(&describe(registration, issuer));
    let answer = move |headers: HeaderMap| std::future::ready(document.answer(&headers));
    Router::new().route("/openapi.json", get(answer)).layer(cors([Method::GET, Method::HEAD]))
}

/// The endpoints of registration, and those that are the server's own.
fn describe(registration: Description, issuer: &str) -> Value {
    let Description { mut paths, mut schemas, responses, security_schemes } = registration;
    for (number, path) in well_known(&service::path_of(issuer)).into_iter().enumerate() {
        let id = format!("metadata_{}", number + 1);
        paths.insert(
            path,
            json!({ "get": document(&id, "What the server can do. RFC 8414 §3", "ServerMetadata") }),
        );
    }
    paths.append(&mut operations());
    let mut metadata = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut metadata = metadata.root_schema_for::<ServerMetadata>();
    metadata.remove("$schema");
    schemas.insert("ServerMetadata".to_owned(), metadata.to_value());
    let healthy =
        json!({ "type": "object", "properties": { "status": { "const": "ok" } }, "required": ["status"] });
    schemas.insert("Health".to_owned(), healthy);
    schemas
        .insert("OpenApi".to_owned(), json!({ "type": "object", "required": ["openapi", "info", "paths"] }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Enroll",
            "summary": "Dynamic client registration for OAuth 2.0 and OpenID Connect",
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
            "version": env!("CARGO_PKG_VERSION"),
        },
        // The issuer without its path, which is part of the paths: some are not below it.
        "servers": [{ "url": issuer.strip_suffix(&service::path_of(issuer)).unwrap_or(issuer) }],
        "tags": [
            { "name": "registration", "description": "RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0." },
            { "name": "documents", "description": "What the server says about itself." },
            { "name": "operation", "description": "For those who run it." },
        ],
        "paths": paths,
        "components": { "schemas": schemas, "responses": responses, "securitySchemes": security_schemes },
    })
}

/// What the server says of its state and of itself.
fn operations() -> Map<String, Value> {
    let healthy = Description::answer("So it is.", "Health");
    let counted = json!({
        "description": "In the Prometheus text format.",
        "content": { "text/plain": { "schema": { "type": "string" } } },
    });
    let mut ready = operation("ready", "Whether it can serve", "operation", &healthy);
    ready["responses"]["503"] = Description::answer("The database cannot be read or written.", "Error");
    let items = [
        ("/healthz", operation("healthy", "Whether the process lives", "operation", &healthy)),
        ("/readyz", ready),
        ("/metrics", operation("metrics", "What it has counted", "operation", &counted)),
        ("/openapi.json", document("openapi", "This document", "OpenApi")),
    ];
    items.into_iter().map(|(path, get)| (path.to_owned(), json!({ "get": get }))).collect()
}

/// `GET` of a document that stays the same for a while. RFC 9110 §13.1.2.
fn document(id: &str, summary: &str, schema: &str) -> Value {
    let headers = json!({
        "ETag": { "required": true, "schema": { "type": "string" } },
        "Cache-Control": { "required": true, "schema": { "type": "string" } },
    });
    let mut found = Description::answer("The document.", schema);
    found["headers"] = headers.clone();
    let mut operation = operation(id, summary, "documents", &found);
    operation["parameters"] =
        json!([{ "name": "If-None-Match", "in": "header", "schema": { "type": "string" } }]);
    operation["responses"]["304"] =
        json!({ "description": "The caller has it already.", "headers": headers });
    operation
}

fn operation(id: &str, summary: &str, tag: &str, ok: &Value) -> Value {
    let responses =
        json!({ "200": ok, "429": Description::response("429"), "503": Description::response("503") });
    json!({ "operationId": id, "summary": summary, "tags": [tag], "responses": responses })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use enroll_access::{Gate, policy};
    use enroll_oauth_types::{SealingKey, SystemRandom};
    use enroll_store::MemoryStore;

    use super::*;
    use crate::config::Config;
    use crate::snapshot;

    fn described(issuer: &str) -> Value {
        let key = SealingKey::generate(&SystemRandom);
        let (gate, store) = (Gate::require(policy::open()), Arc::new(MemoryStore::default()));
        let registrar = service::registrar(&Config::default(), issuer, store, key, gate).unwrap().build();
        describe(registrar.unwrap().description(), issuer)
    }

    #[test]
    fn the_snapshot_of_the_description_is_current() {
        snapshot::is_current("openapi.json", &format!("{:#}\n", described("https://id.example")));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let description = described("https://id.example");
        let mut found = Vec::new();
        references(&description, &mut found);
        assert!(found.len() > 50, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(description.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let description = described("https://id.example/t");
        let items = description["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let mut names: Vec<_> =
            operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(all > 10 && names.len() == all, "{names:?}");
    }

    #[test]
    fn an_issuer_with_a_path_has_it_in_the_paths() {
        let description = described("https://id.example/t");
        assert_eq!(description["servers"][0]["url"], "https://id.example");
        for path in
            ["/t/connect/dcr", "/t/register", "/register", "/t/.well-known/openid-configuration", "/healthz"]
        {
            assert!(description["paths"].get(path).is_some(), "{path}");
        }
    }
}
