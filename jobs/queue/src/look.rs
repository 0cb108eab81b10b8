//! When to look for work again.

use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::claim::Known;

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
            select greatest(
                (select priority from jobs where pool = $1 and state = 'ready' and order_key is null and limit_key is null
                 order by priority desc limit 1),
                (select priority from jobs
                 where pool = $1 and state = 'ready' and order_key is not null and limit_key is null and waits_for is null
                 order by priority desc limit 1)) as priority
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
        ), later as (
            select n.run_at from levels l cross join lateral (
                select j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.limit_key is null and j.priority = l.priority and j.run_at > $2
                order by j.run_at limit 1
            ) n
            union all
            select n.run_at from levels l cross join lateral (
                select j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is not null and j.limit_key is null and j.waits_for is null
                    and j.priority = l.priority and j.run_at > $2
                order by j.run_at limit 1
            ) n
            union all
            (select run_at from jobs
             where pool = $1 and state = 'ready' and limit_key is not null and waits_for is null and run_at > $2
             order by run_at limit 1)
            union all
            (select opens_at from job_gates where pool = $1 and opens_at > $2 order by opens_at limit 1)
        )
        select
            (select extract(epoch from min(run_at) - app_now())::float8 from later) as due_in,
            exists (select 1 from job_workers w where w.id = $5 and $1 <> all (w.paused))
                and not exists (select 1 from job_pauses p where p.pool = $1) and (
                exists (
                    select 1 from levels l cross join lateral (
                        select 1 from jobs j
                        where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.limit_key is null and j.priority = l.priority
                            and j.run_at <= $2
                            and coalesce(j.version <= ($4::smallint[])[array_position($3::text[], j.kind)], true)
                        limit 1
                    ) s
                ) or exists (
                    select 1 from levels l cross join lateral (
                        select 1 from jobs j
                        where j.pool = $1 and j.state = 'ready' and j.order_key is not null and j.limit_key is null and j.waits_for is null
                            and j.priority = l.priority and j.run_at <= $2
                            and coalesce(j.version <= ($4::smallint[])[array_position($3::text[], j.kind)], true)
                        limit 1
                    ) s
                ) or exists (
                    select 1 from jobs
                    where pool = $1 and state = 'ready' and limit_key is not null and waits_for is null and run_at <= $2
                        and coalesce(version <= ($4::smallint[])[array_position($3::text[], kind)], true)
                ) or exists (
                    select 1 from job_gates g cross join lateral (
                        select 1 from jobs j
                        where j.pool = $1 and j.limit_key = g.key and j.state = 'ready' and j.waits_for = 'limit'
                            and coalesce(j.version <= ($4::smallint[])[array_position($3::text[], j.kind)], true)
                        limit 1
                    ) s
                    where g.pool = $1 and g.opens_at <= $2
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
