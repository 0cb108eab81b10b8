//! Lines: jobs of a pool with the same order key. A claim sets aside whom it meets out of turn (`waits_for = 'line'`), and a
//! trigger lets the next one on when the one before it ends. Here is what closes the gap between the two.

use std::collections::BTreeSet;

use sqlx::PgExecutor;

use crate::JobId;

/// Of jobs that were set aside, has those looked at again whose turn it is by now. Tells whether there were any.
///
/// Asked after the claim that set them aside has committed: what ended before is seen here, and what ends later sees that
/// they wait (the trigger that lets them on, `migrations/0012_turns.sql`).
pub(crate) async fn take_back(conn: impl PgExecutor<'_>, aside: &[JobId]) -> Result<bool, sqlx::Error> {
    let taken_back = sqlx::query!(
        "with theirs as (
             select j.id from jobs j
             where j.id = any($1) and j.waits_for = 'line'
                 and not exists (
                     select 1 from jobs e
                     where e.pool = j.pool and e.order_key = j.order_key and e.id < j.id and e.state in ('ready', 'running'))
                 and not exists (
                     select 1 from jobs e
                     where e.pool = j.pool and e.order_key = j.order_key and e.state = 'running')
             for update of j skip locked
         )
         update jobs set waits_for = null where id = any(array(select id from theirs))",
        aside,
    )
    .execute(conn)
    .await?;
    Ok(taken_back.rows_affected() > 0)
}

/// The heads of some lines.
#[derive(Debug)]
pub(crate) struct Heads {
    /// Those that are set aside.
    pub(crate) waiting: Vec<JobId>,
    /// Their pools.
    pub(crate) pools: BTreeSet<String>,
    /// The last line, by pool and order key; none when there was no further one.
    pub(crate) last: Option<(String, String)>,
}

/// The first job of each of the next `limit` lines after the line `after` (pool, order key).
pub(crate) async fn heads(
    conn: impl PgExecutor<'_>,
    after: &(String, String),
    limit: i64,
) -> Result<Heads, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with recursive heads as (
            (select pool, order_key, id, waits_for, 1::bigint as place from jobs
             where order_key is not null and state in ('ready', 'running') and (pool, order_key) > ($1, $2)
             order by pool, order_key, id limit 1)
            union all
            select n.*, h.place + 1 from heads h cross join lateral (
                select j.pool, j.order_key, j.id, j.waits_for from jobs j
                where j.order_key is not null and j.state in ('ready', 'running')
                    and (j.pool, j.order_key) > (h.pool, h.order_key)
                order by j.pool, j.order_key, j.id limit 1
            ) n
            where h.place < $3
        )
        select pool as "pool!", order_key as "order_key!", id as "id!", waits_for is not null as "waits!" from heads"#,
        after.0,
        after.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let mut heads = Heads { waiting: Vec::new(), pools: BTreeSet::new(), last: None };
    for row in rows {
        if row.waits {
            heads.waiting.push(row.id);
            heads.pools.insert(row.pool.clone());
        }
        heads.last = Some((row.pool, row.order_key));
    }
    Ok(heads)
}
