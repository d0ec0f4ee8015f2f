//! The pages as a browser gets them.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing must fail")]

#[path = "../../examples/gallery/states.rs"]
mod states;

mod escaping;
mod snapshots;
