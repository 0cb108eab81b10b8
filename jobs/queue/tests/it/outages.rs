//! A lost database is normal.

use std::time::Duration;

use queue::{Ctx, Verdict, Workers};
use sqlx::{Connection, PgConnection};

use crate::stage::{Note, Stage, enqueue};

/// Another database of the same server, from which the outage is made.
async fn outside(stage: &Stage) -> (PgConnection, String) {
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&stage.pool).await.unwrap();
    let at = stage.url.find(&name).unwrap();
    let url = format!("{}postgres{}", &stage.url[..at], &stage.url[at + name.len()..]);
    (PgConnection::connect(&url).await.unwrap(), name)
}

async fn cut(conn: &mut PgConnection, name: &str) {
    sqlx::query("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1")
        .bind(name)
        .execute(conn)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_is_done_once_though_all_connections_are_cut_again_and_again() {
    let stage = Stage::new().await;
    let (mut outside, name) = outside(&stage).await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts)
        select 'note', 1, 'desk', jsonb_build_object('n', n), 20 from generate_series(1, 3000) n",
        )
        .await;
    let workers = Workers::new("desk", 8).handle(|ctx: Ctx, note: Note| async move {
        if note.n % 2 == 0 { crate::stage::mark(&ctx, note.n, "noted").await } else { Ok(Verdict::Done) }
    });
    let engine = stage.engine(vec![workers]);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        cut(&mut outside, &name).await;
    }
    let left = "select count(*) from jobs where state <> 'dead'";
    let ended = crate::stage::within(Duration::from_secs(40), async || {
        sqlx::query_scalar::<_, i64>(left).fetch_one(&stage.pool).await.is_ok_and(|left| left == 0)
    })
    .await;
    assert!(ended, "jobs were lost");
    assert_eq!(stage.count("select count(*) from jobs").await, 0);
    assert_eq!(stage.count("select count(*) from jobs_done where verdict = 'done'").await, 3000);
    assert_eq!(stage.count("select count(distinct n) from marks").await, 1500);
    assert_eq!(stage.count("select count(*) from marks").await, 1500, "an effect was written twice");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_a_lease_costs_no_acknowledgement_and_kills_nobody() {
    let stage = Stage::new().await;
    let (mut outside, name) = outside(&stage).await;
    let (ready, mut is_ready) = tokio::sync::watch::channel(0);
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 8).handle(move |_: Ctx, _: Note| {
        let mut door = door.clone();
        ready.send_modify(|count| *count += 1);
        async move {
            let _ = door.wait_for(|open| *open).await;
            Ok(Verdict::Done)
        }
    });
    let engine = stage.engine(vec![workers]);
    for n in 0..8 {
        enqueue(&engine.db, &Note { n }).await;
    }
    is_ready.wait_for(|count| *count == 8).await.unwrap();
    let close = format!("alter database {name} allow_connections false");
    sqlx::query(sqlx::AssertSqlSafe(close)).execute(&mut outside).await.unwrap();
    cut(&mut outside, &name).await;
    // The runs end while the database is away; their acknowledgements wait.
    open.send(true).unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let reopen = format!("alter database {name} allow_connections true");
    sqlx::query(sqlx::AssertSqlSafe(reopen)).execute(&mut outside).await.unwrap();
    stage.until_done(8).await;
    assert_eq!(stage.count("select count(*) from jobs_done where attempts = 1 and crashes = 0").await, 8);
    engine.stop().await;
    stage.close().await;
}
