//! What is counted of every request, each meter looked up once: the recorder takes a while to find one by its labels.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Histogram, counter, histogram};

use crate::telemetry::DURATION;

/// The meters of each route, by method and status.
#[derive(Default)]
pub(super) struct Meters(RwLock<HashMap<String, OfRoute>>);

type OfRoute = HashMap<(&'static str, StatusCode), Meter>;

#[derive(Clone)]
struct Meter {
    duration: Histogram,
    requests: Counter,
}

impl Meters {
    /// Counts a request that was answered. `route` is one that is served, so that there is an end to them.
    pub(super) fn count(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        let meter = self.known(route, method, status).unwrap_or_else(|| self.made(route, method, status));
        meter.duration.record(took);
        meter.requests.increment(1);
    }

    fn known(&self, route: &str, method: &'static str, status: StatusCode) -> Option<Meter> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(route)?.get(&(method, status)).cloned()
    }

    fn made(&self, route: &str, method: &'static str, status: StatusCode) -> Meter {
        let meter = Meter {
            duration: histogram!(DURATION, "route" => route.to_owned(), "method" => method),
            requests: counter!(
                "enroll_http_requests_total",
                "route" => route.to_owned(), "method" => method, "status" => status.as_str().to_owned()
            ),
        };
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.to_owned()).or_default().insert((method, status), meter.clone());
        meter
    }
}
