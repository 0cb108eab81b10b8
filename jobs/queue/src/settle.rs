//! What becomes of a job after a run, decided in SQL under the claim's token. Zero rows mean that the claim was lost;
//! that is never an error: the new owner decides.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor};

use crate::{JobId, Retry, claim::millis};

/// The name by which one claim owns one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) id: JobId,
    pub(crate) token: i64,
    /// The row has a wake-up key: going back to ready may fold it into a waiting twin.
    pub(crate) wake: bool,
}

/// The end of a run, as the runner or the janitor saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    Done,
    /// The handler's own transaction has finished it: nothing is left to write.
    Finished,
    /// Failed: again by policy (or after `delay`) while attempts last, then dead.
    Failed {
        error: String,
        retry: Retry,
        delay: Option<Duration>,
        timed_out: bool,
    },
    Snoozed(Duration),
    Cancelled(String),
    Discarded(String),
    /// Given back unrun or cut short by a drain; as if it had not been claimed.
    Released,
    /// Its process died under it.
    Crashed(String),
    /// A process of its own ran it and has written its end.
    Alone,
    /// Somebody else owns it.
    Lost,
}

impl Judgement {
    pub(crate) fn verdict(&self) -> &'static str {
        match self {
            Self::Done | Self::Finished => "done",
            Self::Failed { timed_out: false, .. } => "failed",
            Self::Failed { timed_out: true, .. } => "timed_out",
            Self::Snoozed(_) => "snoozed",
            Self::Cancelled(_) => "cancelled",
            Self::Discarded(_) => "discarded",
            Self::Released => "released",
            Self::Crashed(_) => "crashed",
            Self::Alone => "alone",
            Self::Lost => "stale",
        }
    }
}

/// A job that will never run again unless somebody looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) id: JobId,
    pub(crate) kind: String,
    pub(crate) attempts: i16,
    pub(crate) crashes: i16,
    pub(crate) reason: String,
    /// Where its last wish waits to be done.
    pub(crate) wish_pool: Option<String>,
}

/// What came of ends that were written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The jobs that were still under their claim; the ends of others were refused.
    pub(crate) ours: Vec<JobId>,
    /// Those that died of it.
    pub(crate) deaths: Vec<Death>,
}

impl Written {
    fn add(&mut self, other: Self) {
        self.ours.extend(other.ours);
        self.deaths.extend(other.deaths);
    }
}

/// Crashes after which a job is dead.
pub(crate) const MAX_CRASHES: i16 = 3;

/// Text of a reason that is worth keeping.
const MAX_REASON: usize = 4000;

/// Moves the claimed rows to `jobs_done`. Returns those that were still ours.
pub(crate) async fn done(conn: impl PgExecutor<'_>, claims: &[Claim]) -> Result<Vec<JobId>, sqlx::Error> {
    let ids: Vec<i64> = claims.iter().map(|claim| claim.id).collect();
    let tokens: Vec<i64> = claims.iter().map(|claim| claim.token).collect();
    sqlx::query_scalar!(
        "with gone as (
             delete from jobs j using unnest($1::bigint[], $2::bigint[]) as a(id, token)
             where j.id = a.id and j.token = a.token
             returning j.id, j.created_at, j.claimed_at, j.worker, j.version, j.priority, j.attempts, j.crashes, j.kind, j.pool,
                 j.payload, j.order_key, j.trace
         )
         insert into jobs_done (id, finished_at, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict, kind,
             pool, payload, order_key, trace)
         select id, (select app_now()), created_at, claimed_at, worker, version, priority, attempts, crashes, 'done', kind, pool,
             payload, order_key, trace
         from gone
         returning id",
        &ids,
        &tokens,
    )
    .fetch_all(conn)
    .await
}

/// Writes every end that is not a plain success.
///
/// Rows with a wake-up key go one by one, so that no statement holds one key while it waits for another.
pub(crate) async fn otherwise(conn: &mut PgConnection, ends: &[(Claim, Judgement)]) -> Result<Written, sqlx::Error> {
    let (keyed, plain): (Vec<_>, Vec<_>) = ends.iter().partition(|(claim, _)| claim.wake);
    let mut written = Written::default();
    if !plain.is_empty() {
        written.add(judge(conn, &plain).await?);
    }
    for end in keyed {
        // A twin that became ready between our look and our write is found at the second look.
        let mut tries = 0;
        loop {
            match judge(conn, &[end]).await {
                Err(error) if is_unique_violation(&error) && tries < 10 => tries += 1,
                other => break written.add(other?),
            }
        }
    }
    Ok(written)
}

pub(crate) fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// The columns of one batch of ends.
#[derive(Default)]
struct Asked {
    ids: Vec<i64>,
    tokens: Vec<i64>,
    verdicts: Vec<String>,
    delays: Vec<Option<i64>>,
    bases: Vec<i64>,
    caps: Vec<i64>,
    jitters: Vec<i16>,
    errors: Vec<Option<String>>,
}

impl Asked {
    fn push(&mut self, claim: Claim, judgement: &Judgement) {
        let (delay, retry, error) = match judgement {
            Judgement::Failed { error, retry, delay, .. } => (*delay, Some(*retry), Some(error)),
            Judgement::Snoozed(delay) => (Some(*delay), None, None),
            Judgement::Cancelled(reason) | Judgement::Discarded(reason) | Judgement::Crashed(reason) => {
                (None, None, Some(reason))
            }
            Judgement::Released => (None, None, None),
            Judgement::Done | Judgement::Finished | Judgement::Alone | Judgement::Lost => return,
        };
        self.ids.push(claim.id);
        self.tokens.push(claim.token);
        self.verdicts.push(judgement.verdict().to_owned());
        self.delays.push(delay.map(millis));
        self.bases.push(retry.map_or(0, |retry| millis(retry.base)));
        self.caps.push(retry.map_or(0, |retry| millis(retry.cap)));
        self.jitters.push(retry.map_or(0, |retry| i16::from(retry.jitter)));
        // PostgreSQL's text holds no NUL, and a reason is for reading: the beginning tells.
        self.errors.push(error.map(|error| error.replace('\0', "").chars().take(MAX_REASON).collect()));
    }
}

async fn judge(conn: &mut PgConnection, ends: &[&(Claim, Judgement)]) -> Result<Written, sqlx::Error> {
    let mut asked = Asked::default();
    for (claim, judgement) in ends {
        asked.push(*claim, judgement);
    }
    let rows = sqlx::query!(
        r#"with asked as (
            select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[], $8::text[])
                as a(id, token, verdict, delay_ms, base_ms, cap_ms, jitter, error)
        ), mine as (
            select j.id, j.kind, j.wake_key, j.attempts, j.crashes, j.max_attempts, j.run_at, j.claimed_at, j.worker, j.trace, j.last_wish,
                a.verdict, a.error, a.delay_ms, a.base_ms, a.cap_ms, a.jitter
            from asked a join jobs j on j.id = a.id and j.token = a.token
            order by j.id
            for update of j
        ), decided as (
            select m.*,
                case
                    when verdict = 'cancelled' then 'gone'
                    when verdict = 'discarded' then 'dead'
                    when verdict in ('failed', 'timed_out') and attempts >= max_attempts then 'dead'
                    when verdict = 'crashed' and crashes + 1 >= $9 then 'dead'
                    else 'ready'
                end as fate,
                attempts - (verdict in ('snoozed', 'released', 'crashed'))::int as attempts_left,
                crashes + (verdict = 'crashed')::int as crashes_now,
                case
                    when verdict in ('released', 'crashed', 'cancelled', 'discarded') then run_at
                    when delay_ms is not null then app_now() + delay_ms * interval '1 millisecond'
                    else app_now() + least(cap_ms, base_ms * power(2, least(attempts - 1, 40)))
                        * (1 + jitter / 100.0 * (2 * random() - 1)) * interval '1 millisecond'
                end as run_next
            from mine m
        ), folded as (
            -- A twin that waits takes the order in; the earlier wish wins.
            update jobs w set run_at = least(w.run_at, d.run_next)
            from decided d
            where d.fate = 'ready' and d.wake_key is not null
                and w.kind = d.kind and w.wake_key = d.wake_key and w.state = 'ready'
            returning d.id
        ), gone as (
            delete from jobs j using decided d
            where j.id = d.id and (d.fate = 'gone' or d.id in (select id from folded))
            returning j.*, d.fate, d.error
        ), moved as (
            insert into jobs_done (id, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict, kind, pool,
                payload, order_key, trace, reason)
            select id, created_at, claimed_at, worker, version, priority, attempts, crashes,
                case fate when 'gone' then 'cancelled' else 'folded' end, kind, pool, payload, order_key, trace, error
            from gone
        ), back as (
            update jobs j set state = d.fate, token = null, worker = null, deadline = null,
                attempts = greatest(d.attempts_left, 0), crashes = d.crashes_now, run_at = d.run_next,
                reason = case when d.fate = 'dead' then d.error else j.reason end,
                died_at = case when d.fate = 'dead' then app_now() end
            from decided d
            where j.id = d.id and d.fate <> 'gone' and d.id not in (select id from folded)
        ), told as (
            insert into job_attempts (job_id, attempt, started_at, worker, verdict, error, trace)
            select id, attempts, coalesce(claimed_at, app_now()), worker, verdict, error, trace
            from decided where verdict <> 'released'
        ), wished as (
            insert into jobs (kind, version, pool, payload, priority, max_attempts, event_key, order_key, limit_key, trace)
            select w.kind, w.version, w.pool, w.payload, w.priority, w.max_attempts, w.event_key, w.order_key, w.limit_key, coalesce(d.trace, 'job-' || d.id)
            from decided d cross join lateral jsonb_to_record(d.last_wish)
                as w(kind text, version smallint, pool text, payload jsonb, priority smallint, max_attempts smallint, event_key text, order_key text, limit_key text)
            where d.fate = 'dead' and d.last_wish is not null
            on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing
        )
        select id as "id!", kind as "kind!", attempts as "attempts!", crashes_now::smallint as "crashes!", fate = 'dead' as "dead!",
            case when fate = 'dead' then error end as error, last_wish ->> 'pool' as wish_pool
        from decided"#,
        &asked.ids,
        &asked.tokens,
        &asked.verdicts,
        &asked.delays as &[Option<i64>],
        &asked.bases,
        &asked.caps,
        &asked.jitters,
        &asked.errors as &[Option<String>],
        i32::from(MAX_CRASHES),
    )
    .fetch_all(conn)
    .await?;
    let ours = rows.iter().map(|row| row.id).collect();
    let deaths = rows
        .into_iter()
        .filter(|row| row.dead)
        .map(|row| Death {
            id: row.id,
            kind: row.kind,
            attempts: row.attempts,
            crashes: row.crashes,
            reason: row.error.unwrap_or_default(),
            wish_pool: row.wish_pool,
        })
        .collect();
    Ok(Written { ours, deaths })
}
