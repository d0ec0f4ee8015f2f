//! How much strangers may make us ask of others.

use enroll_oauth_types::Clock as _;
use enroll_outbound::{FetchError, Limits};
use enroll_testkit::{FakeWeb, WebAnswer};

use crate::{HOST, web};

#[tokio::test]
async fn a_host_is_asked_only_so_often_in_a_minute() {
    let web = FakeWeb::of(&[HOST, "other.example"]).await;
    web.answer("/document", WebAnswer::json("[]"));
    let outbound = web.outbound_within(Limits { per_host_per_minute: 3, ..Limits::default() });
    let nth = |n: u8| web.url(HOST, &format!("/document?{n}"));
    for n in 0..3 {
        outbound.json(&nth(n)).await.unwrap();
    }
    let refused = outbound.json(&nth(3)).await.unwrap_err();
    assert!(matches!(refused, FetchError::Budget { retry_after: 1..=60 }), "{refused}");
    assert_eq!(web.requests("/document").len(), 3);
    assert!(outbound.json(&nth(0)).await.is_ok(), "what is remembered costs nothing");
    assert!(outbound.json(&web.url("other.example", "/document")).await.is_ok());

    web.clock().advance(60);
    assert!(outbound.json(&nth(3)).await.is_ok(), "a refusal for lack of budget is not remembered");
}

#[tokio::test]
async fn what_was_known_is_not_lost_to_strangers_who_use_the_budget_up() {
    let web = web().await;
    web.answer("/document", WebAnswer::json("[]"));
    let limits = Limits { per_host_per_minute: 2, per_address_per_minute: 9, ..Limits::default() };
    let outbound = web.outbound_within(limits);
    let document = web.url(HOST, "/document");
    let use_up = async || {
        for n in 0..2 {
            let _ =
                outbound.json(&web.url(HOST, &format!("/other?{}{n}", web.clock().now().seconds()))).await;
        }
    };
    outbound.json(&document).await.unwrap();
    for (pause, known) in [(300, true), (3_600, false)] {
        web.clock().advance(pause);
        use_up().await;
        assert_eq!(outbound.json(&document).await.is_ok(), known, "after {pause} seconds more");
    }
    web.clock().advance(60);
    assert!(outbound.json(&document).await.is_ok());
}

#[tokio::test]
async fn another_name_for_the_same_address_is_not_another_victim() {
    let names = ["a.example", "b.example", "c.example"];
    let web = FakeWeb::of(&names).await;
    web.answer("/document", WebAnswer::json("[]"));
    let outbound = web.outbound_within(Limits { per_address_per_minute: 2, ..Limits::default() });
    for name in &names[..2] {
        outbound.json(&web.url(name, "/document")).await.unwrap();
    }
    let refused = outbound.json(&web.url(names[2], "/document")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Budget { .. }), "{refused}");
    let refused = outbound.json(&web.url("127.0.0.1", "/document")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Budget { .. }), "{refused}");
    assert_eq!(web.connections(), 2);
}

#[tokio::test]
async fn a_host_is_asked_only_so_much_at_once() {
    let web = web().await;
    web.answer("/slow", WebAnswer::json("[]").held());
    web.answer("/quick", WebAnswer::json("[]"));
    let outbound = web.outbound_within(Limits { per_host_at_once: 1, ..Limits::default() });
    let slow = tokio::spawn({
        let (outbound, url) = (outbound.clone(), web.url(HOST, "/slow"));
        async move { outbound.json(&url).await }
    });
    web.requested("/slow").await;
    assert_eq!(outbound.json(&web.url(HOST, "/quick")).await, Err(FetchError::Busy));
    web.release();
    assert!(slow.await.unwrap().is_ok());
    assert!(outbound.json(&web.url(HOST, "/quick")).await.is_ok(), "its turn is over");
}

/// A stranger whose pictures are on the host of somebody's keys.
#[tokio::test]
async fn pictures_and_keys_do_not_use_up_what_is_for_the_other() {
    const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let web = web().await;
    web.answer("/logo", WebAnswer::document("image/png", PICTURE));
    for slow in ["/slow/0", "/slow/1"] {
        web.answer(slow, WebAnswer::document("image/png", PICTURE).held());
    }
    web.answer("/keys", WebAnswer::json(r#"{"keys":[]}"#));
    let once = Limits { per_host_per_minute: 1, ..Limits::default() };
    let one_address = Limits { per_address_per_minute: 1, ..Limits::default() };
    for limits in [once, one_address] {
        let outbound = web.outbound_within(limits);
        outbound.image(&web.url(HOST, "/logo")).await.unwrap();
        let refused = outbound.image(&web.url(HOST, "/logo?2")).await.unwrap_err();
        assert!(matches!(refused, FetchError::Budget { .. }), "{refused}");
        outbound.jwk_set(&web.url(HOST, "/keys")).await.unwrap();
        outbound.json(&web.url(HOST, "/keys")).await.unwrap();
    }
    let one_of_a_host = Limits { per_host_at_once: 1, ..Limits::default() };
    let one_of_all = Limits { at_once: 1, ..Limits::default() };
    for (path, limits) in [("/slow/0", one_of_a_host), ("/slow/1", one_of_all)] {
        let outbound = web.outbound_within(limits);
        let slow = async { outbound.image(&web.url(HOST, path)).await };
        let meanwhile = async {
            web.requested(path).await;
            assert_eq!(outbound.image(&web.url(HOST, "/logo")).await, Err(FetchError::Busy));
            let keys = outbound.jwk_set(&web.url(HOST, "/keys")).await;
            web.release();
            keys
        };
        let (slow, keys) = tokio::join!(slow, meanwhile);
        assert!(slow.is_ok() && keys.is_ok(), "{slow:?} {keys:?}");
    }
}
