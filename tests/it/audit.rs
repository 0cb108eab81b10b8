//! The audit of all money, by hand and by night.

use std::time::Duration;

use harness::{MemalertsProcess, TestApp, wait_until};
use serde_json::Value;
use sqlx::PgPool;

use crate::stage::Stage;

/// A system without pools, with a viewer who was given 250 coins and has paid 100 of them into escrow.
async fn stage() -> Stage {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    stage.activate(&anna, meme).await;
    stage
}

/// Adds coins to the first entry of the wallet behind the ledger's back, as nobody but the database's owner can.
async fn falsify(pool: &PgPool, coins: i64) {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    let sql = "update ledger_entries set amount = amount + $1 where version = 1";
    let done = sqlx::query(sql).bind(coins).execute(&mut *tx).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    tx.commit().await.unwrap();
}

const BREACHES: [&str; 3] =
    ["does not sum to zero", "holds 150 but its entries say 155", "breaks its chain at version 1"];

#[tokio::test]
async fn the_audit_says_that_all_is_well_or_names_each_breach_and_fails() {
    let stage = stage().await;
    let audit = |arguments: &[&str]| MemalertsProcess::spawn(arguments, &stage.app.process_env()).outcome();
    let (status, text, log) = audit(&["audit"]).await;
    assert!(status.success(), "{log}");
    assert_eq!(text, "checked 2 operations, 4 entries, 1 wallets, 1 activations: all coins add up");

    falsify(stage.app.pool(), 5).await;
    let (status, text, log) = audit(&["audit"]).await;
    assert_eq!(status.code(), Some(1), "{text}\n{log}");
    let breaches: Vec<&str> = text.lines().filter(|line| line.starts_with("breach: ")).collect();
    assert_eq!(breaches.len(), BREACHES.len(), "{text}");
    BREACHES.iter().for_each(|breach| assert!(text.contains(breach), "{breach}: {text}"));
    assert!(log.contains("the money does not add up: 3 breaches"), "{log}");

    let (status, text, _) = audit(&["audit", "--json"]).await;
    assert_eq!(status.code(), Some(1));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["breaches"].as_array().unwrap().len(), BREACHES.len(), "{found}");
    assert_eq!(found["checked"]["operations"], 2, "{found}");
    falsify(stage.app.pool(), -5).await;
}

#[tokio::test]
async fn every_night_the_money_is_audited_and_a_breach_calls_for_somebody() {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.viewer("anna", 150).await;
    let mut dispatch = MemalertsProcess::spawn(&["work", "dispatch"], &stage.app.process_env());
    let metrics = dispatch.logged("metrics are served").await["address"].as_str().unwrap().to_owned();
    wait_until("the audit is in the schedule", async || {
        let sql = "select exists (select from job_schedules where name = 'audit-money')";
        let known: bool = sqlx::query_scalar(sql).fetch_one(stage.app.pool()).await.unwrap();
        known.then_some(())
    })
    .await;

    stage.app.advance(Duration::from_hours(25)).await;
    assert_eq!(dispatch.logged("audited the money").await["breaches"], 0);
    falsify(stage.app.pool(), 5).await;
    stage.app.advance(Duration::from_hours(24)).await;
    wait_until("the second audit is done", async || {
        let done = "select count(*) from jobs_done where kind = 'audit-money' and verdict = 'done'";
        let done: i64 = sqlx::query_scalar(done).fetch_one(stage.app.pool()).await.unwrap();
        (done == 2).then_some(())
    })
    .await;
    let errors: Vec<Value> = dispatch.log().into_iter().filter(|line| line["level"] == "error").collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors.iter().all(|line| line["msg"] == "the money does not add up"), "{errors:?}");
    let text = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    assert!(text.contains("\nmoney_audits_total 2\n") && text.contains("\nmoney_audit_breaches_total 3\n"), "{text}");
    assert!(dispatch.stop().await.success());
    falsify(stage.app.pool(), -5).await;
}
