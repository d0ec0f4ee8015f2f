//! The description at `/openapi.json`: where it is, and that what is answered is what it says. OpenAPI 3.1.

use boon::{Compiler, Schemas};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

/// The description of a server, to hold answers against.
struct Description(Value);

impl Description {
    async fn of(server: &Server) -> Self {
        let answer = server.get("/openapi.json").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
        assert_eq!(answer.json["servers"][0]["url"], server.url.as_str());
        Self(answer.json)
    }

    /// The answer is one that the operation has, and its body fits.
    #[track_caller]
    fn allows(&self, method: &str, path: &str, answer: &Answer) {
        let mut response = &self.0["paths"][path][method]["responses"][answer.status.to_string()];
        if let Some(reference) = response["$ref"].as_str() {
            response = self.0.pointer(&reference[1..]).unwrap();
        }
        let schema = response["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema = schema.unwrap_or_else(|| panic!("{method} {path} has no such answer: {answer:?}"));
        let problem = self.problem(schema, &answer.json);
        assert!(problem.is_none(), "{method} {path}: {}: {answer:?}", problem.unwrap_or_default());
    }

    fn problem(&self, schema: &str, body: &Value) -> Option<String> {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource("https://id.example/openapi.json", self.0.clone()).unwrap();
        let index =
            compiler.compile(&format!("https://id.example/openapi.json{schema}"), &mut schemas).unwrap();
        schemas.validate(body, index).err().map(|error| format!("{error:#}"))
    }
}

/// RFC 7591 3.2, RFC 7592 3
#[tokio::test]
async fn what_is_answered_is_what_the_description_says() {
    let home = Home::with_config("[registration]\nopen = true\n");
    let token = home.token("");
    let server = Server::start(&home, "");
    let described = Description::of(&server).await;
    let request = json!({
        "redirect_uris": ["https://app.example/cb"], "client_name": "App", "client_name#ja": "アプリ",
        "contacts": ["a@app.example"], "default_max_age": 0, "logo_uri": "", "tos_uri": null, "unknown": 1,
    });
    assert_eq!(described.problem("#/components/schemas/RegistrationRequest", &request), None);

    let registered = server.register(&request, None).await;
    assert_eq!(registered.status, 201);
    described.allows("post", "/connect/dcr", &registered);
    described.allows("post", "/register", &registered);
    described.allows("get", "/connect/dcr/{client_id}", &server.read(&registered.json).await);

    for body in [&request, &json!({ "redirect_uris": [] })] {
        let dry_run =
            server.request(Method::POST, "/connect/dcr?dry_run=true").json(body).bearer_auth(&token);
        let report = Answer::to(dry_run).await;
        assert_eq!(report.status, 200);
        described.allows("post", "/connect/dcr", &report);
    }
    let refused = server.register(&json!({ "redirect_uris": ["javascript:alert(1)"] }), None).await;
    assert_eq!(refused.status, 400);
    described.allows("post", "/connect/dcr", &refused);
    described.allows("get", "/connect/dcr/{client_id}", &server.get("/connect/dcr/nobody").await);
    for path in ["/.well-known/oauth-authorization-server", "/healthz", "/readyz", "/openapi.json"] {
        described.allows("get", path, &server.get(path).await);
    }
}

#[tokio::test]
async fn the_description_tells_what_a_strict_server_refuses() {
    let home = Home::with_config("[registration]\nopen = true\n");
    let strict = Home::with_config("[registration]\nopen = true\nstrict = true\n");
    for (home, fits) in [(home, true), (strict, false)] {
        let server = Server::start(&home, "");
        let described = Description::of(&server).await;
        let request = json!({ "redirect_uris": ["https://app.example/cb"], "logo_uri": "" });
        let problem = described.problem("#/components/schemas/RegistrationRequest", &request);
        let answer = server.register(&request, None).await;
        assert_eq!((problem.is_none(), answer.status == 201), (fits, fits), "{problem:?} {answer:?}");
    }
}

/// RFC 9110 13.1.2
#[tokio::test]
async fn scripts_may_read_the_description_and_need_not_read_it_twice() {
    let home = Home::new();
    let server = Server::open(&home);
    let request = server.request(Method::GET, "/openapi.json").header("origin", "https://editor.example");
    let first = Answer::to(request).await;
    assert_eq!(first.header("access-control-allow-origin"), "*");
    let again = server.request(Method::GET, "/openapi.json").header("if-none-match", first.header("etag"));
    assert_eq!(Answer::to(again).await.status, 304);
}

#[test]
fn the_schema_of_the_configuration_is_printed() {
    let ran = Home::new().run("config schema");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(schema["title"], "enroll.toml");
}
