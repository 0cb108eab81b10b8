//! Faults on order, for stories about crashes: `FAILPOINTS="playback::advance::after=kill"`.
//!
//! Only a build with the feature `failpoints` has them (`cargo build -p runtime --features failpoints`, as `make test`
//! does); in any other the points are no code at all, and the variable means nothing.

use anyhow::{Context as _, anyhow};
use nix::sys::signal::{Signal, raise};

/// Arms the points that `FAILPOINTS` names, `name=action` with `;` between them. Beside the actions of crate `fail`
/// (`sleep(ms)`, `panic`, `1*off->pause`, ...) there are four by which the process is gone: `kill` (as by `kill -9`),
/// `abort`,
/// `overflow` (of the stack) and `devour` (all memory that it can get: to be limited by whoever orders it).
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
            "abort" => fail::cfg_callback(name, || std::process::abort()),
            "overflow" => fail::cfg_callback(name, || {
                overflow(&[0; 512]);
            }),
            "devour" => fail::cfg_callback(name, devour),
            action => fail::cfg(name, action),
        }
        .map_err(|error| anyhow!("FAILPOINTS: {one}: {error}"))?;
    }
    Ok(())
}

/// Deeper and deeper, until there is no stack.
#[expect(unconditional_recursion, reason = "that is what was ordered")]
fn overflow(above: &[u64; 512]) -> u64 {
    let mut here = *above;
    here[0] += 1;
    overflow(std::hint::black_box(&here)) + here[0]
}

/// More and more, until there is no room: the allocator's end is the process's. Nothing of it is used, which would only take
/// longer.
fn devour() {
    let mut eaten = Vec::new();
    loop {
        eaten.push(Vec::<u8>::with_capacity(64 << 20));
        std::hint::black_box(&eaten);
    }
}
