//! The only way from this server to addresses that a client, a document or a statement named.
//!
//! Whoever may register may name addresses: of keys, of redirect URIs, of metadata. Fetched without care, they make the
//! server a way into the network it stands in, or a weapon against others. So: https only; the name is resolved once,
//! each of its addresses must be public, and one of those is connected to; no redirects, no proxies, no cookies, no
//! compression; limits for size, time, and the number of fetches; answers and failures are remembered for a while. Each
//! fetch that goes out is logged, and counted as `enroll_outbound_fetches_total`.
//!
//! This crate knows documents, not what is in them. See RFC 7591 §5 and OpenID Connect Registration 1.0 §9.

mod address;
mod budget;
mod cache;
mod error;
mod fetch;
mod limits;
mod media;
mod outbound;
mod reach;
mod resolve;
mod target;

pub use error::FetchError;
pub use fetch::Document;
pub use limits::Limits;
pub use media::Media;
pub use outbound::{BuildError, Builder, Outbound};
pub use resolve::{Resolve, SystemResolver};
