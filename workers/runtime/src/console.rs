//! What a person at the terminal is told, on stdout; the log goes to stderr.

use std::io::{self, Write as _};

/// Writes a line. A terminal that went away is no reason to stop a server.
pub(crate) fn say(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}
