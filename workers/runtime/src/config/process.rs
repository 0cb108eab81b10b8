//! How this process behaves: what it says and how it stops.

use std::time::Duration;

use super::Reader;

#[derive(Debug, Clone)]
pub struct Process {
    /// `LOG_LEVEL`: what is logged, as `level` or `level,module=level`. Default info.
    pub log_level: String,
    /// `SHUTDOWN_GRACE_SECONDS`: how long running jobs and requests may take to end after the first signal. Default 25.
    pub grace: Duration,
}

impl Process {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let log_level = reader.text("LOG_LEVEL").unwrap_or_else(|| "info".to_owned());
        if log_level.parse::<tracing_subscriber::filter::Targets>().is_err() {
            reader.complain(format!(
                "LOG_LEVEL must be a level (error, warn, info, debug, trace) or level,module=level, not {log_level:?}"
            ));
        }
        Self { log_level, grace: reader.seconds("SHUTDOWN_GRACE_SECONDS", 25, 0) }
    }
}
