//! The environment names proxies, which would look names up themselves, unchecked.

use std::net::TcpListener;
use std::process::Command;

use enroll_testkit::WebAnswer;

use crate::{HOST, web};

/// Set in the process that has proxies in its environment.
const MARK: &str = "ENROLL_OUTBOUND_TEST_WITH_PROXY";

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    if std::env::var_os(MARK).is_some() {
        let web = web().await;
        web.answer("/document", WebAnswer::json("[]"));
        web.outbound().json(&web.url(HOST, "/document")).await.unwrap();
        return;
    }
    // The environment of this process is shared by all tests, so it is another process that has the proxies.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "surroundings::a_proxy_of_the_environment_is_not_used"]).env(MARK, "1");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &address);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(proxy.accept().is_err(), "somebody asked the proxy");
}
