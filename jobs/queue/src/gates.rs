//! Gates: a row a key, and one a pool that is limited by hand. A claim holds those that it needs from its look until its
//! commit.

use std::time::Duration;

use sqlx::PgConnection;
use time::OffsetDateTime;

/// A key of which there may be something to begin, with its limit as this process knows it.
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) most_running: Option<i32>,
    pub(crate) most_starts: Option<i32>,
    pub(crate) per_ms: Option<i64>,
}

/// The gate of a pool.
pub(crate) struct Gate {
    /// Jobs that may begin now; not above zero when there is no place.
    pub(crate) free: i64,
    /// When one may for the time's sake; none while only the end of a run helps.
    pub(crate) opens_in: Option<Duration>,
}

/// Takes the gate of the whole pool in hand, if it has a limit.
pub(crate) async fn of_pool(conn: &mut PgConnection, pool: &str) -> Result<Option<Gate>, sqlx::Error> {
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

/// Takes the gates of these keys in hand, but those that somebody else has, and brings them up to date. Gives their keys,
/// sorted.
pub(crate) async fn hold(conn: &mut PgConnection, pool: &str, mut keys: Vec<Key>) -> Result<Vec<String>, sqlx::Error> {
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
    Ok(gates.into_iter().map(|gate| gate.key).collect())
}

/// Writes down how many have passed each of the gates in hand, and when the next may.
///
/// A gate that stands open does so since `at`, when the claim began: what it has left behind is no news.
pub(crate) async fn pass(
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
