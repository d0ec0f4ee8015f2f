//! Whether the process lives, whether it can serve, and what it has counted.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use enroll_oauth_types::ErrorCode;
use enroll_registration::error_response;
use enroll_store_sql::SqlStore;
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;

/// `/healthz`, `/readyz`, `/metrics`.
pub(super) fn router(store: Arc<SqlStore>, metrics: PrometheusHandle) -> Router {
    let measured = Router::new().route("/metrics", get(counted)).with_state(metrics);
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(store)
        .merge(measured)
}

/// The process lives.
async fn healthy() -> Response {
    ok()
}

/// The store reads and writes.
async fn ready(State(store): State<Arc<SqlStore>>) -> Response {
    match store.ping().await {
        Ok(()) => ok(),
        Err(error) => {
            tracing::warn!("not ready: {}", crate::cli::with_causes(&error));
            let description = "the database does not answer";
            error_response(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable, description)
        }
    }
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
