//! Limits that hold over the whole fleet: of a key (a bot account, a channel, a provider) by the policy of its kinds, and of
//! a pool by hand.
//!
//! A limit has a gate, a row that a claim holds from its look until its commit. So two claims never count on the same free
//! place, and what a claim counts is true until it has written what it takes. A job that meets a closed gate is set aside
//! and met again when the gate opens: when a run of its key ends, or when the oldest start is old enough.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::{
    admin,
    claim::{self, Found, Known, Reach, Row},
};

/// How many jobs of one key may run at once, and how many may start in any window of time. At least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Runs at once, at least 1.
    pub running: Option<u32>,
    /// Runs that begin.
    pub starts: Option<Rate>,
}

/// At most so many in any window of that length. A run that failed counts as well as the one that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// 1 to 1000.
    pub most: u32,
    /// 1 ms to a year.
    pub per: Duration,
}

impl Limit {
    /// So many at once.
    #[must_use]
    pub const fn running(most: u32) -> Self {
        Self { running: Some(most), starts: None }
    }

    /// So many in any window of that length.
    #[must_use]
    pub const fn starts(most: u32, per: Duration) -> Self {
        Self { running: None, starts: Some(Rate { most, per }) }
    }

    /// What cannot be kept of it, if anything.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        const YEAR: Duration = Duration::from_hours(366 * 24);
        match self {
            Self { running: None, starts: None } => Some("its limit limits nothing"),
            Self { running: Some(0), .. } => Some("its limit lets nothing run"),
            Self { running: Some(most), .. } if *most > i32::MAX as u32 => {
                Some("its limit of runs is no number that can be kept")
            }
            Self { starts: Some(rate), .. } if !(1..=1000).contains(&rate.most) => {
                Some("its limit of starts is not between 1 and 1000")
            }
            Self { starts: Some(rate), .. } if rate.per < Duration::from_millis(1) || rate.per > YEAR => {
                Some("its limit's window is not between a millisecond and a year")
            }
            Self { .. } => None,
        }
    }

    pub(crate) fn most_running(&self) -> Option<i32> {
        self.running.and_then(|most| i32::try_from(most).ok())
    }

    pub(crate) fn most_starts(&self) -> Option<i32> {
        self.starts.and_then(|rate| i32::try_from(rate.most).ok())
    }

    pub(crate) fn per_ms(&self) -> Option<i64> {
        self.starts.map(|rate| claim::millis(rate.per))
    }
}

/// What one claim under limits found.
#[derive(Debug)]
pub(crate) struct Limited {
    pub(crate) found: Found,
    /// The pool's own limit is reached: nothing can begin for so long, or until a run ends.
    pub(crate) closed: Option<Option<Duration>>,
    /// Jobs that it could take, at most.
    pub(crate) most: i64,
}

/// [`claim::claim`] where the pool has a limit, or jobs with one. Every other time those with a limit come first, so that
/// neither sort starves the other.
#[allow(clippy::disallowed_methods, reason = "nobody waits for a wake-up of this")]
pub(crate) async fn claim(
    own: &PgPool,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    reach: Reach,
    keys_first: bool,
) -> Result<Limited, sqlx::Error> {
    let mut tx = own.begin().await?;
    let gate = pool_gate(&mut tx, pool).await?;
    let limit = gate.as_ref().map_or(reach.limit, |gate| reach.limit.min(gate.free));
    let at = admin::now(&mut tx).await?;
    // Whether that is still so, only the claim of the others tells.
    let mut found = Found { rows: Vec::new(), at, aside: Vec::new(), limited: true };
    let closed = gate.as_ref().filter(|gate| gate.free <= 0).map(|gate| gate.opens_in);
    for keys in [keys_first, !keys_first] {
        let left = limit - i64::try_from(found.rows.len()).unwrap_or(limit);
        if left <= 0 {
            break;
        }
        if keys {
            by_key(&mut tx, pool, known, worker, token, Reach { limit: left, ..reach }, &mut found).await?;
        } else {
            let reach = Reach { limit: left, under_limits: true, ..reach };
            let mut others = claim::claim(&mut *tx, pool, known, worker, token, reach).await?;
            found.rows.append(&mut others.rows);
            found.aside.append(&mut others.aside);
            found.limited = others.limited;
        }
    }
    if gate.is_some() {
        let count = i32::try_from(found.rows.len()).unwrap_or(i32::MAX);
        pass(&mut tx, pool, at, &[String::new()], &[count]).await?;
        // Whoever waits for a place in the pool waits for the end of any of them.
        found.rows.iter_mut().for_each(|row| row.awaited = true);
    }
    tx.commit().await?;
    Ok(Limited { found, closed, most: limit })
}

struct Gate {
    free: i64,
    opens_in: Option<Duration>,
}

/// Takes the gate of the whole pool in hand, if it has a limit.
async fn pool_gate(conn: &mut PgConnection, pool: &str) -> Result<Option<Gate>, sqlx::Error> {
    let held = sqlx::query_scalar!(
        r#"insert into job_gates (pool, key) select pool, '' from job_limits where pool = $1
         on conflict (pool, key) do update set pool = excluded.pool
         returning 1 as "held!""#,
        pool,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if held.is_none() {
        return Ok(None);
    }
    // A statement of its own, which sees what the last holder has written, and what the limit is by now.
    let row = sqlx::query!(
        r#"update job_gates g set most_running = l.most_running, most_starts = l.most_starts, per_ms = l.per_ms
         from job_limits l
         where l.pool = $1 and g.pool = $1 and g.key = ''
         returning
            least(
                l.most_running - (select count(*) from jobs where state = 'running' and pool = $1),
                l.most_starts - (select count(*) from unnest(g.starts) s where s > app_now() - l.per_ms * interval '1 millisecond'),
                1000000000) as "free!",
            -- While all places are taken, no time but the end of a run opens it.
            case when cardinality(g.starts) >= l.most_starts
                    and (select count(*) from jobs where state = 'running' and pool = $1) < coalesce(l.most_running, 1000000000)
                then extract(epoch from least(g.starts[cardinality(g.starts) - l.most_starts + 1], app_now())
                    + l.per_ms * interval '1 millisecond' - app_now())::float8 end as opens_in"#,
        pool,
    )
    .fetch_optional(conn)
    .await?;
    // The limit was taken away meanwhile.
    let Some(row) = row else { return Ok(None) };
    let opens_in = row.opens_in.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.001)).ok());
    Ok(Some(Gate { free: row.free, opens_in }))
}

/// Claims jobs with a limit, of keys whose gates can be had.
async fn by_key(
    conn: &mut PgConnection,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    reach: Reach,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    // Keys of jobs that nobody has met, that a run of theirs has left, or whose time has come. A gate that is there is not
    // written: that would wait for whoever has it in hand.
    let mut keys = sqlx::query!(
        r#"with met as materialized (
             select limit_key, kind from jobs
             where pool = $1 and state = 'ready' and limit_key is not null and waits_for is null and run_at <= app_now()
                 and coalesce(version <= ($7::smallint[])[array_position($2::text[], kind)], true)
             order by run_at, id limit $6
         ), fresh as materialized (
             select distinct on (m.limit_key) m.limit_key as key, k.most_running, k.most_starts, k.per_ms
             from met m left join unnest($2::text[], $3::int[], $4::int[], $5::bigint[])
                 as k (kind, most_running, most_starts, per_ms) on k.kind = m.kind
             order by m.limit_key, k.most_running, k.most_starts
         ), made as (
             insert into job_gates (pool, key, most_running, most_starts, per_ms)
             select $1, key, most_running, most_starts, per_ms from fresh f
             where not exists (select 1 from job_gates g where g.pool = $1 and g.key = f.key)
             order by key
             on conflict (pool, key) do nothing
         )
         select key as "key!", most_running, most_starts, per_ms from fresh
         union all
         select distinct key, null::int, null::int, null::bigint from (
             (select key from job_gates_freed where pool = $1 limit $6)
             union all
             (select key from job_gates where pool = $1 and opens_at <= app_now() order by opens_at limit $6)
         ) others where not exists (select 1 from fresh where fresh.key = others.key)"#,
        pool,
        &known.names,
        &known.most_running as &[Option<i32>],
        &known.most_starts as &[Option<i32>],
        &known.per_ms as &[Option<i64>],
        reach.keyed,
        &known.versions,
    )
    .fetch_all(&mut *conn)
    .await?;
    if keys.is_empty() {
        return Ok(());
    }
    // In the same order whoever asks.
    keys.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let names: Vec<String> = keys.iter().map(|it| it.key.clone()).collect();
    let gates = sqlx::query!(
        "select g.key, g.most_running, g.most_starts, g.per_ms from unnest($2::text[]) k (key) cross join lateral (
             select * from job_gates where pool = $1 and key = k.key and key <> '' for update skip locked
         ) g",
        pool,
        &names,
    )
    .fetch_all(&mut *conn)
    .await?;
    for gate in &gates {
        let Ok(at) = keys.binary_search_by(|it| it.key.cmp(&gate.key)) else { continue };
        let now = &keys[at];
        // A process that does not know the kind knows no limit of it.
        let known = now.most_running.is_some() || now.most_starts.is_some();
        if known
            && (now.most_running, now.most_starts, now.per_ms) != (gate.most_running, gate.most_starts, gate.per_ms)
        {
            // The policy was changed by a new release.
            sqlx::query!(
                "update job_gates set most_running = $3, most_starts = $4, per_ms = $5 where pool = $1 and key = $2",
                pool,
                gate.key,
                now.most_running,
                now.most_starts,
                now.per_ms,
            )
            .execute(&mut *conn)
            .await?;
        }
    }
    let keys: Vec<String> = gates.into_iter().map(|gate| gate.key).collect();
    let rows = take(conn, pool, known, worker, token, reach, &keys).await?;
    let mut counts = vec![0; keys.len()];
    for row in rows {
        match (row.aside, row.limit_key.and_then(|key| keys.binary_search(&key).ok())) {
            (Some(id), _) => found.aside.push(id),
            (None, at) => {
                if let Some(at) = at {
                    counts[at] += 1;
                }
                found.rows.extend(row.job);
            }
        }
    }
    pass(conn, pool, found.at, &keys, &counts).await
}

struct Taken {
    job: Option<Row>,
    limit_key: Option<String>,
    /// Set aside instead, for its line's or its limit's sake.
    aside: Option<i64>,
}

async fn take(
    conn: &mut PgConnection,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    reach: Reach,
    keys: &[String],
) -> Result<Vec<Taken>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with clock as materialized (
            select app_now() as now,
                exists (select 1 from job_workers w where w.id = $5 and $1 <> all (w.paused))
                    and not exists (select 1 from job_pauses p where p.pool = $1) as open
        ), gates as materialized (
            select g.key,
                greatest(0, least(
                    g.most_running
                        - (select count(*) from jobs r where r.pool = $1 and r.limit_key = g.key and r.state = 'running'),
                    g.most_starts
                        - (select count(*) from unnest(g.starts) s where s > c.now - g.per_ms * interval '1 millisecond'),
                    $7)) as free
            from clock c cross join unnest($8::text[]) k (key) cross join lateral (
                -- The limit keeps it a look of its own for each key.
                select * from job_gates where pool = $1 and key = k.key limit 1
            ) g
            where c.open
        ), fresh as materialized (
            select f.* from (
                select id from jobs
                where (select open from clock) and pool = $1 and state = 'ready' and limit_key is not null and waits_for is null
                    and run_at <= (select now from clock)
                    and coalesce(version <= ($3::smallint[])[array_position($2::text[], kind)], true)
                order by run_at, id limit $9
            ) due cross join lateral (
                select j.id, j.limit_key, j.order_key, j.priority, j.run_at, j.waits_for from jobs j
                -- The coalesce keeps the planner from a walk along another index than that of ids.
                where j.id = due.id and j.state = 'ready' and j.waits_for is null and coalesce(j.limit_key, '') = any($8)
                    and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                for update skip locked
            ) f
        ), waiting as materialized (
            select w.* from gates g cross join lateral (
                select j.id, j.limit_key, j.order_key, j.priority, j.run_at, j.waits_for from jobs j
                where j.pool = $1 and j.limit_key = g.key and j.state = 'ready' and j.waits_for = 'limit'
                    and coalesce(j.version <= ($3::smallint[])[array_position($2::text[], j.kind)], true)
                order by j.priority desc, j.run_at, j.id
                limit g.free
                for update skip locked
            ) w
        ), met as materialized (
            select m.*,
                m.order_key is null or m.id = m.first_id
                and not exists (
                    select 1 from jobs e
                    where e.pool = $1 and e.order_key = m.order_key and e.id < m.id and e.state in ('ready', 'running'))
                and not exists (
                    select 1 from jobs e where e.pool = $1 and e.order_key = m.order_key and e.state = 'running') as first
            from (
                select *, min(id) over (partition by order_key) as first_id
                from (select * from fresh union all select * from waiting) those
            ) m
        ), placed as (
            -- The gates stand among their jobs, at the end: a join with them would compare each with each.
            select m.*, max(free) over (partition by limit_key) as places,
                row_number() over (partition by limit_key order by first desc nulls last, priority desc, run_at, id) as place
            from (select *, null::bigint as free from met
                  union all
                  select null, key, null, null, null, null, null, null, free from gates) m
        ), decided as materialized (
            select *, admitted and row_number() over (partition by admitted order by priority desc, run_at, id) <= $7 as taken
            from (select *, first and place <= places as admitted from placed where id is not null) p
        ), taken as (
            update jobs j set state = 'running', waits_for = null, token = $6, worker = $5, attempts = attempts + 1,
                claimed_at = (select now from clock),
                deadline = machine_now()
                    + coalesce(($4::bigint[])[array_position($2::text[], j.kind)], 60000) * interval '1 millisecond'
            from decided d
            where j.id = d.id and d.taken
            returning j.*
        ), aside as (
            update jobs j set waits_for = case when d.first then 'limit' else 'line' end from decided d
            where j.id = d.id and not coalesce(d.admitted, false) and d.waits_for is distinct from case when d.first then 'limit' else 'line' end
            returning j.id
        ), known as (
            delete from job_gates_freed f using gates g where f.pool = $1 and f.key = g.key
        )
        select null::bigint as aside, t.id as "id?", t.kind as "kind?", t.version as "version?", t.payload::text as "payload?",
            t.attempts as "attempts?", t.crashes as "crashes?", t.trace as "trace?", t.wake_key is not null as "wake!",
            greatest(extract(epoch from t.claimed_at - t.run_at), 0)::float8 as "waited?", t.limit_key as "limit_key?"
        from (select * from taken order by priority desc, run_at, id) t
        union all
        select id, null, null, null, null, null, null, null, false, null, null from aside"#,
        pool,
        &known.names,
        &known.versions,
        &known.timeouts_ms,
        worker,
        token,
        reach.limit,
        keys,
        reach.keyed,
    )
    .fetch_all(conn)
    .await?;
    let taken = rows.into_iter().map(|row| Taken {
        aside: row.aside,
        limit_key: row.limit_key,
        job: (|| {
            Some(Row {
                id: row.id?,
                token,
                kind: row.kind?,
                version: row.version?,
                payload: row.payload?,
                attempt: row.attempts?,
                crashes: row.crashes?,
                trace: row.trace.map(Into::into),
                awaited: true,
                wake: row.wake,
                waited: row.waited?,
            })
        })(),
    });
    Ok(taken.collect())
}

/// Writes down how many have passed each of the gates in hand, and when the next may.
///
/// A gate that stands open does so since `at`, when the claim began: what it has left behind is no news.
async fn pass(
    conn: &mut PgConnection,
    pool: &str,
    at: OffsetDateTime,
    keys: &[String],
    counts: &[i32],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with passed as (
             select g.ctid as place, g.starts as before, g.opens_at as opened_at, g.most_starts, g.per_ms,
                 coalesce((
                     select array_agg(s order by s) from (
                         -- None is later than now, or a clock that was put back would close it for that long.
                         select least(s, app_now()) as s from unnest(g.starts || array_fill(app_now(), array[p.count])) s
                         order by 1 desc limit g.most_starts
                     ) last where g.most_starts is not null), '{}') as starts,
                 exists (
                     select 1 from jobs j
                     where j.pool = $1 and j.limit_key = g.key and j.state = 'ready' and j.waits_for = 'limit') as waiting,
                 g.most_running
                     - (select count(*) from jobs r where r.pool = $1 and r.limit_key = g.key and r.state = 'running') as places
             from unnest($2::text[], $3::int[]) as p (key, count) cross join lateral (
                 select ctid, * from job_gates where pool = $1 and key = p.key limit 1
             ) g
         )
         update job_gates g set starts = p.starts,
             opens_at = case
                 when not p.waiting or p.places <= 0 then null
                 when cardinality(p.starts) >= p.most_starts
                     then greatest($4, p.starts[1] + p.per_ms * interval '1 millisecond')
                 else $4
             end
         from passed p
         -- They are in hand: nobody moves them.
         where g.ctid = p.place and (p.waiting or p.opened_at is not null or p.starts <> p.before)",
        pool,
        keys,
        counts,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes away the gates of keys of which nothing is left to be counted, and what refers to gates that are not there.
pub(crate) async fn forget(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    // In hand first and judged after: a claim may just be setting a job aside at a gate that looks forsaken. No claim waits
    // for a gate of a key.
    let held = sqlx::query!(
        "select pool, key from job_gates g
         where key <> '' and opens_at is null
             and not exists (select 1 from jobs j where j.pool = g.pool and j.limit_key = g.key and j.state = 'ready')
             and not exists (select 1 from jobs j where j.pool = g.pool and j.limit_key = g.key and j.state = 'running')
         for update"
    )
    .fetch_all(&mut *conn)
    .await?;
    let (pools, keys): (Vec<_>, Vec<_>) = held.into_iter().map(|gate| (gate.pool, gate.key)).unzip();
    sqlx::query!(
        "delete from job_gates g using unnest($1::text[], $2::text[]) as held (pool, key)
         where g.pool = held.pool and g.key = held.key and opens_at is null
             and not exists (select 1 from jobs j where j.pool = g.pool and j.limit_key = g.key and j.state = 'ready')
             and not exists (select 1 from jobs j where j.pool = g.pool and j.limit_key = g.key and j.state = 'running')
             and not exists (select from unnest(starts) s where s > app_now() - per_ms * interval '1 millisecond')",
        &pools,
        &keys,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from job_gates_freed f
         where not exists (select 1 from job_gates g where g.pool = f.pool and g.key = f.key)"
    )
    .execute(conn)
    .await?;
    Ok(())
}
