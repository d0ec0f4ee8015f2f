//! What people are told of a scope. OpenID Connect Core 1.0 §5.2, RFC 4647 §3.4.

use enroll_provider::{Catalog, Resource, ScopeMeaning};
use serde_json::json;

use crate::harness::Server;

/// In a language of theirs, or else in that of the rest of the page.
#[tokio::test]
async fn people_are_told_what_a_scope_means_in_the_language_of_the_page() {
    let words = [("de", "Lesen"), ("en", "Read"), ("fr", "Lire")];
    let title = words.iter().map(|(tag, words)| (Some((*tag).to_owned()), (*words).to_owned())).collect();
    let meaning =
        ScopeMeaning { name: "api1".to_owned(), title: Some(title), description: None, claims: Vec::new() };
    let resource = Resource {
        identifier: "https://api.example/1".to_owned(),
        scopes: vec!["api1".to_owned()],
        ..Resource::default()
    };
    let catalog = Catalog::new([resource]).with_scopes([meaning]);
    let server = Server::with(|builder| builder.catalog(catalog)).await;
    let client = server.register(json!({})).await;
    for (locales, told) in [("", "Read"), ("de-CH", "Lesen"), ("fr", "Lire"), ("it", "Read"), ("ja", "Lesen")]
    {
        let mut browser = server.browser();
        let page = browser.goes(&client.asks(&[("scope", "openid api1"), ("ui_locales", locales)])).await;
        let consent = browser.logs_in(page, "alice").await;
        let others = words.iter().filter(|(_, words)| *words != told);
        assert!(consent.body.contains(told), "{locales}: {consent:?}");
        assert!(others.clone().all(|(_, words)| !consent.body.contains(words)), "{locales}: {consent:?}");
    }
}
