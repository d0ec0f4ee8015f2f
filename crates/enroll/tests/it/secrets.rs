//! No secret reaches a log, an error or a metric.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Home, Server};

#[tokio::test]
async fn no_secret_is_in_the_log_at_any_level_nor_in_metrics() {
    for format in ["pretty", "json"] {
        let home = Home::with_config(&format!("[log]\nlevel = \"trace\"\nformat = \"{format}\"\n"));
        home.token("--label first"); // so that the start has no reason to print one
        let server = Server::start(&home, "");
        let token = home.token("");
        let good = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_post" });
        let registered = server.register(&good, Some(&token)).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        let sealed = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_jwt" });
        let sealed = server.register(&sealed, Some(&token)).await;
        assert_eq!(server.read(&registered.json).await.status, 200);

        // What callers do wrong with their secrets: everywhere but where they belong.
        let secret = registered.member("client_secret").to_owned();
        let management = registered.member("registration_access_token").to_owned();
        let path = format!("/connect/dcr/{}", registered.member("client_id"));
        server.register(&good, Some(&management)).await.assert_error(401, "invalid_token");
        server.get(&format!("{path}?access_token={management}")).await;
        let request = server.request(Method::GET, &path).bearer_auth("enr_rat_wrong_but_secret");
        Answer::to(request).await.assert_error(401, "invalid_token");
        let wrong =
            json!({ "redirect_uris": [format!("https://app.example/{secret}#x")], "client_secret": secret });
        let wrong = server.register(&wrong, Some(&token)).await;
        let metrics = server.get("/metrics").await.text;
        let said = format!("{metrics}{}{:?}", server.stop().log, wrong.headers);

        assert!(said.contains("registered a client"), "the log was read: {said}");
        for secret in [&token, &secret, &management, sealed.member("client_secret"), "wrong_but_secret"] {
            assert!(!secret.is_empty() && !said.contains(secret), "{secret} is in\n{said}");
        }
        for prefix in ["enr_iat_", "enr_rat_", "enr_cs_"] {
            assert!(!said.contains(prefix), "{prefix} is in\n{said}");
        }
    }
}
