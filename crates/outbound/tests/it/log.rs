//! What an operator learns of the fetches.

use std::io;
use std::sync::{Arc, Mutex};

use enroll_testkit::{FakeWeb, WebAnswer};
use metrics_exporter_prometheus::PrometheusBuilder;

/// A host that no other test asks.
const HOST: &str = "logged.example";

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_fetch_that_goes_out_is_logged_and_counted() {
    let lines = Lines::default();
    let writer = lines.clone();
    // For all tests, since what one thread finds unlogged is taken to be so in all. What others log is left out below.
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();
    let recorder = PrometheusBuilder::new().build_recorder();
    let _metrics = metrics::set_default_local_recorder(&recorder);

    let web = FakeWeb::of(&[HOST]).await;
    web.answer("/path", WebAnswer::json("[]"));
    web.names().always("logged-within.example", &["10.0.0.1".parse().unwrap()]);
    let outbound = web.outbound();
    for _ in 0..2 {
        outbound.json(&web.url(HOST, "/path?key=secret")).await.unwrap();
    }
    outbound.json(&web.url(HOST, "/nothing")).await.unwrap_err();
    outbound.json("https://logged-within.example/").await.unwrap_err();
    outbound.json("https://not a url").await.unwrap_err();

    let all = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let text = all.lines().filter(|line| line.contains("logged")).collect::<Vec<_>>().join("\n");
    let fetched = |words: &str| text.lines().filter(|line| line.contains(words)).count();
    assert_eq!(fetched("fetched 2 bytes from `logged.example`"), 1, "{text}");
    assert_eq!(fetched("fetched nothing from `logged.example`: the host answered 404, not 200"), 1, "{text}");
    assert_eq!(fetched("fetched nothing from `logged-within.example`"), 1, "{text}");
    assert_eq!(
        fetched("`logged-within.example` leads to 10.0.0.1, which is not a public address"),
        1,
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("/path"), "{text}");

    let metrics = recorder.handle().render();
    for (outcome, count) in [("fetched", 1), ("status", 1), ("not_public", 1)] {
        let line = format!("enroll_outbound_fetches_total{{outcome=\"{outcome}\"}} {count}");
        assert!(metrics.contains(&line), "{metrics}");
    }
}
