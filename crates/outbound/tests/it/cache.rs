//! What is remembered, and for how long.

use std::time::Duration;

use enroll_outbound::{FetchError, Limits, Media};
use enroll_testkit::WebAnswer;

use crate::{HOST, web};

fn limits() -> Limits {
    Limits {
        keep_at_least: Duration::from_secs(10),
        keep: Duration::from_mins(5),
        keep_at_most: Duration::from_hours(1),
        keep_failure: Duration::from_secs(30),
        refetch_after: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// How often the host is asked when the document is wanted now, and again after each of these times.
async fn requests(answer: WebAnswer, pauses: &[u64]) -> usize {
    let web = web().await;
    web.answer("/document", answer);
    let outbound = web.outbound_within(limits());
    let url = web.url(HOST, "/document");
    let first = outbound.json(&url).await;
    for pause in pauses {
        web.clock().advance(*pause);
        assert_eq!(outbound.json(&url).await, first);
    }
    web.requests("/document").len()
}

#[tokio::test]
async fn a_document_is_fetched_once_while_it_holds() {
    assert_eq!(requests(WebAnswer::json("[]"), &[0, 299]).await, 1);
    assert_eq!(requests(WebAnswer::json("[]"), &[300]).await, 2);
}

/// RFC 9111 §5.2.2.1
#[tokio::test]
async fn a_host_says_how_long_its_document_holds() {
    let answer = || WebAnswer::json("[]").header("Cache-Control", "max-age=60");
    assert_eq!(requests(answer(), &[59]).await, 1);
    assert_eq!(requests(answer(), &[60]).await, 2);
}

#[tokio::test]
async fn no_document_is_kept_longer_than_we_want() {
    let answer = || WebAnswer::json("[]").header("Cache-Control", "max-age=31536000, immutable");
    assert_eq!(requests(answer(), &[3599]).await, 1);
    assert_eq!(requests(answer(), &[3600]).await, 2);
}

#[tokio::test]
async fn no_store_does_not_make_us_ask_at_every_turn() {
    let answer = || WebAnswer::json("[]").header("Cache-Control", "no-store");
    assert_eq!(requests(answer(), &[9]).await, 1);
    assert_eq!(requests(answer(), &[10]).await, 2);
}

#[tokio::test]
async fn a_failure_is_remembered_too() {
    let answer = || WebAnswer::json("[]").status(500);
    assert_eq!(requests(answer(), &[0, 29]).await, 1);
    assert_eq!(requests(answer(), &[30]).await, 2);
}

#[tokio::test]
async fn a_fragment_makes_no_other_document_and_a_query_does() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]"));
    let outbound = web.outbound();
    for url in ["/document", "/document#a", "/document#b", "/document?a"] {
        outbound.json(&web.url(HOST, url)).await.unwrap();
    }
    assert_eq!(web.requests("/document").len(), 2);
}

#[tokio::test]
async fn many_who_want_a_document_at_once_cause_one_fetch() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]").held());
    let (outbound, url) = (web.outbound(), web.url(HOST, "/document"));
    let fetches: Vec<_> = (0..20)
        .map(|_| {
            let (outbound, url) = (outbound.clone(), url.clone());
            tokio::spawn(async move { outbound.json(&url).await })
        })
        .collect();
    web.requested("/document").await;
    web.release();
    for fetch in fetches {
        assert!(fetch.await.unwrap().is_ok());
    }
    assert_eq!(web.requests("/document").len(), 1);
}

#[tokio::test]
async fn who_waits_goes_on_when_the_one_that_asked_gives_up() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]").held());
    let (outbound, url) = (web.outbound(), web.url(HOST, "/document"));
    let asking = tokio::spawn({
        let (outbound, url) = (outbound.clone(), url.clone());
        async move { outbound.json(&url).await }
    });
    web.requested("/document").await;
    let waiting = tokio::spawn(async move { outbound.json(&url).await });
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    web.answer("/document", WebAnswer::json("[1]"));
    assert_eq!(&waiting.await.unwrap().unwrap().bytes[..], b"[1]");
}

#[tokio::test]
async fn a_document_can_be_fetched_anew_but_not_at_every_turn() {
    let web = web().await;
    let outbound = web.outbound_within(limits());
    let url = web.url(HOST, "/jwks");
    web.answer("/jwks", WebAnswer::json("1"));
    outbound.jwk_set(&url).await.unwrap();
    web.answer("/jwks", WebAnswer::json("2"));

    web.clock().advance(19);
    let early = outbound.refetch(&url, Media::JwkSet).await.unwrap();
    assert_eq!(&early.bytes[..], b"1");
    web.clock().advance(1);
    let late = outbound.refetch(&url, Media::JwkSet).await.unwrap();
    assert_eq!(&late.bytes[..], b"2");
    assert_eq!(&outbound.jwk_set(&url).await.unwrap().bytes[..], b"2", "and it is remembered");
}

#[tokio::test]
async fn a_host_that_fails_when_asked_anew_does_not_lose_what_it_said() {
    let web = web().await;
    let outbound = web.outbound_within(limits());
    let url = web.url(HOST, "/jwks");
    web.answer("/jwks", WebAnswer::json("1"));
    outbound.jwk_set(&url).await.unwrap();
    web.answer("/jwks", WebAnswer::json("2").status(500));
    web.clock().advance(20);
    for _ in 0..3 {
        assert_eq!(&outbound.refetch(&url, Media::JwkSet).await.unwrap().bytes[..], b"1");
    }
    assert_eq!(web.requests("/jwks").len(), 2);
    web.clock().advance(280);
    assert_eq!(
        outbound.jwk_set(&url).await,
        Err(FetchError::Status(500)),
        "but not for longer than it holds"
    );
}

#[tokio::test]
async fn what_the_cache_holds_has_an_end() {
    let web = web().await;
    let outbound = web.outbound_within(Limits { cache: 10_000, per_host_per_minute: 1000, ..limits() });
    web.answer("/document", WebAnswer::json("1".repeat(4000)));
    for n in 0..20 {
        outbound.json(&web.url(HOST, &format!("/document?{n}"))).await.unwrap();
    }
    outbound.json(&web.url(HOST, "/document?0")).await.unwrap();
    assert_eq!(web.requests("/document").len(), 21);
}
