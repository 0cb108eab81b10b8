//! How this process behaves: what it says and how it stops.

use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};

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
        reader.otherwise("LOG_LEVEL", &log_level);
        if !is_filter(&log_level) {
            reader.complain(format!(
                "LOG_LEVEL must be a level (error, warn, info, debug, trace) or level,module=level, not {log_level:?}"
            ));
        }
        Self { log_level, grace: reader.seconds("SHUTDOWN_GRACE_SECONDS", 25, 0) }
    }
}

/// The parser of filters takes a lone word that is no level for a module, of which everything is then logged, and
/// nothing else.
fn is_filter(text: &str) -> bool {
    let part_is_meant = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
    text.parse::<Targets>().is_ok() && text.split(',').all(part_is_meant)
}
