//! Logs on standard error, and the recorder of metrics.

use std::io::{BufWriter, IsTerminal as _, Stderr, Write};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};
use crate::failure::Failure;

/// The upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// How often the metrics are tidied up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The name of the duration histogram.
pub(crate) const DURATION: &str = "enroll_http_request_duration_seconds";

/// How many lines of the log may wait for a reader of standard error; the next ones are dropped, and counted. A reader
/// that stalls must not hold up those whose requests the lines are about.
const WAITING_LINES: usize = 16 * 1024;

/// How long the thread that writes the log lets lines come together, so that it is not woken for each.
const PAUSE: Duration = Duration::from_millis(2);

/// Standard error, a few lines at a time.
struct Together(BufWriter<Stderr>);

impl Write for Together {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::thread::sleep(PAUSE);
        self.0.flush()
    }
}

/// The lines of the log on their way. Dropping it writes what still waits, for a second at the most.
pub(crate) struct Log {
    _on_their_way: WorkerGuard,
    dropped: ErrorCounter,
}

impl Log {
    /// Tells in the metrics how many lines nobody got to read.
    pub(crate) fn count_dropped(&self) {
        metrics::counter!("enroll_log_lines_dropped_total").absolute(self.dropped.dropped_lines() as u64);
    }
}

/// Starts logging. Called once, by the program.
pub(crate) fn start_logging(config: &LogConfig) -> Result<Log, Failure> {
    let filter = filter(&config.level)
        .map_err(|problem| Failure::Usage(format!("configuration: log.level: {problem}")))?;
    let writer = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
    let (writer, on_their_way) = writer.finish(Together(BufWriter::new(std::io::stderr())));
    let dropped = writer.error_counter();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    // When nobody reads the log any more, telling so on the same standard error would panic.
    let subscriber = subscriber.log_internal_errors(false);
    match config.format {
        LogFormat::Pretty => {
            subscriber.with_ansi(std::io::stderr().is_terminal()).init();
        }
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(Log { _on_their_way: on_their_way, dropped })
}

/// The levels by name; in a directive without `=` anything else would be the name of a module, and silence the rest.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, String> {
    let is_level = |directive: &str| LEVELS.contains(&directive.trim());
    let mut directives = level.split(',');
    match directives.all(|directive| directive.contains('=') || is_level(directive)) {
        true => EnvFilter::try_new(level).map_err(|error| error.to_string()),
        false => Err(format!(
            "must be one of {}, or directives such as info,enroll_registration=debug",
            LEVELS.join(", ")
        )),
    }
}

/// Sums up what the histograms have collected, for ever: where nobody asks for metrics it would only grow.
pub(crate) async fn keep_up(metrics: PrometheusHandle, log: Arc<Log>) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        log.count_dropped();
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
