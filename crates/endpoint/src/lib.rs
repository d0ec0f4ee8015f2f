//! What every endpoint shares: how a body is read, how an answer is written, who may call from a browser.

mod answer;
mod body;
mod cors;
mod methods;

pub use answer::{error_response, json, never_kept, unavailable};
pub use body::{BodyError, LARGEST_BODY, must_not_be_announced_too_large, read_body};
pub use cors::cors;
pub use methods::only;

/// Where a request came from, as an extension of it: whoever accepts connections puts it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub std::net::IpAddr);
