//! The claim: one statement that hands out up to n due jobs of a pool, each to exactly one owner.
//!
//! Promises: largest priority first (but for the one that is favoured this time), then longest due, then first enqueued;
//! jobs with an order key one at a time and never before an earlier unfinished one; nothing from paused pools or in a paused
//! process; no payload version newer than this process reads; the attempt is counted and committed before the handler can
//! run.
//!
//! That commit waits for no disk. The log is written in order, so whatever a handler commits makes its claim durable as well;
//! only a crash of the whole server forgets claims of its last moments, of jobs under which nothing was committed: they are
//! ready again.

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
    /// It has an order key or a limit: its end lets others run.
    pub(crate) awaited: bool,
    /// It has a wake-up key.
    pub(crate) wake: bool,
    /// Seconds that it was due before we took it.
    pub(crate) waited: f64,
}

/// What the claim must know of the kinds that this process runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) names: Vec<String>,
    pub(crate) versions: Vec<i16>,
    pub(crate) timeouts_ms: Vec<i64>,
    pub(crate) most_running: Vec<Option<i32>>,
    pub(crate) most_starts: Vec<Option<i32>>,
    pub(crate) per_ms: Vec<Option<i64>>,
}

impl Known {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        let mut known = Self::default();
        for kind in kinds {
            known.names.push(kind.name.to_owned());
            known.versions.push(kind.version);
            known.timeouts_ms.push(millis(kind.timeout));
            known.most_running.push(kind.limit.and_then(|limit| limit.most_running()));
            known.most_starts.push(kind.limit.and_then(|limit| limit.most_starts()));
            known.per_ms.push(kind.limit.and_then(|limit| limit.per_ms()));
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
    /// Of jobs that were met out of turn and set aside, the first of each line; the caller shows them to
    /// [`lines::take_back`](crate::lines::take_back).
    pub(crate) aside: Vec<JobId>,
    /// The pool has a limit, or jobs with one: nothing of that is here, see [`limits`](crate::limits).
    pub(crate) limited: bool,
}

/// A row of a claim's answer. There is always one, for the clock; its job is none when nothing was taken.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) now: OffsetDateTime,
    pub(crate) aside: Vec<JobId>,
    pub(crate) limited: bool,
    pub(crate) id: Option<JobId>,
    pub(crate) kind: Option<String>,
    pub(crate) version: Option<i16>,
    pub(crate) payload: Option<String>,
    pub(crate) attempts: Option<i16>,
    pub(crate) crashes: Option<i16>,
    pub(crate) trace: Option<String>,
    pub(crate) awaited: bool,
    pub(crate) wake: bool,
    pub(crate) limit_key: Option<String>,
    pub(crate) run_at: Option<OffsetDateTime>,
    /// Its place among those that were taken; a set of rows that were updated has no order of its own.
    pub(crate) turn: Option<i64>,
}

impl Told {
    fn into_row(self, token: i64) -> Option<Row> {
        Some(Row {
            id: self.id?,
            token,
            kind: self.kind?,
            version: self.version?,
            payload: self.payload?,
            attempt: self.attempts?,
            crashes: self.crashes?,
            trace: self.trace.map(Into::into),
            awaited: self.awaited,
            wake: self.wake,
            waited: (self.now - self.run_at?).as_seconds_f64().max(0.0),
        })
    }
}

impl Found {
    /// What the rows of the claim under this token tell.
    pub(crate) fn of(mut told: Vec<Told>, token: i64) -> Self {
        let mut found = Self { rows: Vec::new(), at: OffsetDateTime::UNIX_EPOCH, aside: Vec::new(), limited: false };
        if let Some(first) = told.first_mut() {
            (found.at, found.limited, found.aside) = (first.now, first.limited, std::mem::take(&mut first.aside));
        }
        told.sort_unstable_by_key(|told| (told.turn, told.run_at, told.id));
        found.rows.extend(told.into_iter().filter_map(|told| told.into_row(token)));
        found
    }
}

/// How much of the pool one claim asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Jobs to claim, at most.
    pub(crate) limit: i64,
    /// Jobs with an order key or a limit to look at, at most; at least `limit`.
    pub(crate) keyed: i64,
    /// Which of the smaller priorities comes first this time, round and round from 1; with 0 the largest does. The others
    /// follow by priority.
    pub(crate) favour: i32,
    /// The caller sees to limits: the pool's own is none of the claim's business.
    pub(crate) under_limits: bool,
}

/// Claims due jobs under one new token.
pub(crate) async fn claim(
    conn: impl PgExecutor<'_>,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    reach: Reach,
) -> Result<Found, sqlx::Error> {
    // `levels` steps from priority to priority through the indexes, so that a mass of later jobs of a high priority is
    // never walked. Of jobs with an order key, those that are out of turn are set aside when they are met, so that no claim
    // meets them again until the one before them has ended.
    // Jobs of unknown kinds are claimed too: the runner buries them with a reason.
    let told = sqlx::query_as!(
        Told,
        r#"with recursive clock as materialized (
            select app_now() as now, set_config('synchronous_commit', 'off', true) as unflushed,
                exists (select 1 from job_workers w where w.id = $5 and $1 <> all (w.paused))
                    and not exists (select 1 from job_pauses p where p.pool = $1)
                    and ($10 or not exists (select 1 from job_limits l where l.pool = $1)) as open
        ), levels as (
            select greatest(
                (select priority from jobs where pool = $1 and state = 'ready' and order_key is null and limit_key is null
                 order by priority desc limit 1),
                (select priority from jobs
                 where pool = $1 and state = 'ready' and order_key is not null and limit_key is null and waits_for is null
                 order by priority desc limit 1)) as priority
            from clock where open
            union all
            select greatest(
                (select j.priority from jobs j
                 where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.limit_key is null and j.priority < l.priority
                 order by j.priority desc limit 1),
                (select j.priority from jobs j
                 where j.pool = $1 and j.state = 'ready' and j.order_key is not null and j.limit_key is null and j.waits_for is null
                     and j.priority < l.priority
                 order by j.priority desc limit 1))
            from levels l where l.priority is not null
        ), turns as materialized (
            select priority,
                row_number() over (
                    order by place <> case when $8 > 0 and many > 1 then 1 + ($8 - 1) % (many - 1) else 0 end, place) as turn
            from (
                select priority, row_number() over (order by priority desc) - 1 as place, count(*) over () as many
                from levels where priority is not null
            ) placed
            order by 2
        ), plain as (
            select c.id, t.turn, c.run_at from turns t cross join lateral (
                select j.id, j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.limit_key is null and j.priority = t.priority
                    and j.run_at <= (select now from clock)
                    and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                order by j.run_at, j.id
                limit $7
                for update skip locked
            ) c
            limit $7
        ), keyed as materialized (
            select c.id, t.turn, c.run_at, c.order_key from turns t cross join lateral (
                select j.id, j.run_at, j.order_key from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is not null and j.limit_key is null and j.waits_for is null
                    and j.priority = t.priority and j.run_at <= (select now from clock)
                    and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                order by j.run_at, j.id
                limit $9
                for update skip locked
            ) c
            limit $9
        ), judged as materialized (
            select k.id, k.turn, k.run_at, k.order_key,
                -- Behind another one of these: nobody need look.
                k.id = k.first_id
                and not exists (
                    select 1 from jobs e
                    where e.pool = $1 and e.order_key = k.order_key and e.id < k.id and e.state in ('ready', 'running'))
                -- One that began before an earlier one had committed.
                and not exists (
                    select 1 from jobs e where e.pool = $1 and e.order_key = k.order_key and e.state = 'running') as first
            from (select *, min(id) over (partition by order_key) as first_id from keyed) k
        ), picked as (
            select id, turn from (
                select id, turn, run_at from plain union all select id, turn, run_at from judged where first
            ) both_kinds
            order by turn, run_at, id
            limit $7
        ), taken as (
            update jobs j set state = 'running', token = $6, worker = $5, attempts = attempts + 1,
                claimed_at = (select now from clock),
                deadline = machine_now()
                    + coalesce(($4::bigint[])[array_position($2::text[], j.kind)], 60000) * interval '1 millisecond'
            from picked
            where j.id = picked.id
            returning j.id, j.kind, j.version, j.payload, j.attempts, j.crashes, j.trace, j.order_key, j.wake_key, j.run_at,
                picked.turn
        ), aside as (
            update jobs j set waits_for = 'line' from judged
            where j.id = judged.id and not judged.first
            returning j.id, j.order_key
        )
        select c.now as "now!",
            coalesce((select array_agg(id) from (select min(id) as id from aside group by order_key) each), '{}') as "aside!",
            exists (select 1 from job_limits l where l.pool = $1)
                or exists (select 1 from jobs j where j.pool = $1 and j.state = 'ready' and j.limit_key is not null) as "limited!",
            t.id as "id?", t.kind as "kind?", t.version as "version?", t.payload::text as "payload?",
            t.attempts as "attempts?", t.crashes as "crashes?", t.trace as "trace?", t.order_key is not null as "awaited!",
            t.wake_key is not null as "wake!", null::text as limit_key, t.run_at as "run_at?", t.turn as "turn?"
        from clock c left join taken t on true"#,
        pool,
        &known.names,
        &known.versions,
        &known.timeouts_ms,
        worker,
        token,
        reach.limit,
        reach.favour,
        reach.keyed,
        reach.under_limits,
    )
    .fetch_all(conn)
    .await?;
    Ok(Found::of(told, token))
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
