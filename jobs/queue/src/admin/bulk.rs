//! Orders about all jobs that match, batch by batch: nothing is locked for long, and what was done stays done and written
//! down if the one who ordered it goes away.

use serde::Serialize;
use serde_json::json;

use super::{
    Filter,
    audit::{By, note},
    find::{counts, matching},
    order::{Act, apply},
};
use crate::{Database, JobId, settle};

/// Jobs of one transaction.
const BATCH: i64 = 1000;

/// What came of an order about all jobs that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bulk {
    /// Dead and waiting jobs that matched when it began.
    pub matched: i64,
    /// Jobs that it was done to. Fewer, where a job began to run meanwhile, or another one with its dedupe key does the
    /// work.
    pub done: i64,
}

/// Why an order about many jobs was refused.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The filter names nothing, which would mean all jobs.
    #[error("name at least one condition: without any, all jobs are meant")]
    NoCondition,
    /// The filter names this state, in which jobs cannot be acted upon.
    #[error("jobs that are {0} cannot be acted upon: only dead and waiting ones can")]
    State(String),
    /// The database refused; what earlier batches did stays done.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

struct Found {
    id: JobId,
}

/// Does it to every dead or waiting job that matches, as of now; with `dry_run`, only counts them. An audit row a batch.
///
/// # Errors
/// The filter names no condition, or a state that is neither dead nor waiting; or the database refused.
pub async fn all(db: &Database, by: &By, filter: &Filter, act: &Act, dry_run: bool) -> Result<Bulk, BulkError> {
    // Unfinished is all that can be acted upon anyway.
    let narrowed = Filter { state: filter.state.clone().filter(|state| state != "unfinished"), ..filter.clone() };
    if narrowed.is_empty() {
        return Err(BulkError::NoCondition);
    }
    let states: &[&str] = match filter.state.as_deref() {
        None | Some("unfinished") => &["ready", "dead"],
        Some("ready" | "scheduled") => &["ready"],
        Some("dead") => &["dead"],
        Some(other) => return Err(BulkError::State(other.to_owned())),
    };
    let states: Vec<String> = states.iter().map(|state| (*state).to_owned()).collect();
    let (matched, last) = {
        let mut conn = db.pool().acquire().await?;
        let counts = counts(&mut conn, filter).await?;
        let matched = match filter.state.as_deref() {
            Some("ready") => counts.ready,
            Some("scheduled") => counts.scheduled,
            Some("dead") => counts.dead,
            _ => counts.ready + counts.scheduled + counts.dead,
        };
        let last =
            sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "last!" from jobs"#).fetch_one(&mut *conn).await?;
        (matched, last)
    };
    let mut bulk = Bulk { matched, done: 0 };
    if dry_run {
        return Ok(bulk);
    }
    let mut target = json!({ "filter": filter });
    act.describe(&mut target);
    let mut after: JobId = 0;
    loop {
        let mut tx = db.begin().await?;
        let found = matching!(
            Found,
            r#"select id as "id!""#,
            filter,
            "and unfinished and state <> 'running' and id > $10 and id <= $11 order by id limit $12",
            after,
            last,
            BATCH
        )
        .fetch_all(&mut *tx)
        .await?;
        let Some(end) = found.last().map(|job| job.id) else { break };
        let ids: Vec<JobId> = found.into_iter().map(|job| job.id).collect();
        // One that somebody holds is about to run or to change; one that has changed is asked again for its state.
        let locked = sqlx::query_scalar!(
            "select id from jobs where id = any($1) and state = any($2) order by id for update skip locked",
            &ids,
            &states,
        )
        .fetch_all(&mut *tx)
        .await?;
        match apply(&mut tx, &locked, act).await {
            Ok(done) => {
                let done = i64::try_from(done).unwrap_or(i64::MAX);
                if done > 0 {
                    note(&mut tx, by, act.as_str(), target.clone(), Some(done)).await?;
                }
                tx.commit().await?;
                bulk.done += done;
                after = end;
            }
            // Somebody enqueued what one of them folds with: now it is seen.
            Err(error) if settle::is_unique_violation(&error) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bulk)
}
