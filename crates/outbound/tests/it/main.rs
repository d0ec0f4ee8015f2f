//! What strangers name, fetched from a web that is as hostile as we can script it.

#![allow(clippy::unwrap_used)] // A test may.

mod addresses;
mod answers;
mod budget;
mod cache;
mod log;
mod surroundings;
mod urls;

use enroll_outbound::{FetchError, Limits};
use enroll_testkit::{FakeWeb, WebAnswer};

/// The host that nearly all tests ask.
const HOST: &str = "client.example";

/// A web with one host.
async fn web() -> FakeWeb {
    FakeWeb::of(&[HOST]).await
}

/// What comes of the answer, with default limits.
async fn outcome_of(answer: WebAnswer) -> Result<Vec<u8>, FetchError> {
    outcome_within(answer, Limits::default()).await
}

/// What comes of the answer within these limits.
async fn outcome_within(answer: WebAnswer, limits: Limits) -> Result<Vec<u8>, FetchError> {
    let web = web().await;
    web.answer("/document", answer);
    let fetched = web.outbound_within(limits).json(&web.url(HOST, "/document")).await;
    fetched.map(|document| document.bytes.to_vec())
}
