//! What a person at the terminal is told. Answers go to stdout; what goes wrong and what is waited for, to stderr, where a
//! process that stays otherwise writes its log.

use std::io::{self, IsTerminal as _, Write as _};

/// Writes a line to stdout. A terminal that went away is no reason to stop a server.
pub(crate) fn say(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}

/// Why the process ends now, in plain words. `logs`: it is one that stays, whose stderr somebody may collect as lines of
/// JSON; there the reason is such a line too, and the plain words come last, for whoever reads them in a runner's window.
pub(crate) fn fail(error: &anyhow::Error, logs: bool) {
    if logs && !io::stderr().is_terminal() {
        tracing::error!("{error:#}");
    }
    drop(writeln!(io::stderr(), "memalerts: {error:#}"));
}

/// What a process that stays waits for, before it does anything else.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        drop(writeln!(io::stderr(), "memalerts: {text}"));
    } else {
        tracing::warn!("{text}");
    }
}
