//! What hosts answer: redirects, sizes, speeds, encodings, types.

use std::time::Duration;

use enroll_outbound::{FetchError, Limits, Media};
use enroll_testkit::{FakeWeb, WebAnswer};

use crate::{HOST, outcome_of, outcome_within, web};

fn hasty() -> Limits {
    Limits { total: Duration::from_millis(200), ..Limits::default() }
}

fn small() -> Limits {
    Limits { body: 10, ..Limits::default() }
}

#[tokio::test]
async fn a_document_comes_as_it_was_sent() {
    let web = web().await;
    web.answer("/jwks", WebAnswer::document("Application/JWK-Set+JSON; charset=utf-8", "{ \"keys\": [] }"));
    let document = web.outbound().jwk_set(&web.url(HOST, "/jwks?v=1")).await.unwrap();
    assert_eq!(&document.bytes[..], b"{ \"keys\": [] }");
    assert_eq!(document.media_type, "application/jwk-set+json");
}

#[tokio::test]
async fn the_request_says_what_is_wanted_and_nothing_of_anybody() {
    let web = web().await;
    web.answer(
        "/document",
        WebAnswer::json("{}").header("Set-Cookie", "a=b; Path=/").header("Cache-Control", "max-age=0"),
    );
    let outbound = web.outbound();
    let url = web.url(HOST, "/document?a=b#fragment");
    outbound.json(&url).await.unwrap();
    web.clock().advance(3600);
    outbound.json(&url).await.unwrap();
    for request in web.requests("/document") {
        let request = request.to_ascii_lowercase();
        assert!(request.starts_with("get /document?a=b http/1.1\r\n"), "{request}");
        assert!(request.contains("accept: application/json\r\n"), "{request}");
        assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
        assert!(request.contains("user-agent: enroll/"), "{request}");
        for absent in ["cookie", "referer", "authorization"] {
            assert!(!request.contains(absent), "{request}");
        }
    }
    assert_eq!(web.requests("/document").len(), 2);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let web = web().await;
    web.answer("/elsewhere", WebAnswer::json("{}"));
    let outbound = web.outbound();
    for status in [301, 302, 303, 307, 308] {
        let path = format!("/moved/{status}");
        web.answer(&path, WebAnswer::redirect(status, &web.url(HOST, "/elsewhere")));
        let error = outbound.json(&web.url(HOST, &path)).await.unwrap_err();
        assert_eq!(error, FetchError::Redirect(status));
    }
    assert_eq!(web.requests("/elsewhere").len(), 0);
}

#[tokio::test]
async fn only_200_is_good() {
    for status in [201, 203, 204, 206, 400, 401, 403, 404, 410, 429, 500, 503] {
        let outcome = outcome_of(WebAnswer::json("{}").status(status)).await;
        assert_eq!(outcome, Err(FetchError::Status(status)));
    }
}

#[tokio::test]
async fn a_body_that_drips_without_end_is_given_up() {
    let outcome = outcome_within(WebAnswer::json("[").dripping(), hasty()).await;
    assert_eq!(outcome, Err(FetchError::Timeout));
}

#[tokio::test]
async fn headers_that_never_come_are_given_up() {
    assert_eq!(outcome_within(WebAnswer::silent(), hasty()).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn headers_that_drip_are_given_up() {
    assert_eq!(outcome_within(WebAnswer::dripping_headers(), hasty()).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn a_stated_length_beyond_the_limit_is_refused_unread() {
    let at_the_limit = outcome_within(WebAnswer::json("0123456789"), small()).await;
    assert_eq!(at_the_limit.unwrap(), b"0123456789");
    let beyond = outcome_within(WebAnswer::json("0123456789a"), small()).await;
    assert_eq!(beyond, Err(FetchError::TooLong(10)));
}

#[tokio::test]
async fn an_unstated_length_beyond_the_limit_is_refused() {
    let at_the_limit = outcome_within(WebAnswer::json("0123456789").of_unstated_length(), small()).await;
    assert_eq!(at_the_limit.unwrap(), b"0123456789");
    let beyond = outcome_within(WebAnswer::json("0123456789a").of_unstated_length(), small()).await;
    assert_eq!(beyond, Err(FetchError::TooLong(10)));
    // Without a limit of its own this one would go on until the time is up.
    let endless = outcome_within(WebAnswer::json("[").dripping(), small()).await;
    assert_eq!(endless, Err(FetchError::TooLong(10)));
}

#[tokio::test]
async fn a_compressed_document_is_refused() {
    for encoding in ["gzip", "GZIP", "br", "zstd", "deflate", "identity, gzip", ""] {
        let outcome = outcome_of(WebAnswer::json("{}").header("Content-Encoding", encoding)).await;
        assert_eq!(outcome, Err(FetchError::Encoded), "{encoding}");
    }
    let plain = outcome_of(WebAnswer::json("{}").header("Content-Encoding", "identity")).await;
    assert_eq!(plain.unwrap(), b"{}");
}

#[tokio::test]
async fn a_document_of_another_type_is_refused() {
    for other in ["text/html", "text/plain", "application/javascript", "application/octet-stream"] {
        let outcome = outcome_of(WebAnswer::document(other, "{}")).await;
        assert_eq!(outcome, Err(FetchError::MediaType(Media::Json)), "{other}");
    }
}

#[tokio::test]
async fn a_document_of_no_type_or_of_two_is_refused() {
    assert_eq!(outcome_of(WebAnswer::untyped("{}")).await, Err(FetchError::MediaType(Media::Json)));
    let two = WebAnswer::json("{}").header("Content-Type", "text/html");
    assert_eq!(outcome_of(two).await, Err(FetchError::MediaType(Media::Json)));
}

#[tokio::test]
async fn a_connection_that_closes_in_the_middle_gives_no_document() {
    assert_eq!(outcome_of(WebAnswer::json("[]").broken_off()).await, Err(FetchError::Broken));
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_refused() {
    assert_eq!(outcome_of(WebAnswer::raw("SSH-2.0-server\r\n")).await, Err(FetchError::Broken));
    assert_eq!(outcome_of(WebAnswer::raw("")).await, Err(FetchError::Broken));
}

#[tokio::test]
async fn an_answer_with_two_lengths_is_refused() {
    let smuggled = WebAnswer::json("[]").header("Content-Length", "1");
    assert_eq!(outcome_of(smuggled).await, Err(FetchError::Broken));
}

/// RFC 7591 §5: a logo is shown to people who decide by it.
#[tokio::test]
async fn a_picture_is_fetched_when_it_is_one() {
    let png = b"\x89PNG\r\n\x1a\n...".to_vec();
    for (answer, good) in [
        (WebAnswer::document("image/png", png.clone()), true),
        (WebAnswer::document("image/gif", png.clone()), false),
        (WebAnswer::document("image/svg+xml", "<svg/>"), false),
        (WebAnswer::document("text/html", png), false),
    ] {
        let web = FakeWeb::of(&[HOST]).await;
        web.answer("/logo", answer);
        let picture = web.outbound().image(&web.url(HOST, "/logo")).await;
        match good {
            true => assert_eq!(picture.unwrap().media_type, "image/png"),
            false => assert_eq!(picture, Err(FetchError::MediaType(Media::Image))),
        }
    }
}
