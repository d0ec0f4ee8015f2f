//! What it costs to sign an access token, without anything around it: the library in a loop, on one core.
//!
//! It prints the microseconds of processor time of one.

#![allow(clippy::print_stdout)] // The line is its result.

use std::error::Error;
use std::time::{Duration, Instant};

use enroll_bench::claims;
use enroll_jose::{SigningAlgorithm, SigningKey};
use enroll_oauth_types::Algorithm;

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
    let claims = claims();
    let (begin, before, mut signed) = (Instant::now(), processor_time(), 0_u32);
    while begin.elapsed() < how_long {
        for _ in 0..AT_ONCE {
            std::hint::black_box(key.sign_jwt(Some("at+jwt"), &claims)?);
        }
        signed += AT_ONCE;
    }
    let spent = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    Ok(spent.unwrap_or(begin.elapsed()).as_secs_f64() * 1_000_000.0 / f64::from(signed.max(1)))
}

/// What this thread has spent on a processor, so that neighbours do not count; `None` where there is no `/proc`.
fn processor_time() -> Option<Duration> {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    spent.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
