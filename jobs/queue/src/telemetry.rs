//! What the queue tells about itself, pool by pool. Series are made at zero, so that "nothing happened" and "not measured"
//! differ. Labels are pools and verdicts, which a program has few of; `workers/runtime/README.md` has the table.

use std::time::Instant;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::Workers;

const VERDICTS: [&str; 10] =
    ["done", "failed", "timed_out", "snoozed", "cancelled", "discarded", "released", "crashed", "alone", "stale"];

fn describe() {
    describe_gauge!(
        "jobs_ready",
        "Due jobs of the whole system that wait for a worker and for nothing else, told up to 100,000"
    );
    describe_gauge!(
        "jobs_oldest_ready_seconds",
        Unit::Seconds,
        "For how long the longest waiting due job of the whole system has been due; 0 when none waits"
    );
    describe_gauge!("jobs_dead", "Dead jobs of the whole system, told up to 100,000: somebody must look");
    describe_gauge!("jobs_paused", "1 while the pool is paused everywhere, else 0");
    describe_gauge!(
        "jobs_without_owner",
        "Running jobs of the whole system whose process is dead: above zero for 15 s is an alarm"
    );
    describe_gauge!("jobs_slots", "Jobs that this process runs at once, at most");
    describe_gauge!("jobs_in_flight", "Jobs that this process runs now");
    describe_counter!("jobs_started_total", "Runs begun");
    describe_counter!("jobs_handed_over_total", "Jobs that went from their order to a free slot, without a claim");
    describe_counter!("jobs_finished_total", "Runs ended, by verdict");
    describe_counter!(
        "jobs_leases_lost_total",
        "Runs taken from a dead or stuck process, counted by the one that took them"
    );
    describe_counter!(
        "jobs_refused_total",
        "Ends of runs that were refused, because the job had another owner by then"
    );
    describe_histogram!("jobs_pickup_seconds", Unit::Seconds, "From when a job was due to when its run began");
    describe_histogram!("jobs_run_seconds", Unit::Seconds, "From when a run began to its end");
}

/// The handles of one pool in this process.
pub(crate) struct Meters {
    pool: &'static str,
    started: Counter,
    handed_over: Counter,
    done: Counter,
    refused: Counter,
    in_flight: Gauge,
    pickup: Histogram,
    run: Histogram,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Meters {
    /// Makes all series of the pool.
    #[allow(clippy::cast_precision_loss, reason = "slots are few")]
    pub(crate) fn new(workers: &Workers) -> Self {
        let pool = workers.pool();
        describe();
        for name in ["jobs_ready", "jobs_oldest_ready_seconds", "jobs_dead", "jobs_paused"] {
            gauge!(name, "pool" => pool).set(0.0);
        }
        gauge!("jobs_without_owner").set(0.0);
        gauge!("jobs_slots", "pool" => pool).set(workers.concurrency() as f64);
        for verdict in VERDICTS {
            counter!("jobs_finished_total", "pool" => pool, "verdict" => verdict).increment(0);
        }
        let counted = |name| {
            let counter = counter!(name, "pool" => pool);
            counter.increment(0);
            counter
        };
        drop(counted("jobs_leases_lost_total"));
        let in_flight = gauge!("jobs_in_flight", "pool" => pool);
        in_flight.set(0.0);
        Self {
            pool,
            started: counted("jobs_started_total"),
            handed_over: counted("jobs_handed_over_total"),
            done: counter!("jobs_finished_total", "pool" => pool, "verdict" => "done"),
            refused: counted("jobs_refused_total"),
            in_flight,
            pickup: histogram!("jobs_pickup_seconds", "pool" => pool),
            run: histogram!("jobs_run_seconds", "pool" => pool),
        }
    }

    pub(crate) fn handed_over(&self) {
        self.handed_over.increment(1);
    }

    /// A run begins, of a job that was due so many seconds ago.
    pub(crate) fn begins(&self, waited: f64) -> Run {
        self.started.increment(1);
        self.pickup.record(waited);
        self.in_flight.increment(1);
        Run { in_flight: self.in_flight.clone(), begun: Instant::now() }
    }

    pub(crate) fn ends(&self, run: Run, verdict: &'static str) {
        self.run.record(run.begun.elapsed());
        match verdict {
            "done" => self.done.increment(1),
            "stale" => {
                self.refused(1);
                finished(self.pool, verdict);
            }
            _ => finished(self.pool, verdict),
        }
    }

    pub(crate) fn refused(&self, ends: usize) {
        self.refused.increment(ends as u64);
    }
}

/// A run under way; it counts as one until this is dropped.
pub(crate) struct Run {
    in_flight: Gauge,
    begun: Instant,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.in_flight.decrement(1);
    }
}

fn finished(pool: &str, verdict: &'static str) {
    counter!("jobs_finished_total", "pool" => pool.to_owned(), "verdict" => verdict).increment(1);
}

/// A run ended by being taken from its process.
pub(crate) fn lease_lost(pool: &str, verdict: &'static str) {
    counter!("jobs_leases_lost_total", "pool" => pool.to_owned()).increment(1);
    finished(pool, verdict);
}

/// What there is of a pool in the whole system.
pub(crate) struct Sample {
    pub(crate) ready: i64,
    pub(crate) oldest_seconds: f64,
    pub(crate) dead: i64,
    pub(crate) paused: bool,
}

pub(crate) fn sampled(pool: &'static str, sample: &Sample) {
    gauge!("jobs_ready", "pool" => pool).set(precise(sample.ready));
    gauge!("jobs_oldest_ready_seconds", "pool" => pool).set(sample.oldest_seconds);
    gauge!("jobs_dead", "pool" => pool).set(precise(sample.dead));
    gauge!("jobs_paused", "pool" => pool).set(f64::from(u8::from(sample.paused)));
}

pub(crate) fn without_owner(count: usize) {
    gauge!("jobs_without_owner").set(precise(i64::try_from(count).unwrap_or(i64::MAX)));
}

/// Counts here are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn precise(count: i64) -> f64 {
    count as f64
}
