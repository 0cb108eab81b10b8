//! What the queue tells about itself: metrics per pool, made at zero so that "nothing happened" and "not measured" differ.

use metrics::{counter, gauge, histogram};

use crate::settle::Judgement;

const VERDICTS: [&str; 8] = ["done", "failed", "timed_out", "snoozed", "cancelled", "discarded", "released", "crashed"];

/// Creates all series of a pool at zero.
pub(crate) fn create(pool: &'static str) {
    metrics::describe_gauge!("jobs_ready", "due jobs that wait for a worker");
    metrics::describe_gauge!("jobs_dead", "jobs in the dead letter");
    metrics::describe_gauge!(
        "jobs_without_owner",
        "running jobs whose process is dead: above zero for 15 s is an alarm"
    );
    metrics::describe_counter!("jobs_started_total", "runs begun");
    metrics::describe_counter!(
        "jobs_handed_over_total",
        "jobs that went from their order to a free slot without a claim"
    );
    metrics::describe_counter!("jobs_finished_total", "runs ended, by verdict");
    metrics::describe_histogram!("jobs_pickup_seconds", metrics::Unit::Seconds, "from due to claimed");
    metrics::describe_histogram!("jobs_run_seconds", metrics::Unit::Seconds, "from the handler's start to its end");
    gauge!("jobs_ready", "pool" => pool).set(0.0);
    gauge!("jobs_dead", "pool" => pool).set(0.0);
    counter!("jobs_started_total", "pool" => pool).increment(0);
    counter!("jobs_handed_over_total", "pool" => pool).increment(0);
    for verdict in VERDICTS {
        counter!("jobs_finished_total", "pool" => pool, "verdict" => verdict).increment(0);
    }
    gauge!("jobs_without_owner").set(0.0);
}

/// The handles of one pool that are used per job.
pub(crate) struct Meters {
    pool: &'static str,
    started: metrics::Counter,
    handed_over: metrics::Counter,
    done: metrics::Counter,
    pickup: metrics::Histogram,
    run: metrics::Histogram,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Meters {
    pub(crate) fn new(pool: &'static str) -> Self {
        create(pool);
        Self {
            pool,
            started: counter!("jobs_started_total", "pool" => pool),
            handed_over: counter!("jobs_handed_over_total", "pool" => pool),
            done: counter!("jobs_finished_total", "pool" => pool, "verdict" => "done"),
            pickup: histogram!("jobs_pickup_seconds", "pool" => pool),
            run: histogram!("jobs_run_seconds", "pool" => pool),
        }
    }

    pub(crate) fn claimed(&self, waited: f64) {
        self.pickup.record(waited);
    }

    /// A claim of its own kind, after no wait at all.
    pub(crate) fn handed_over(&self) {
        self.handed_over.increment(1);
        self.claimed(0.0);
    }

    pub(crate) fn started(&self) {
        self.started.increment(1);
    }

    pub(crate) fn ended(&self, judgement: &Judgement, seconds: f64) {
        self.run.record(seconds);
        match judgement.verdict() {
            "done" => self.done.increment(1),
            verdict => counter!("jobs_finished_total", "pool" => self.pool, "verdict" => verdict).increment(1),
        }
    }
}

pub(crate) fn ready(pool: &'static str, count: i64) {
    gauge!("jobs_ready", "pool" => pool).set(precise(count));
}

pub(crate) fn dead(pool: &'static str, count: i64) {
    gauge!("jobs_dead", "pool" => pool).set(precise(count));
}

pub(crate) fn without_owner(count: usize) {
    gauge!("jobs_without_owner").set(precise(i64::try_from(count).unwrap_or(i64::MAX)));
}

/// Counts here are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn precise(count: i64) -> f64 {
    count as f64
}
