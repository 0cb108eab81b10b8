//! Pool `imports`: fetches memes from the addresses that people have named. Its README says what becomes of what.

mod fetch_import;

use std::sync::Arc;

use blobs::Blobs;
use queue::Workers;

/// Fetches at the same time; each waits for somebody else.
const AT_ONCE: usize = 8;

/// What the pool must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// From where, and how.
    pub egress: egress::Settings,
    /// Bytes of the largest file.
    pub max_bytes: u64,
}

/// What its handlers share.
#[derive(Debug)]
struct Pool {
    blobs: Blobs,
    client: egress::Client,
    max_bytes: u64,
    patience: std::time::Duration,
}

/// The pool's handlers.
///
/// # Errors
/// No HTTP client can be built on this machine.
pub fn workers(blobs: Blobs, settings: Settings) -> reqwest::Result<Workers> {
    let Settings { egress, max_bytes } = settings;
    let patience = egress.patience;
    let pool = Arc::new(Pool { blobs, client: egress::Client::new(egress)?, max_bytes, patience });
    Ok(Workers::new("imports", AT_ONCE).handle(move |ctx, job| fetch_import::handle(ctx, job, pool.clone())))
}
