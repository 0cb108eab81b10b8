//! Who did what by hand.

use serde::Serialize;
use sqlx::PgConnection;
use time::{OffsetDateTime, serde::rfc3339};

/// Who acts.
#[derive(Debug, Clone)]
pub struct By {
    /// `user:<login>`, or `os:<name>` of a command line.
    pub actor: String,
    /// The request that orders it, if it is one.
    pub request: Option<String>,
}

/// One act.
#[derive(Debug, Clone, Serialize)]
pub struct ActView {
    /// Ascending.
    pub id: i64,
    /// When it was done.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// As [`By::actor`].
    pub actor: String,
    /// `retry`, `discard`, `reschedule`, `pause`, `resume`, `pause_worker`, `resume_worker`, `limit`, `unlimit`, or what the program
    /// gave to [`note`].
    pub act: String,
    /// One job's id, the conditions of many, or a pool and a worker; and why. Of a limit and a pause also how it was `before`. Of the
    /// program's own acts what it gave.
    pub target: serde_json::Value,
    /// Jobs that it changed; none where it was not about jobs.
    pub jobs: Option<i64>,
    /// As [`By::request`].
    pub request: Option<String>,
}

/// Newest first.
#[derive(Debug, Clone, Serialize)]
pub struct ActPage {
    /// The acts, the newest first.
    pub acts: Vec<ActView>,
    /// `before` of the next page; none on the last.
    pub next: Option<i64>,
}

/// The acts before this one, or the newest; at most `limit`, 1 to 500.
///
/// # Errors
/// The database refused.
pub async fn acts(conn: &mut PgConnection, before: Option<i64>, limit: u16) -> Result<ActPage, sqlx::Error> {
    let limit = usize::from(limit.clamp(1, 500));
    let mut acts = sqlx::query_as!(
        ActView,
        "select id, at, actor, act, target, jobs, request from job_acts
         where $1::bigint is null or id < $1 order by id desc limit $2",
        before,
        i64::try_from(limit + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(conn)
    .await?;
    let more = acts.len() > limit;
    acts.truncate(limit);
    let next = if more { acts.last().map(|act| act.id) } else { None };
    Ok(ActPage { acts, next })
}

/// Writes an act down, in the transaction that does it. `act` is a word of `a-z` and `_`; `jobs` is how many of them it
/// changed, if it is about jobs.
///
/// # Errors
/// The database refused.
pub async fn note(
    conn: &mut PgConnection,
    by: &By,
    act: &str,
    target: serde_json::Value,
    jobs: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into job_acts (actor, act, target, jobs, request) values ($1, $2, $3, $4, $5)",
        by.actor,
        act,
        target,
        jobs,
        by.request,
    )
    .execute(conn)
    .await?;
    Ok(())
}
