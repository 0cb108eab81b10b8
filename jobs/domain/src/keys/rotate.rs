//! A rotation from step to step.

use std::time::Duration;

use queue::{Enqueued, Options, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{COLUMNS, Column, KeysError, RotateKeys, repo};
use crate::access::Vault;

/// Rows of a step: they are locked for milliseconds.
const BATCH: i64 = 500;
/// Between two passes: whoever holds a row speaks with a platform, which takes seconds at most.
const PAUSE: Duration = Duration::from_secs(5);
/// Then what is under another key does not come from who was under way when the key was changed.
const PASSES: u16 = 60;

/// Begins a rotation to the vault's present key; one that is under way goes on instead.
///
/// # Errors
/// [`KeysError::OtherHolders`]; the database refused.
pub async fn order(tx: &mut Tx, vault: &Vault) -> Result<Enqueued, KeysError> {
    let wanted = vault.present();
    let mut others = repo::holders(&mut *tx).await?;
    others.retain(|holder| holder.key != wanted.to_string());
    if !others.is_empty() {
        return Err(KeysError::OtherHolders { wanted, others });
    }
    let first =
        RotateKeys { key: wanted.to_string(), pass: 0, column: 0, after: Uuid::nil(), renewed: 0, unreadable: 0 };
    Ok(queue::enqueue(tx, &first).await?)
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The next one is ordered.
    Ordered,
    /// Every value that can be opened is under the present key.
    Complete(RotateKeys),
}

/// One step. In its transaction the job has been finished.
///
/// # Errors
/// This process has another key, or the rotation finds no end.
pub async fn advance(tx: &mut Tx, vault: &Vault, mut job: RotateKeys) -> Result<Progress, KeysError> {
    let present = vault.present();
    if job.key != present.to_string() {
        return Err(KeysError::OtherKey { wanted: job.key, present });
    }
    if let Some(column) = COLUMNS.get(job.column) {
        let step = renew(&mut *tx, vault, *column, job.after).await?;
        job.renewed += step.renewed;
        job.unreadable += step.unreadable;
        (job.column, job.after) = match step.last {
            Some(last) => (job.column, last),
            None => (job.column + 1, Uuid::nil()),
        };
        fail::fail_point!("keys::rotate::before");
        queue::enqueue(tx, &job).await?;
        return Ok(Progress::Ordered);
    }
    let left: i64 =
        repo::status(&mut *tx).await?.iter().filter(|count| count.key != present).map(|count| count.values).sum();
    if u64::try_from(left).unwrap_or_default() <= job.unreadable {
        return Ok(Progress::Complete(job));
    }
    job.pass += 1;
    if job.pass == PASSES {
        return Err(KeysError::Restless { passes: PASSES, left });
    }
    (job.column, job.after, job.unreadable) = (0, Uuid::nil(), 0);
    queue::enqueue_with(tx, &job, Options { delay: Some(PAUSE), ..Options::default() }).await?;
    Ok(Progress::Ordered)
}

struct Step {
    renewed: u64,
    unreadable: u64,
    /// None: there were no more.
    last: Option<Uuid>,
}

async fn renew(conn: &mut PgConnection, vault: &Vault, column: Column, after: Uuid) -> Result<Step, KeysError> {
    let values = repo::hold(&mut *conn, column, after, vault.present(), BATCH).await?;
    let last = values.last().map(|(row, _)| *row);
    let (mut rows, mut sealed, mut unreadable) = (Vec::new(), Vec::new(), 0);
    for (row, value) in values {
        match vault.renew(column.place(row), &value) {
            Ok(renewed) => {
                rows.push(row);
                sealed.push(renewed.unwrap_or(value));
            }
            Err(error) => {
                unreadable += 1;
                tracing::error!(table = column.table, column = column.name, %row, %error, "a sealed value does not open");
            }
        }
    }
    repo::store(conn, column, &rows, &sealed).await?;
    Ok(Step { renewed: rows.len() as u64, unreadable, last })
}
