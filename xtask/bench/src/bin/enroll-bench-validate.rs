//! What it costs to read a registration request and to judge it, without network and store: the dry run, again and
//! again.
//!
//! It prints the microseconds of one, in the median of many short runs.

#![allow(clippy::print_stdout)] // The line is its result.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enroll_access::{Caller, Gate, policy};
use enroll_oauth_types::Capabilities;
use enroll_registration::Registrar;
use enroll_store::MemoryStore;

/// How many requests one reading of the clock stands for.
const AT_ONCE: u32 = 100;
/// Before the first reading: caches fill, the processor wakes up.
const WARM_UP: u32 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name the file whose bytes are judged")?;
    let milliseconds = arguments.next().ok_or("say for how many milliseconds")?.parse()?;
    println!("{:.3}", measure(&std::fs::read(file)?, Duration::from_millis(milliseconds)).await?);
    Ok(())
}

async fn measure(body: &[u8], how_long: Duration) -> Result<f64, Box<dyn Error>> {
    let scopes = ["openid", "profile", "email", "offline_access"];
    let registrar = Registrar::builder("https://id.example/connect/dcr")
        .clients(Arc::new(MemoryStore::default())) // asked for by the builder, not by a dry run
        .capabilities(Capabilities::code_and_client_credentials().with_scopes(scopes))
        .gate(Gate::require(policy::open()))
        .build()?;
    let caller = Caller::anonymous();
    if let Some(refusal) = registrar.explain_body(body, &caller).await?.refusal() {
        return Err(format!("the request is refused: {refusal}").into());
    }
    let mut runs = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < how_long || runs.len() <= WARM_UP as usize {
        let run = Instant::now();
        for _ in 0..AT_ONCE {
            std::hint::black_box(registrar.explain_body(std::hint::black_box(body), &caller).await?);
        }
        runs.push(run.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(AT_ONCE));
    }
    let runs = &mut runs[WARM_UP as usize..];
    runs.sort_by(f64::total_cmp);
    Ok(runs[runs.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_good_request_takes_some_time() {
        let body = include_bytes!("../../../../conformance/peers/request.json");
        assert!(measure(body, Duration::ZERO).await.unwrap() > 0.0);
    }

    #[tokio::test]
    async fn a_refused_request_measures_nothing() {
        assert!(measure(b"{}", Duration::ZERO).await.unwrap_err().to_string().contains("redirect_uris"));
    }
}
