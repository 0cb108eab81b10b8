//! The tables of `queue::migrate` are those of all migrations.

use queue::{Ctx, Verdict, Workers};
use sqlx::{Executor as _, PgPool};

use crate::stage::{Note, Stage, enqueue};

/// All that is the queue's, one thing a line. Daily partitions are named by their day.
async fn things(pool: &PgPool) -> Vec<String> {
    let sql = r"
        with ours as (
            select oid, relname, relkind from pg_class
            where relnamespace = 'public'::regnamespace and relname like 'job%' and relname !~ '_[0-9]{8}(_|$)'
                and relname not like 'job\_migrations%' and relkind in ('r', 'p', 'v')
        )
        select format('column %s.%s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(d.adbin, d.adrelid))
        from ours join pg_attribute a on attrelid = oid and attnum > 0 and not attisdropped
            left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
        union all
        select pg_get_indexdef(indexrelid) from ours join pg_index on indrelid = oid
        union all
        select format('constraint %s %s', relname, pg_get_constraintdef(c.oid)) from ours join pg_constraint c on conrelid = ours.oid
        union all
        select pg_get_triggerdef(t.oid) from ours join pg_trigger t on tgrelid = ours.oid and not tgisinternal
        union all
        select format('view %s %s', relname, pg_get_viewdef(oid)) from ours where relkind = 'v'
        union all
        select format('settings %s %s', c.relname, reloptions) from ours join pg_class c using (oid)
        union all
        select pg_get_functiondef(p.oid) from pg_proc p
        where pronamespace = 'public'::regnamespace
            and (proname like 'job%' or proname in ('app_now', 'machine_now', 'refuse_change'))
        order by 1";
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_gets_the_tables_that_all_migrations_make_and_jobs_run_in_it() {
    let stage = Stage::new().await;
    let expected = things(&stage.pool).await;
    assert!(expected.len() > 100, "{expected:#?}");
    stage.pool.execute("drop schema public cascade; create schema public").await.unwrap();
    queue::migrate(&stage.pool).await.unwrap();
    // The second time there is nothing to do.
    queue::migrate(&stage.pool).await.unwrap();
    let made = things(&stage.pool).await;
    let missing: Vec<_> = expected.iter().filter(|thing| !made.contains(thing)).collect();
    let extra: Vec<_> = made.iter().filter(|thing| !expected.contains(thing)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "mend queue::migrate; missing: {missing:#?}\nextra: {extra:#?}");

    let silent = Workers::new("desk", 2).handle(|_: Ctx, _: Note| async { Ok(Verdict::Done) });
    let engine = stage.engine(vec![silent]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_make_the_tables_together_do_it_once() {
    let stage = Stage::new().await;
    stage.pool.execute("drop schema public cascade; create schema public").await.unwrap();
    let all: Vec<_> = (0..4)
        .map(|_| {
            let pool = stage.pool.clone();
            tokio::spawn(async move { queue::migrate(&pool).await })
        })
        .collect();
    for one in all {
        one.await.unwrap().unwrap();
    }
    stage.close().await;
}
