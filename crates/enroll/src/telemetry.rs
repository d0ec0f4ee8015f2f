//! Logs on standard error, and the recorder of metrics.

use std::io::IsTerminal as _;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::cli::Failure;
use crate::config::{Log, LogFormat};

/// The upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// How often the metrics are tidied up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The name of the duration histogram.
pub(crate) const DURATION: &str = "enroll_http_request_duration_seconds";

/// Starts logging. Called once, by the program.
pub(crate) fn start_logging(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| Failure::Usage(format!("configuration: log.level: {error}")))?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // When nobody reads the log any more, telling so on the same standard error would panic.
    let subscriber = subscriber.log_internal_errors(false);
    match log.format {
        LogFormat::Pretty => {
            subscriber.with_ansi(std::io::stderr().is_terminal()).init();
        }
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Sums up what the histograms have collected, for ever: where nobody asks for metrics it would only grow.
pub(crate) async fn keep_up(metrics: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        metrics.run_upkeep();
    }
}

/// Starts recording metrics. Called once, by the program.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, Failure> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS);
    let handle = builder.and_then(PrometheusBuilder::install_recorder);
    handle.map_err(|error| Failure::World(format!("metrics: {error}")))
}
