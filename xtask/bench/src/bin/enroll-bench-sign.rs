//! What it costs to sign an access token, without anything around it: the library in a loop, on one core.
//!
//! It prints the microseconds of one.

#![allow(clippy::print_stdout)] // The line is its result.

use std::error::Error;
use std::time::{Duration, Instant};

use enroll_jose::{SigningAlgorithm, SigningKey};
use enroll_oauth_types::Algorithm;
use serde_json::json;

/// How many signatures one reading of the clock stands for.
const AT_ONCE: u32 = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let algorithm = arguments.next().ok_or("name the algorithm")?;
    let milliseconds = arguments.next().ok_or("say for how many milliseconds")?.parse()?;
    let algorithm =
        SigningAlgorithm::of(&Algorithm::from(algorithm.as_str())).ok_or("the algorithm is not known")?;
    println!("{:.3}", measure(algorithm, Duration::from_millis(milliseconds))?);
    Ok(())
}

fn measure(algorithm: SigningAlgorithm, how_long: Duration) -> Result<f64, Box<dyn Error>> {
    let key = SigningKey::generate(algorithm);
    // What a token of client credentials says. RFC 9068 §2.2.
    let claims = json!({
        "iss": "http://127.0.0.1:5001",
        "sub": "01a20b81-7daa-7823-acc7-bb4d76cd1591",
        "aud": "urn:example:api",
        "client_id": "01a20b81-7daa-7823-acc7-bb4d76cd1591",
        "exp": 1_795_492_965,
        "iat": 1_795_489_365,
        "jti": "QMoztIwKtdoXgPBZh_0dkg",
        "scope": "api1",
    });
    let (begin, mut signed) = (Instant::now(), 0_u32);
    while begin.elapsed() < how_long {
        for _ in 0..AT_ONCE {
            std::hint::black_box(key.sign_jwt(Some("at+jwt"), &claims)?);
        }
        signed += AT_ONCE;
    }
    Ok(begin.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(signed.max(1)))
}
