//! What the process says about itself: logs as JSON lines on stderr, metrics on a loopback port.

mod json;
mod metrics;

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt::{self, format::JsonFields},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use self::metrics::{Metrics, install as install_metrics};

/// Starts logging at `level` (as `LOG_LEVEL` is written). Every line on stderr is one JSON object, panics included, but
/// for the plain words with which a process that fails ends.
pub fn init(level: &str) {
    let mut filter = level.parse::<Targets>().unwrap_or_default();
    // "relation exists, skipping" is what a migration that ran before says.
    if !level.contains("sqlx::postgres::notice") {
        filter = filter.with_target("sqlx::postgres::notice", LevelFilter::WARN);
    }
    let layer = fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(json::Lines)
        .with_writer(std::io::stderr)
        .with_filter(filter);
    // A second call (tests) keeps the first subscriber.
    drop(tracing_subscriber::registry().with(layer).try_init());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, backtrace = %std::backtrace::Backtrace::capture(), "panic: {message}");
    }));
}
