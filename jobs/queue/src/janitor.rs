//! Gives back what dead processes left, within seconds and whatever their names.
//!
//! A process is dead when its `beats` stand still for one lease by the clock of the one who watches. Declared dead, its
//! row is removed first: a stalled process that comes back finds no row, takes a new name, and its old tokens are worth
//! nothing. All processes watch; the tokens make it harmless that several see the same death.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    Retry, Topic, Wakes, acknowledger, lines,
    presence::LEASE,
    settle::{self, Claim, Judgement},
    telemetry,
};

const TICK: Duration = Duration::from_millis(500);
/// A run whose live owner forgot it is taken away this long after its time limit: the owner had every chance.
const OVERDUE: f64 = 30.0;
/// How an overdue job is tried again; its own policy belongs to a process that did not keep it.
const OVERDUE_RETRY: Retry = Retry::new(1, Duration::from_secs(1), Duration::from_secs(60));
const BATCH: i64 = 500;
/// Lines that one round looks at.
const LINES: i64 = 100;

/// When each process was last seen to beat, by this process's clock.
#[derive(Default)]
struct Watch {
    seen: HashMap<i64, (i64, Instant)>,
}

impl Watch {
    /// `age` is what the row itself says about its last beat: trusted only at first sight.
    fn is_dead(&mut self, worker: i64, beats: i64, age: Duration) -> bool {
        let now = Instant::now();
        let first = now.checked_sub(age.min(LEASE)).unwrap_or(now);
        let (known, since) = self.seen.entry(worker).or_insert((beats, first));
        if *known != beats {
            (*known, *since) = (beats, now);
        }
        since.elapsed() >= LEASE
    }
}

/// Runs until stopped.
pub(crate) async fn run(own: PgPool, wakes: Wakes, stop: CancellationToken) {
    let mut watch = Watch::default();
    let mut line = (String::new(), String::new());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = round(&own, &wakes, &mut watch, &mut line).await {
            debug!(%error, "janitor could not look");
            // While nobody could beat, nobody is dead: everybody gets a whole lease again.
            watch.seen.clear();
        }
    }
}

async fn round(own: &PgPool, wakes: &Wakes, watch: &mut Watch, line: &mut (String, String)) -> Result<(), sqlx::Error> {
    declare(own, watch).await?;
    take_back(own, wakes, line).await?;
    let orphans = sqlx::query!(
        r#"select j.id, j.token as "token!", j.pool, j.wake_key is not null as "wake!", coalesce(w.id, 0) = 0 as "orphan!"
         from jobs j left join job_workers w on w.id = j.worker
         where j.state = 'running'
            and (w.id is null or j.deadline < machine_now() - $1::float8 * interval '1 second')
         limit $2"#,
        OVERDUE,
        BATCH,
    )
    .fetch_all(own)
    .await?;
    telemetry::without_owner(orphans.iter().filter(|row| row.orphan).count());
    if orphans.is_empty() {
        return Ok(());
    }
    let ends: Vec<(Claim, Judgement)> = orphans
        .iter()
        .map(|row| {
            let judgement = if row.orphan {
                Judgement::Crashed("its process died".to_owned())
            } else {
                Judgement::Failed {
                    error: "overdue, and its owner did not stop it".to_owned(),
                    retry: OVERDUE_RETRY,
                    delay: None,
                    timed_out: true,
                }
            };
            (Claim { id: row.id, token: row.token, wake: row.wake }, judgement)
        })
        .collect();
    warn!(jobs = ends.len(), "taking jobs from dead or stuck owners");
    let mut conn = own.acquire().await?;
    let written = settle::otherwise(&mut conn, &ends).await?;
    // Of what several janitors saw, each counts what it took.
    for row in orphans.iter().filter(|row| written.ours.contains(&row.id)) {
        telemetry::lease_lost(&row.pool, if row.orphan { "crashed" } else { "timed_out" });
    }
    for death in written.deaths {
        acknowledger::bury("janitor", &death, wakes);
    }
    let mut pools: Vec<Arc<str>> = orphans.into_iter().map(|row| row.pool.into()).collect();
    pools.sort();
    pools.dedup();
    for pool in pools {
        wakes.publish(Topic::Pool(pool));
    }
    Ok(())
}

/// Goes on along the lines of all order keys, and has the first of each looked at again whose turn it is: a claim whose
/// process died right after it has set it aside for good.
async fn take_back(own: &PgPool, wakes: &Wakes, line: &mut (String, String)) -> Result<(), sqlx::Error> {
    let lines = lines::heads(own, line, LINES).await?;
    *line = lines.last.unwrap_or_default();
    if !lines.waiting.is_empty() && lines::take_back(own, &lines.waiting).await? {
        lines.pools.into_iter().for_each(|pool| wakes.publish(Topic::Pool(pool.into())));
    }
    Ok(())
}

/// Removes the rows of processes that are dead.
async fn declare(own: &PgPool, watch: &mut Watch) -> Result<(), sqlx::Error> {
    // A database that was down let nobody beat: no row is older than the server.
    let workers = sqlx::query!(
        r#"select id, name, beats, extract(epoch from machine_now() - greatest(seen_at, pg_postmaster_start_time()))::float8 as "age!"
         from job_workers"#
    )
    .fetch_all(own)
    .await?;
    watch.seen.retain(|id, _| workers.iter().any(|worker| worker.id == *id));
    for worker in workers {
        let age = Duration::try_from_secs_f64(worker.age.max(0.0)).unwrap_or(LEASE);
        if watch.is_dead(worker.id, worker.beats, age) {
            let gone = sqlx::query!("delete from job_workers where id = $1 and beats = $2", worker.id, worker.beats)
                .execute(own)
                .await?;
            if gone.rows_affected() > 0 {
                warn!(worker = worker.id, name = worker.name, "process is dead");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_beats_is_alive_whatever_its_row_says_about_time() {
        let mut watch = Watch::default();
        assert!(!watch.is_dead(1, 10, Duration::ZERO));
        assert!(!watch.is_dead(1, 11, Duration::from_secs(3600)), "a clock step kills nobody");
    }

    #[test]
    fn a_process_that_was_silent_for_a_lease_when_first_seen_is_dead_at_once() {
        let mut watch = Watch::default();
        assert!(watch.is_dead(1, 10, LEASE));
        assert!(!watch.is_dead(2, 10, LEASE / 2));
    }
}
