//! What a queue under test says to `make bench-queue`, for those that are written in Rust; `tests/peers/README.md` has the
//! words. A program of its own makes a line of JSON of each event; the bench keeps the clock but for pickup, whose times
//! are taken where they happen, by the clock that all processes of a machine share.

#![expect(clippy::print_stdout, reason = "what a program prints is what it says")]

use std::{
    error::Error,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, raise},
    time::{ClockId, clock_gettime},
};
use tokio::task::JoinSet;

/// Why a program could not go on.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What the program shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make the tables.
    Prepare,
    /// Enqueue as many jobs, as fast as it likes; they are numbered.
    Fill,
    /// Run jobs until killed, and enqueue some beside it if there is a rate.
    Work,
    /// Enqueue one by one.
    Enqueue,
}

/// The command line.
#[derive(Debug, Clone)]
pub struct Arguments {
    pub mode: Mode,
    pub database: String,
    /// To be enqueued, or after which `ran` is said.
    pub jobs: i64,
    /// Jobs that may run at once.
    pub concurrency: usize,
    /// Which of its settings, where a queue is measured with several.
    pub settings: String,
    /// Enqueuers that work side by side.
    pub connections: usize,
    /// Jobs a second of all enqueuers together; none: as fast as they can.
    pub rate: Option<f64>,
    pub time: Duration,
    /// Say when each job was enqueued and when it began.
    pub tell: bool,
    /// The worker's name, of those that have one.
    pub name: String,
    /// To be enqueued one by one, at most.
    pub most: Option<i64>,
    pub trouble: Trouble,
}

/// What handlers do beside nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// Each takes this long, and says when it ends.
    pub takes: Option<Duration>,
    /// This job kills its process.
    pub poison: Option<i64>,
    /// This job fails each time.
    pub fails: Option<i64>,
}

impl Arguments {
    /// Reads them, without the program's name.
    ///
    /// # Errors
    /// Something that nobody knows, or no database.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut words = words.into_iter();
        let mode = match words.next().as_deref() {
            Some("prepare") => Mode::Prepare,
            Some("fill") => Mode::Fill,
            Some("work") => Mode::Work,
            Some("enqueue") => Mode::Enqueue,
            other => return Err(format!("prepare, fill, work or enqueue, not {other:?}").into()),
        };
        let mut arguments = Self {
            mode,
            database: String::new(),
            jobs: 0,
            concurrency: 1,
            settings: String::new(),
            connections: 1,
            rate: None,
            time: Duration::ZERO,
            tell: false,
            name: "bench".to_owned(),
            most: None,
            trouble: Trouble::default(),
        };
        while let Some(name) = words.next() {
            if name == "--tell" {
                arguments.tell = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--database" => arguments.database = value,
                "--jobs" => arguments.jobs = value.parse()?,
                "--concurrency" => arguments.concurrency = value.parse()?,
                "--settings" => arguments.settings = value,
                "--connections" => arguments.connections = value.parse()?,
                "--rate" => arguments.rate = Some(value.parse()?),
                "--seconds" => arguments.time = Duration::from_secs_f64(value.parse()?),
                "--name" => arguments.name = value,
                "--most" => arguments.most = Some(value.parse()?),
                "--takes-ms" => arguments.trouble.takes = Some(Duration::from_millis(value.parse()?)),
                "--poison" => arguments.trouble.poison = Some(value.parse()?),
                "--fails" => arguments.trouble.fails = Some(value.parse()?),
                _ => return Err(format!("unknown: {name}").into()),
            }
        }
        if arguments.database.is_empty() {
            return Err("--database is missing".into());
        }
        Ok(arguments)
    }
}

/// Counts the jobs that began. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runs {
    begun: Arc<AtomicI64>,
    expected: i64,
    tell: bool,
    trouble: Trouble,
}

impl Runs {
    #[must_use]
    pub fn new(arguments: &Arguments) -> Self {
        Self { begun: Arc::default(), expected: arguments.jobs, tell: arguments.tell, trouble: arguments.trouble }
    }

    /// A handler's first statement.
    pub fn begin(&self, job: i64) {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        if self.tell {
            println!(r#"{{"event":"began","job":{job},"at":{}}}"#, now());
        }
        if begun == 1 {
            println!(r#"{{"event":"first"}}"#);
        }
        if begun == self.expected {
            println!(r#"{{"event":"ran"}}"#);
        }
    }

    /// A handler: begins, and makes the trouble that was ordered.
    ///
    /// # Errors
    /// The job is the one that fails.
    pub async fn run(&self, job: i64) -> Result<(), Failure> {
        self.begin(job);
        if self.trouble.poison == Some(job) {
            raise(Signal::SIGKILL)?;
        }
        if self.trouble.fails == Some(job) {
            return Err("it fails each time".into());
        }
        if let Some(takes) = self.trouble.takes {
            tokio::time::sleep(takes).await;
            println!(r#"{{"event":"ended","job":{job},"at":{}}}"#, now());
        }
        Ok(())
    }
}

/// Enqueues numbered jobs one by one, on each connection the next when the last is committed, until the time is over.
/// `order(connection, job)` is one job in a transaction of its own.
///
/// # Errors
/// Those of `order`.
pub async fn enqueue<F, Fut>(arguments: &Arguments, order: F) -> Result<(), Failure>
where
    F: Fn(usize, i64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send,
{
    let (lanes, tell, end) = (arguments.connections.max(1), arguments.tell, Instant::now() + arguments.time);
    let most = arguments.most.unwrap_or(i64::MAX);
    let begun = Instant::now();
    let mut enqueuers = JoinSet::new();
    for lane in 0..lanes {
        let order = order.clone();
        let mut pace = arguments.rate.map(|rate| {
            let each = Duration::from_secs_f64(count(lanes) / rate);
            let first = each.mul_f64(count(lane) / count(lanes));
            let mut pace = tokio::time::interval_at(tokio::time::Instant::now() + first, each);
            pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            pace
        });
        enqueuers.spawn(async move {
            let mut jobs = 0;
            loop {
                if let Some(pace) = &mut pace {
                    pace.tick().await;
                }
                if Instant::now() >= end {
                    return Ok::<_, Failure>(jobs);
                }
                let job = i64::try_from(lane)? + jobs * i64::try_from(lanes)?;
                if job >= most {
                    return Ok(jobs);
                }
                let sent = now();
                order(lane, job).await?;
                jobs += 1;
                if tell {
                    println!(r#"{{"event":"enqueued","job":{job},"sent":{sent},"committed":{}}}"#, now());
                }
            }
        });
    }
    let mut jobs = 0;
    while let Some(ended) = enqueuers.join_next().await {
        jobs += ended??;
    }
    println!(r#"{{"event":"enqueuing_ended","jobs":{jobs},"seconds":{}}}"#, begun.elapsed().as_secs_f64());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "connections are few")]
fn count(connections: usize) -> f64 {
    connections as f64
}

/// Microseconds of the clock that all processes of this machine share and nobody sets.
#[must_use]
pub fn now() -> i64 {
    // A Linux without this clock is none.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |at| at.tv_sec() * 1_000_000 + at.tv_nsec() / 1000)
}
