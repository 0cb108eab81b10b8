//! Lines from all connections, kept in batches: many lines an insert, few milliseconds late.

use std::time::Duration;

use domain::{
    chat::{self, RawLine},
    outbox::Provider,
};
use metrics::counter;
use queue::{Database, EnqueueError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

const MAX_LINES: usize = 500;
/// After the first line of a batch, others may join for this long.
const LINGER: Duration = Duration::from_millis(40);
/// When the process stops and the database does not take the last lines, they are given up after this long.
const LAST_TRIES: Duration = Duration::from_secs(5);

/// Runs until all connections are gone and their lines are kept.
pub(super) async fn run(db: Database, platform: Provider, mut lines: mpsc::Receiver<RawLine>, stop: CancellationToken) {
    while let Some(first) = lines.recv().await {
        let mut batch = vec![first];
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        while batch.len() < MAX_LINES {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => batch.push(line),
                    None => break,
                },
                () = &mut linger => break,
            }
        }
        keep(&db, platform, &batch, &stop).await;
    }
}

/// Tries until the database takes it. A batch that was kept although the answer was lost is kept twice: its messages are
/// recorded once.
async fn keep(db: &Database, platform: Provider, batch: &[RawLine], stop: &CancellationToken) {
    let mut wait = Duration::from_millis(100);
    let mut stopping: Option<tokio::time::Instant> = None;
    loop {
        let Err(error) = write(db, platform, batch).await else {
            counter!(telemetry::LINES).increment(batch.len() as u64);
            counter!(telemetry::BATCHES).increment(1);
            return;
        };
        tracing::warn!(%error, lines = batch.len(), "chat lines wait for the database");
        if stop.is_cancelled() {
            let since = *stopping.get_or_insert_with(tokio::time::Instant::now);
            if since.elapsed() >= LAST_TRIES {
                tracing::error!(
                    lines = batch.len(),
                    "chat lines are lost: the database did not take them before the end"
                );
                return;
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

async fn write(db: &Database, platform: Provider, batch: &[RawLine]) -> Result<(), EnqueueError> {
    let mut tx = db.begin().await?;
    chat::receive(&mut tx, platform, batch).await?;
    tx.commit().await?;
    Ok(())
}
