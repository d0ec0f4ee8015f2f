//! Requests as clients send them and as they do not: those of the cases, mixed member by member.

use std::sync::LazyLock;

use enroll_access::Ceilings;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::cases;

/// A member with a value that some case sends.
type Sent = (String, Value);

/// What the cases send: whole requests that are accepted, and members of accepted and of refused ones.
struct Seeds {
    whole: Vec<Value>,
    good: Vec<Sent>,
    odd: Vec<Sent>,
}

static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let mut seeds = Seeds { whole: Vec::new(), good: Vec::new(), odd: Vec::new() };
    for case in cases::all() {
        let accepted = case.is_accepted();
        let Some(request) = case.request else { continue };
        let into = if accepted { &mut seeds.good } else { &mut seeds.odd };
        for (name, value) in request.as_object().unwrap() {
            let sent = (name.clone(), value.clone());
            // One of each, or most requests would differ in nothing but their redirect URI.
            if !into.contains(&sent) {
                into.push(sent);
            }
        }
        if accepted {
            seeds.whole.push(request);
        }
    }
    seeds
});

/// A request that starts from a whole one and has other members laid over it, most of them good by themselves.
pub(super) fn request() -> impl Strategy<Value = Value> {
    let plain = json!({ "redirect_uris": ["https://app.example/cb"] });
    let whole = prop_oneof![Just(plain), prop::sample::select(&*SEEDS.whole)];
    let good = prop::collection::vec(prop::sample::select(&*SEEDS.good), 0..6);
    let odd = prop::collection::vec(prop::sample::select(&*SEEDS.odd), 1..3);
    let odd = prop::option::weighted(0.15, odd);
    let seconds = prop::option::weighted(0.3, lifetime());
    (whole, good, odd, seconds).prop_map(|(mut whole, good, odd, seconds)| {
        let over = good.into_iter().chain(odd.unwrap_or_default()).chain(seconds);
        whole.as_object_mut().unwrap().extend(over.collect::<Map<_, _>>());
        whole
    })
}

/// A lifetime from nothing to more than any policy grants.
fn lifetime() -> impl Strategy<Value = Sent> {
    let seconds = prop_oneof![0..100_u32, 0..100_000_u32, Just(2_147_483_647_u32)];
    (prop::sample::select([Ceilings::MEMBERS, &["default_max_age"]].concat()), seconds)
        .prop_map(|(name, value)| (name.to_owned(), value.into()))
}
