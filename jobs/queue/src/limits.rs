//! Limits that hold over the whole fleet: of a key (a bot account, a channel, a provider) by the policy of its kinds, and of
//! a pool by hand.
//!
//! A limit has a gate, a row that a claim holds from its look until its commit. So two claims never count on the same free
//! place, and what a claim counts is true until it has written what it takes. A job that meets a closed gate is set aside
//! and met again when the gate opens: when a run of its key ends, or when the oldest start is old enough.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::{
    admin,
    claim::{self, Found, Known, Reach, Told},
    gates::{self, Key},
};

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
    let gate = gates::of_pool(&mut tx, pool).await?;
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
        gates::pass(&mut tx, pool, at, &[String::new()], &[count]).await?;
        // Whoever waits for a place in the pool waits for the end of any of them.
        found.rows.iter_mut().for_each(|row| row.awaited = true);
    }
    tx.commit().await?;
    Ok(Limited { found, closed, most: limit })
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
    let keys = sqlx::query_as!(
        Key,
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
    let keys = gates::hold(conn, pool, keys).await?;
    let told = take(conn, pool, known, worker, token, reach, &keys).await?;
    let mut counts = vec![0; keys.len()];
    for at in told.iter().filter_map(|told| keys.binary_search(told.limit_key.as_ref()?).ok()) {
        counts[at] += 1;
    }
    let mut taken = Found::of(told, token);
    found.rows.append(&mut taken.rows);
    found.aside.append(&mut taken.aside);
    gates::pass(conn, pool, found.at, &keys, &counts).await
}

async fn take(
    conn: &mut PgConnection,
    pool: &str,
    known: &Known,
    worker: i64,
    token: i64,
    reach: Reach,
    keys: &[String],
) -> Result<Vec<Told>, sqlx::Error> {
    sqlx::query_as!(
        Told,
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
            select *, admitted and turn <= $7 as taken from (
                select *, row_number() over (partition by admitted order by priority desc, run_at, id) as turn
                from (select *, first and place <= places as admitted from placed where id is not null) p
            ) p
        ), taken as (
            update jobs j set state = 'running', waits_for = null, token = $6, worker = $5, attempts = attempts + 1,
                claimed_at = (select now from clock),
                deadline = machine_now()
                    + coalesce(($4::bigint[])[array_position($2::text[], j.kind)], 60000) * interval '1 millisecond'
            from decided d
            where j.id = d.id and d.taken
            returning j.id, j.kind, j.version, j.payload, j.attempts, j.crashes, j.trace, j.wake_key, j.limit_key, j.run_at, d.turn
        ), aside as (
            update jobs j set waits_for = case when d.first then 'limit' else 'line' end from decided d
            where j.id = d.id and not coalesce(d.admitted, false)
                and d.waits_for is distinct from case when d.first then 'limit' else 'line' end
            returning j.id
        ), known as (
            delete from job_gates_freed f using gates g where f.pool = $1 and f.key = g.key
        )
        select c.now as "now!", coalesce((select array_agg(id) from aside), '{}') as "aside!", true as "limited!",
            t.id as "id?", t.kind as "kind?", t.version as "version?", t.payload::text as "payload?",
            t.attempts as "attempts?", t.crashes as "crashes?", t.trace as "trace?", true as "awaited!",
            t.wake_key is not null as "wake!", t.limit_key as "limit_key?", t.run_at as "run_at?", t.turn as "turn?"
        from clock c left join taken t on true"#,
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
    .await
}
