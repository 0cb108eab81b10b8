//! Faults on order, for stories about crashes: `FAILPOINTS="playback::advance::after=kill"`.
//!
//! Only a build with the feature `failpoints` has them (`cargo build -p runtime --features failpoints`, as `make test`
//! does); in any other the points are no code at all, and the variable means nothing.

use anyhow::{Context as _, anyhow};
use nix::sys::signal::{Signal, raise};

/// Arms the points that `FAILPOINTS` names, `name=action` with `;` between them. Beside the actions of crate `fail`
/// (`sleep(ms)`, `panic`, `1*off->pause`, ...) there is `kill`: the process is gone at once, as by `kill -9`.
///
/// # Errors
/// What cannot be understood.
pub(crate) fn arm() -> anyhow::Result<()> {
    if !fail::has_failpoints() {
        return Ok(());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "no setting of the system: no release has it, and it counts before they do"
    )]
    let wanted = std::env::var("FAILPOINTS").unwrap_or_default();
    for one in wanted.split(';').map(str::trim).filter(|one| !one.is_empty()) {
        let (name, action) = one.split_once('=').with_context(|| format!("FAILPOINTS: {one} is no name=action"))?;
        match action {
            "kill" => fail::cfg_callback(name, || {
                let _ = raise(Signal::SIGKILL);
            }),
            action => fail::cfg(name, action),
        }
        .map_err(|error| anyhow!("FAILPOINTS: {one}: {error}"))?;
    }
    Ok(())
}
