//! The faults: each injects itself once into the running system, waits until the system should have got over it, and says
//! what it saw. Ids and counts are those of the reliability plan.

mod bots;
mod clients;
mod orders;
mod programs;
mod releases;
mod streams;

use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::time::{Instant, sleep, timeout};

use crate::{fleet::DISPATCHERS, proxy::Weather, rig::Rig};

/// A fault by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Fault {
    /// `kill -9` of a worker in the middle of jobs, by chance or at a failpoint.
    F1,
    /// The same, and a start within 50 ms.
    F2,
    /// SIGTERM under load.
    F3,
    /// A worker that stands still for longer than its lease and then goes on.
    F4,
    /// A job takes its process along: by its own hand, of its stack, of its memory.
    F5,
    /// `kill -9` of the API between commit and answer, or anywhere.
    F6,
    /// PostgreSQL is restarted, fast or immediate.
    F7,
    /// PostgreSQL and all its children are killed.
    F8,
    /// Connections are cut in the middle of transactions.
    F9,
    /// A commit arrives and its answer is lost.
    F10,
    /// A slow database, then a silent one.
    F11,
    /// The connections that hear wake-ups are ended again and again.
    F13,
    /// Transactions that wait for each other.
    F14,
    /// Purchases 64 times at once under one key each, in half of the rounds one of them over the death of the API.
    F15,
    /// 64 purchases at once with coins for one.
    F16,
    /// Five people end one activation at once.
    F17,
    /// Readers of events are cut off and come back, here and at another instance, over its death and a trimmed history.
    F21,
    /// Transactions commit in another order than that in which they numbered their events.
    F22,
    /// Two processes want to read the same chats, and one after the other dies, stands still or drains.
    F34,
    /// Jobs that cannot be read, that nobody knows, or that are too new.
    F35,
    /// A flood of one kind.
    F36,
    /// Ten jobs of top priority that always fail.
    F37,
    /// The schema changes under load, and all processes are replaced one after the other.
    F38,
    /// A release is taken back: its schema and its orders stay.
    F39,
    /// Orders of the next release reach the workers of this one.
    F40,
    /// A prober that hangs, leaves children, or eats memory.
    F41,
    /// An API with two connections to the database and few files, and a crowd before it.
    F43,
    /// A process dies between the file and its row.
    F44,
}

impl Fault {
    pub(crate) const ALL: [Self; 28] = [
        Self::F1,
        Self::F2,
        Self::F3,
        Self::F4,
        Self::F5,
        Self::F6,
        Self::F7,
        Self::F8,
        Self::F9,
        Self::F10,
        Self::F11,
        Self::F13,
        Self::F14,
        Self::F15,
        Self::F16,
        Self::F17,
        Self::F21,
        Self::F22,
        Self::F34,
        Self::F35,
        Self::F36,
        Self::F37,
        Self::F38,
        Self::F39,
        Self::F40,
        Self::F41,
        Self::F43,
        Self::F44,
    ];

    /// Rounds of a full run. Where the plan counts requests or races, a round makes many of them.
    pub(crate) const fn full(self) -> u32 {
        match self {
            Self::F36 => 3,
            Self::F37 | Self::F39 | Self::F43 => 20,
            Self::F1 | Self::F35 => 1000,
            Self::F14 => 10_000_u32.div_ceil(orders::CROSSINGS),
            Self::F15 => 100_000_u32.div_ceil(clients::TWINS * clients::MANY),
            Self::F16 => 20_000_u32.div_ceil(clients::RACES),
            Self::F17 => 20_000_u32.div_ceil(clients::QUARRELS),
            Self::F21 => 10_000_u32.div_ceil(streams::RESUMES),
            Self::F22 => 10_000_u32.div_ceil(streams::PAIRS),
            Self::F2 | Self::F7 => 100,
            Self::F3 | Self::F4 | Self::F8 | Self::F13 => 200,
            Self::F6 | Self::F10 | Self::F44 => 500,
            // Each round has three probers.
            Self::F41 => 167,
            Self::F34 => 500_u32.div_ceil(bots::TAKEOVERS),
            Self::F9 => 2000,
            Self::F5 | Self::F11 | Self::F38 | Self::F40 => 50,
        }
    }

    /// Short enough to be part of every run of all tests.
    pub(crate) const fn is_short(self) -> bool {
        !matches!(self, Self::F36)
    }

    pub(crate) async fn strike(self, rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
        match self {
            Self::F1 => killed(rig, rng).await,
            Self::F2 => restarted(rig, rng).await,
            Self::F3 => drained(rig, rng).await,
            Self::F4 => stopped(rig, rng).await,
            Self::F5 => programs::takes_its_process_along(rig, rng).await,
            Self::F6 => answerless(rig, rng).await,
            Self::F7 => server(rig, *[Signal::SIGINT, Signal::SIGQUIT].choose(rng).context("two")?, false).await,
            Self::F8 => server(rig, Signal::SIGKILL, true).await,
            Self::F9 => weather(rig, Weather::CutAfter(rng.random_range(0..20_000)), Duration::from_millis(800)).await,
            Self::F10 => weather(rig, Weather::LoseCommit, Duration::from_millis(300)).await,
            Self::F11 => slow(rig).await,
            Self::F13 => deaf(rig).await,
            Self::F14 => orders::deadlocks(rig).await,
            Self::F15 => clients::twins(rig, rng).await,
            Self::F16 => clients::racers(rig, rng).await,
            Self::F17 => clients::quarrel(rig, rng).await,
            Self::F21 => streams::resumes(rig, rng).await,
            Self::F22 => streams::commit_order(rig, rng).await,
            Self::F34 => bots::takeovers(rig, rng).await,
            Self::F35 => orders::poison(rig, rng).await,
            Self::F36 => orders::flood(rig).await,
            Self::F37 => orders::starve(rig).await,
            Self::F38 => releases::migrate(rig, rng).await,
            Self::F39 => releases::roll_back(rig, rng).await,
            Self::F40 => orders::newer(rig, rng).await,
            Self::F41 => programs::bad_prober(rig, rng).await,
            Self::F43 => clients::crowd(rig).await,
            Self::F44 => half_a_file(rig, rng).await,
        }
    }
}

/// What came of a fault.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    /// In words: where it hit.
    pub(crate) detail: String,
    /// It really happened; a failpoint may not be reached.
    pub(crate) hit: bool,
    /// From the fault until nothing was left of it: no job of a dead owner, a server that answers, a purchase that goes on.
    pub(crate) recovery: Option<Duration>,
    pub(crate) findings: Vec<String>,
}

/// Points at which each worker is killed; those of the queue itself are on every worker's way.
const WORKER_POINTS: [(&str, &[&str]); 6] = [
    ("dispatch-1", &DISPATCH_POINTS),
    ("dispatch-2", &DISPATCH_POINTS),
    (
        "outbox",
        &[
            "outbox::send::before",
            "outbox::send::after",
            "queue::claim::before",
            "queue::run::before",
            "queue::run::after",
        ],
    ),
    (
        "credits",
        &["credits::relay::after", "queue::acknowledge::before", "queue::acknowledge::after", "queue::claim::after"],
    ),
    ("chat", &["chat::ingest::before", "chat::ingest::after", "queue::finish::after", "queue::enqueue::after"]),
    ("media", &["media::publish::before", "media::publish::after", "queue::run::before", "queue::finish::after"]),
];
const DISPATCH_POINTS: [&str; 9] = [
    "queue::claim::before",
    "queue::claim::after",
    "queue::run::before",
    "queue::run::after",
    "queue::finish::before",
    "queue::finish::after",
    "queue::enqueue::after",
    "playback::advance::before",
    "playback::advance::after",
];
/// Points at which the API is killed, those of its pools among them where it runs them.
const API_POINTS: [&str; 6] = [
    "activations::place::before",
    "activations::place::after",
    "playback::acknowledge::before",
    "playback::acknowledge::after",
    "wallets::post::after",
    "queue::enqueue::after",
];
const TOGETHER_POINTS: [&str; 4] =
    ["queue::hand_over::before", "queue::run::before", "queue::finish::after", "playback::advance::before"];
/// An owner counts as dead after its lease of 4 s; its jobs must run elsewhere a second later.
const RECOVERY: Duration = Duration::from_secs(5);

async fn killed(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let (role, points) = *WORKER_POINTS.choose(rng).context("workers")?;
    let mut struck = Struck { detail: format!("{role} by chance"), hit: true, ..Struck::default() };
    rig.fleet.kill(role).await?;
    let by_chance = rng.random_bool(0.4);
    if let Some(point) = points.choose(rng)
        && !by_chance
    {
        struck.detail = format!("{role} at {point}");
        rig.fleet.start(role, &format!("{point}=kill"))?;
        struck.hit = rig.fleet.ends(role, Duration::from_secs(6)).await?.is_some();
        rig.fleet.kill(role).await?;
    }
    let dead = Instant::now();
    rig.fleet.start(role, "")?;
    orphans_are_gone(rig, dead, &mut struck).await?;
    Ok(struck)
}

async fn restarted(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let role = *DISPATCHERS.choose(rng).context("dispatchers")?;
    let mut struck = Struck { detail: role.to_owned(), hit: true, ..Struck::default() };
    rig.fleet.kill(role).await?;
    let dead = Instant::now();
    sleep(Duration::from_millis(rng.random_range(0..50))).await;
    rig.fleet.start(role, "")?;
    orphans_are_gone(rig, dead, &mut struck).await?;
    Ok(struck)
}

/// Waits until no job belongs to a dead owner any more.
async fn orphans_are_gone(rig: &Rig, dead: Instant, struck: &mut Struck) -> anyhow::Result<()> {
    let dead_at = sqlx::query_scalar!(r#"select machine_now() as "now!""#).fetch_one(&rig.pool).await?;
    loop {
        let orphans = sqlx::query_scalar!(
            r#"select count(*) as "count!" from jobs j
               where j.state = 'running' and j.claimed_at < $1
                 and not exists (select from job_workers w where w.id = j.worker and w.seen_at > $1)"#,
            dead_at
        )
        .fetch_one(&rig.pool)
        .await?;
        if orphans == 0 {
            struck.recovery = Some(dead.elapsed());
            if dead.elapsed() > RECOVERY + Duration::from_secs(1) {
                struck.findings.push(format!("I8: a dead owner's jobs were taken over after {:?}", dead.elapsed()));
            }
            return Ok(());
        }
        if dead.elapsed() > Duration::from_secs(30) {
            struck.findings.push(format!("I8: {orphans} jobs have had no live owner for 30 s"));
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn drained(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let role = *DISPATCHERS.choose(rng).context("dispatchers")?;
    let mut struck = Struck { detail: role.to_owned(), hit: true, ..Struck::default() };
    let begun = Instant::now();
    rig.fleet.signal(role, Signal::SIGTERM)?;
    match rig.fleet.ends(role, Duration::from_secs(10)).await? {
        Some(status) if status.success() => struck.recovery = Some(begun.elapsed()),
        Some(status) => struck.findings.push(format!("F3: {role} drained with {status}")),
        None => {
            struck.findings.push(format!("F3: {role} did not drain within 10 s"));
            rig.fleet.kill(role).await?;
        }
    }
    // A drain gives back what has not run and repeats nothing that has.
    let repeated = sqlx::query_scalar!(
        r#"select count(*) as "count!" from jobs_done
           where crashes > 0 and finished_at > app_now() - make_interval(secs => $1)"#,
        begun.elapsed().as_secs_f64()
    )
    .fetch_one(&rig.pool)
    .await?;
    if repeated > 0 {
        struck.findings.push(format!("F3: {repeated} jobs counted a drain as a crash"));
    }
    rig.fleet.start(role, "")?;
    Ok(struck)
}

async fn stopped(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let role = *DISPATCHERS.choose(rng).context("dispatchers")?;
    let standstill = Duration::from_millis(rng.random_range(4_500..8_000));
    rig.fleet.signal(role, Signal::SIGSTOP)?;
    sleep(standstill).await;
    rig.fleet.signal(role, Signal::SIGCONT)?;
    sleep(Duration::from_millis(500)).await;
    Ok(Struck { detail: format!("{role} for {standstill:?}"), hit: true, ..Struck::default() })
}

async fn answerless(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let together = if rig.fleet.together { &TOGETHER_POINTS[..] } else { &[] };
    let points = [&API_POINTS[..], together].concat();
    let point = *points.choose(rng).context("points")?;
    let shape = if rig.fleet.together { "all" } else { "api" };
    let mut struck = Struck { detail: format!("{shape} at {point}"), ..Struck::default() };
    rig.fleet.kill("api").await?;
    rig.fleet.start("api", &format!("{point}=kill"))?;
    struck.hit = rig.fleet.ends("api", Duration::from_secs(8)).await?.is_some();
    rig.fleet.kill("api").await?;
    let dead = Instant::now();
    rig.fleet.start("api", "")?;
    rig.fleet.api_is_up().await?;
    struck.recovery = Some(dead.elapsed());
    Ok(struck)
}

/// Points between a file and its row: where it is taken, where it is encoded, and where a broken one is removed.
const FILE_POINTS: [(&str, &str); 11] = [
    ("api", "submissions::receive::staged"),
    ("api", "blobs::rename::before"),
    ("api", "blobs::rename::after"),
    ("api", "submissions::receive::before"),
    ("api", "submissions::receive::after"),
    ("media", "blobs::rename::before"),
    ("media", "blobs::rename::after"),
    ("media", "media::publish::before"),
    ("media", "media::publish::after"),
    ("media", "media::remove::before"),
    ("media", "media::remove::after"),
];

async fn half_a_file(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let (role, point) = *FILE_POINTS.choose(rng).context("points")?;
    // With a pool beside it, another process might do what this one is to die of.
    rig.fleet.reshape(false).await?;
    let mut struck = Struck { detail: format!("{role} at {point}"), ..Struck::default() };
    rig.fleet.kill(role).await?;
    rig.fleet.start(role, &format!("{point}=kill"))?;
    if point.contains("remove") {
        clients::send_in_something_broken(rig, rng).await?;
    }
    struck.hit = rig.fleet.ends(role, Duration::from_secs(8)).await?.is_some();
    rig.fleet.kill(role).await?;
    let dead = Instant::now();
    rig.fleet.start(role, "")?;
    rig.fleet.api_is_up().await?;
    orphans_are_gone(rig, dead, &mut struck).await?;
    Ok(struck)
}

async fn server(rig: &mut Rig, signal: Signal, children: bool) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: signal.to_string(), hit: true, ..Struck::default() };
    rig.strike_server(signal, children).await?;
    let back = Instant::now();
    goes_on(rig, back, &mut struck).await?;
    survived(rig, &mut struck)?;
    Ok(struck)
}

async fn weather(rig: &mut Rig, weather: Weather, time: Duration) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: format!("{weather:?}"), ..Struck::default() };
    rig.proxy.took();
    rig.proxy.set(weather);
    sleep(time).await;
    rig.proxy.set(Weather::Fair);
    let fair = Instant::now();
    let (cut, delayed) = rig.proxy.took();
    struck.hit = cut + delayed > 0;
    struck.detail = format!("{weather:?}: {cut} connections cut, {delayed} pieces held");
    goes_on(rig, fair, &mut struck).await?;
    survived(rig, &mut struck)?;
    Ok(struck)
}

/// While the database is slow or silent, whoever asks for health gets an answer.
async fn slow(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: "2 s of delay, then silence for 8 s".to_owned(), ..Struck::default() };
    rig.proxy.took();
    for (weather, time) in [(Weather::Slow(Duration::from_secs(2)), 6), (Weather::Silent, 8)] {
        rig.proxy.set(weather);
        sleep(Duration::from_secs(time)).await;
        let url = format!("http://{}/healthz", rig.fleet.api);
        let asked = timeout(Duration::from_secs(3), reqwest::get(&url)).await;
        if !matches!(asked, Ok(Ok(_))) {
            struck.findings.push(format!("F11: /healthz gave no answer within 3 s under {weather:?}"));
        }
    }
    rig.proxy.set(Weather::Fair);
    let fair = Instant::now();
    struck.hit = rig.proxy.took().1 > 0;
    goes_on(rig, fair, &mut struck).await?;
    survived(rig, &mut struck)?;
    Ok(struck)
}

async fn deaf(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: "listeners".to_owned(), ..Struck::default() };
    let mut ended = 0;
    for _ in 0..10 {
        ended += sqlx::query_scalar!(
            r#"select count(pg_terminate_backend(pid)) as "count!" from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'"#
        )
        .fetch_one(&rig.pool)
        .await?;
        sleep(Duration::from_millis(100)).await;
    }
    struck.hit = ended > 0;
    struck.detail = format!("{ended} listeners ended");
    survived(rig, &mut struck)?;
    Ok(struck)
}

/// Waits until a job is run again.
async fn goes_on(rig: &Rig, fair: Instant, struck: &mut Struck) -> anyhow::Result<()> {
    let before = finished(rig).await?;
    while finished(rig).await? == before {
        if fair.elapsed() > Duration::from_secs(30) {
            struck.findings.push("nothing goes on 30 s after the fault".to_owned());
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    struck.recovery = Some(fair.elapsed());
    if fair.elapsed() > RECOVERY {
        struck.findings.push(format!("it took {:?} until a job ran again", fair.elapsed()));
    }
    Ok(())
}

async fn finished(rig: &Rig) -> anyhow::Result<i64> {
    let finished = sqlx::query_scalar!(r#"select count(*) as "count!" from jobs_done"#).fetch_one(&rig.pool).await?;
    Ok(finished)
}

/// A fault of the database ends no process.
fn survived(rig: &mut Rig, struck: &mut Struck) -> anyhow::Result<()> {
    for role in rig.fleet.tend()? {
        struck.findings.push(format!("{role} ended, and had to be started again"));
    }
    Ok(())
}
