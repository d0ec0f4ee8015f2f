//! Whether the process lives, whether it can serve, and what it has counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use enroll_endpoint::error_response;
use enroll_oauth_types::ErrorCode;
use enroll_store_sql::SqlRecords;
use http::{HeaderValue, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Mutex;

use crate::service::Store;

/// `/healthz`, `/readyz`, `/metrics`.
pub(super) fn router(store: Store, records: Option<SqlRecords>, metrics: PrometheusHandle) -> Router {
    let measured = Router::new().route("/metrics", get(counted)).with_state(metrics);
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(Arc::new(Readiness { store, records, last: Mutex::new(None) }))
        .merge(measured)
}

/// The process lives.
async fn healthy() -> Response {
    ok()
}

/// How long an answer to the question stands: whoever asks again and again does not write again and again.
const STANDS: Duration = Duration::from_secs(1);

/// Whether the stores can be used, asked of itself now and then.
struct Readiness {
    store: Store,
    records: Option<SqlRecords>,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    async fn now(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((asked, ready)) = *last
            && asked.elapsed() < STANDS
        {
            return ready;
        }
        let mut answer = self.store.ping().await;
        if let (Ok(()), Some(records)) = (&answer, &self.records) {
            answer = records.ping().await;
        }
        if let Err(error) = &answer {
            tracing::warn!("not ready: {}", crate::failure::with_causes(error));
        }
        *last = Some((Instant::now(), answer.is_ok()));
        answer.is_ok()
    }
}

/// The store reads and writes.
async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    if readiness.now().await {
        return ok();
    }
    let description = "the database cannot be read or written";
    let mut response =
        error_response(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable, description);
    // As long as this answer stands.
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(STANDS.as_secs()));
    response
}

/// The Prometheus text format.
async fn counted(State(metrics): State<PrometheusHandle>) -> Response {
    metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
}

fn ok() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], "{\"status\":\"ok\"}")
        .into_response()
}
