//! The claim: one statement that hands out up to n due jobs of a pool, each to exactly one owner.
//!
//! Promises: largest priority first, then longest due, then first enqueued; jobs with an order key one at a time and
//! never before an earlier unfinished one; nothing from paused pools or in a paused process; no payload version newer than this process reads;
//! the attempt is counted and committed before the handler can run.

use std::{sync::Arc, time::Duration};

use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::{JobId, Kind};

/// A row that this process owns now.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: JobId,
    pub(crate) token: i64,
    pub(crate) kind: String,
    pub(crate) version: i16,
    pub(crate) payload: String,
    pub(crate) attempt: i16,
    pub(crate) crashes: i16,
    pub(crate) trace: Option<Arc<str>>,
    /// It has an order key: its end lets a successor run.
    pub(crate) ordered: bool,
    /// It has a wake-up key.
    pub(crate) wake: bool,
    /// Seconds that it was due before we took it.
    pub(crate) waited: f64,
}

/// What the claim must know of the kinds that this process runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    names: Vec<String>,
    versions: Vec<i16>,
    timeouts_ms: Vec<i64>,
}

impl Known {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        let mut known = Self::default();
        for kind in kinds {
            known.names.push(kind.name.to_owned());
            known.versions.push(kind.version);
            known.timeouts_ms.push(millis(kind.timeout));
        }
        known
    }
}

/// As PostgreSQL can add it to a time.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 1_000_000)
}

/// What one claim found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    /// The time by which due was judged: what comes due after it was not seen.
    pub(crate) at: OffsetDateTime,
}

/// Claims up to `limit` due jobs under one new token.
pub(crate) async fn claim(
    conn: impl PgExecutor<'_>,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    limit: i64,
) -> Result<Found, sqlx::Error> {
    // `levels` steps from priority to priority through the index, so that a mass of later jobs of a high priority is
    // never walked; `heads` steps from order key to order key, so that a long line behind one key is not walked either.
    // Jobs of unknown kinds are claimed too: the runner buries them with a reason.
    let mut rows = sqlx::query!(
        r#"with recursive clock as materialized (
            select app_now() as now,
                exists (select 1 from job_workers w where w.id = $5 and $1 <> all (w.paused))
                    and not exists (select 1 from job_pauses p where p.pool = $1) as open
        ), levels as (
            (select priority from jobs
             where (select open from clock) and pool = $1 and state = 'ready' and order_key is null
             order by priority desc limit 1)
            union all
            select (select j.priority from jobs j
                    where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.priority < l.priority
                    order by j.priority desc limit 1)
            from levels l where l.priority is not null
        ), heads as (
            (select id, order_key from jobs
             where (select open from clock) and pool = $1 and order_key is not null and state in ('ready', 'running')
             order by order_key, id limit 1)
            union all
            select n.id, n.order_key from heads h cross join lateral (
                select j.id, j.order_key from jobs j
                where j.pool = $1 and j.order_key > h.order_key and j.state in ('ready', 'running')
                order by j.order_key, j.id limit 1
            ) n
        ), plain as (
            select c.id, c.priority, c.run_at from levels l cross join lateral (
                select j.id, j.priority, j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.priority = l.priority
                    and j.run_at <= (select now from clock)
                    and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                order by j.run_at, j.id
                limit $7
                for update skip locked
            ) c
            where l.priority is not null
            limit $7
        ), keyed as (
            select j.id, j.priority, j.run_at from heads h join jobs j on j.id = h.id
            where j.state = 'ready' and j.run_at <= (select now from clock)
                and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                -- One that began before an earlier one had committed.
                and not exists (
                    select 1 from jobs e where e.pool = $1 and e.order_key = h.order_key and e.state = 'running')
            order by j.priority desc, j.run_at, j.id
            limit $7
            for update of j skip locked
        ), picked as (
            select id from (select * from plain union all select * from keyed) both_kinds
            order by priority desc, run_at, id
            limit $7
        ), taken as (
            update jobs j set state = 'running', token = $6, worker = $5, attempts = attempts + 1,
                claimed_at = (select now from clock),
                deadline = machine_now()
                    + coalesce(($4::bigint[])[array_position($2::text[], j.kind)], 60000) * interval '1 millisecond'
            from picked
            where j.id = picked.id
            returning j.*
        )
        select c.now as "now!", t.id as "id?", t.kind as "kind?", t.version as "version?", t.payload::text as "payload?",
            t.attempts as "attempts?", t.crashes as "crashes?", t.trace as "trace?", t.order_key is not null as "ordered!",
            t.wake_key is not null as "wake!",
            greatest(extract(epoch from t.claimed_at - t.run_at), 0)::float8 as "waited?"
        from clock c left join taken t on true
        -- A set of rows that were updated has no order of its own.
        order by t.priority desc, t.run_at, t.id"#,
        pool,
        &known.names,
        &known.versions,
        &known.timeouts_ms,
        worker,
        token,
        limit,
    )
    .fetch_all(conn)
    .await?;
    // There is always one row, for the clock.
    let at = rows.first().map_or(OffsetDateTime::UNIX_EPOCH, |row| row.now);
    let rows = rows.drain(..).filter_map(|row| {
        Some(Row {
            id: row.id?,
            token,
            kind: row.kind?,
            version: row.version?,
            payload: row.payload?,
            attempt: row.attempts?,
            crashes: row.crashes?,
            trace: row.trace.map(Into::into),
            ordered: row.ordered,
            wake: row.wake,
            waited: row.waited?,
        })
    });
    Ok(Found { rows: rows.collect(), at })
}

/// What a claim took whose answer never came (id, has a wake-up key): the caller releases it.
pub(crate) async fn owned(
    conn: impl PgExecutor<'_>,
    worker: i64,
    token: i64,
) -> Result<Vec<(JobId, bool)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, wake_key is not null as "wake!" from jobs where state = 'running' and worker = $1 and token = $2"#,
        worker,
        token,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.wake)).collect())
}

/// Whether the transaction may still commit.
pub(crate) async fn is_open(conn: impl PgExecutor<'_>, transaction: &str) -> Result<bool, sqlx::Error> {
    /// PostgreSQL's `invalid_parameter_value`: it has given out no such number, so a crash took the transaction along.
    const IN_THE_FUTURE: &str = "22023";
    let status = sqlx::query_scalar!(r#"select pg_xact_status($1::text::xid8) = 'in progress' as "open""#, transaction)
        .fetch_one(conn)
        .await;
    match status {
        // Null: long over.
        Ok(open) => Ok(open.unwrap_or(false)),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(IN_THE_FUTURE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// When to look again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next {
    /// Seconds until the next job comes due; less than zero when it has come due since the last claim looked.
    pub(crate) due_in: Option<f64>,
    /// The claim skipped a due job that somebody had locked: an enqueuer that folds into it (and may yet roll back,
    /// which rings no bell), or another claim.
    pub(crate) skipped: bool,
}

/// What the last claim, which looked at time `after` and was not full, left in the pool.
pub(crate) async fn next(
    conn: impl PgExecutor<'_>,
    pool: &str,
    known: &Known,
    worker: i64,
    after: OffsetDateTime,
) -> Result<Next, sqlx::Error> {
    let next = sqlx::query!(
        r#"with recursive levels as (
            (select priority from jobs where pool = $1 and state = 'ready' and order_key is null
             order by priority desc limit 1)
            union all
            select (select j.priority from jobs j
                    where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.priority < l.priority
                    order by j.priority desc limit 1)
            from levels l where l.priority is not null
        ), heads as (
            (select id, order_key, run_at, state, version, kind from jobs
             where pool = $1 and order_key is not null and state in ('ready', 'running')
             order by order_key, id limit 1)
            union all
            select n.* from heads h cross join lateral (
                select j.id, j.order_key, j.run_at, j.state, j.version, j.kind from jobs j
                where j.pool = $1 and j.order_key > h.order_key and j.state in ('ready', 'running')
                order by j.order_key, j.id limit 1
            ) n
        ), later as (
            select n.run_at from levels l cross join lateral (
                select j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.priority = l.priority and j.run_at > $2
                order by j.run_at limit 1
            ) n
            union all
            select run_at from heads where run_at > $2
        )
        select
            (select extract(epoch from min(run_at) - app_now())::float8 from later) as due_in,
            exists (select 1 from job_workers w where w.id = $5 and $1 <> all (w.paused))
                and not exists (select 1 from job_pauses p where p.pool = $1) and (
                exists (
                    select 1 from levels l cross join lateral (
                        select 1 from jobs j
                        where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.priority = l.priority
                            and j.run_at <= $2
                            and coalesce(j.version <= ($4::smallint[])[array_position($3::text[], j.kind)], true)
                        limit 1
                    ) s
                ) or exists (
                    select 1 from heads h
                    where h.state = 'ready' and h.run_at <= $2
                        and coalesce(h.version <= ($4::smallint[])[array_position($3::text[], h.kind)], true)
                        and not exists (
                            select 1 from jobs e where e.pool = $1 and e.order_key = h.order_key and e.state = 'running')
                )
            ) as "skipped!""#,
        pool,
        after,
        &known.names,
        &known.versions,
        worker,
    )
    .fetch_one(conn)
    .await?;
    Ok(Next { due_in: next.due_in, skipped: next.skipped })
}
