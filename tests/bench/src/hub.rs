//! The hub: one process, thousands of subscribers on a hundred channels, each of whom hears twenty events a second.
//!
//! Events are recorded by this program, as a pool in another process does it: the server is told by PostgreSQL. In every
//! second round some subscribers of one channel stop reading; they must be dropped with a reason, and nobody else may
//! notice.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, ensure};
use domain::events::{self, Audience, NewEvent, Stream};
use queue::{Database, Wakes};
use serde::Serialize;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Bench,
    cluster::Cluster,
    cpu::{Cpu, Meter},
    crowd::{self, Board, Stuck, Subscriber},
    report::{Section, Target},
    samples::{Summary, median},
    seed,
    server::Server,
};

const DATABASE: &str = "bench_hub";
const CHANNELS: usize = 100;
const SUBSCRIBERS: usize = 5_000;
/// Events a second of each channel.
const PACE: u32 = 20;
/// The channels' events are recorded by so many transactions, one after another, each for its share of the channels.
const TRANSACTIONS: u32 = 5;
/// The channel whose events are large, and where some stop reading.
pub(crate) const LOUD: usize = 0;
const STUCK: usize = 50;
/// What those who do not read miss in a round: more than the system's buffers and the hub's ring hold.
const MISSED: usize = 8 * 1024 * 1024;
/// What an event of the other channels weighs, about as much as `activation:new`.
const WEIGHT: usize = 300;

const P99_MS: f64 = 100.0;
const CPU_PER_MILLION: f64 = 10.0;
const KIB_PER_CONNECTION: f64 = 48.0;
const DISTURBANCE: f64 = 1.5;

/// A round's figures.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    latency: Summary,
    /// Of the channel where some do not read.
    beside_slow: Summary,
    cpu: Cpu,
    seconds: f64,
    /// Server CPU seconds for a million events delivered.
    cpu_per_million: f64,
    /// Of those who stopped reading: how many were told why they were dropped.
    dropped: Option<usize>,
}

pub(crate) async fn measure(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Section> {
    let stalls = seed::ours(bench, cluster, DATABASE).await?;
    let slugs: Vec<String> = stalls.iter().take(CHANNELS).map(|stall| stall.slug.clone()).collect();
    let server = seed::start_ours(bench, cluster, DATABASE, "hub").await?;
    sleep(bench.plan.warm_up).await;
    let idle = server.resident()?;

    let board = Board::new(CHANNELS);
    let path = |channel: usize| format!("/channels/{}/events", slugs[channel]);
    let subscribers = (0..SUBSCRIBERS)
        .map(|number| Subscriber { channel: number % CHANNELS, path: path(number % CHANNELS) })
        .collect();
    let mut crowd = crowd::open(server.address, &board, subscribers).await?;
    sleep(bench.plan.warm_up).await;
    let connected = server.resident()?;

    let stop = CancellationToken::new();
    let round = bench.plan.hub_time;
    let padding = MISSED / (round.as_millis() * u128::from(PACE) / 1000) as usize;
    let recorder = Recorder::start(cluster.options(DATABASE), board.clone(), slugs.clone(), padding, stop.clone());
    sleep(bench.plan.warm_up).await;
    let meter = Meter::new(server.pid()?, cluster.pid()?);
    let mut calm = Vec::new();
    let mut disturbed = Vec::new();
    for _ in 0..bench.plan.hub_rounds {
        calm.push(listen(&server, meter, &board, round, None).await?);
        disturbed.push(listen(&server, meter, &board, round, Some(&path(LOUD))).await?);
    }
    let loaded = server.resident()?;
    stop.cancel();
    let recorded = tokio::task::spawn_blocking(move || recorder.join()).await?;
    recorded.map_err(|_| anyhow!("the recorder broke"))??;
    if let Some(ended) = crowd.try_join_next() {
        ended.context("a subscriber's task broke")??;
    }
    crowd.shutdown().await;
    server.stop().await?;
    cluster.drop(DATABASE).await?;
    ensure!(board.astray() == 0, "{} events did not come once and in their order", board.astray());
    Ok(tell(&calm, &disturbed, idle, connected, loaded))
}

/// One round; with `stuck`, some ask for that path and do not read until the round is over.
async fn listen(
    server: &Server,
    meter: Meter,
    board: &Board,
    time: Duration,
    stuck: Option<&str>,
) -> anyhow::Result<Round> {
    let stuck = match stuck {
        Some(path) => Some(Stuck::open(server.address, path, STUCK).await?),
        None => None,
    };
    let before = meter.read()?;
    let begun = Instant::now();
    board.begin_round();
    sleep(time).await;
    let heard = board.end_round();
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = meter.read()?.since(before);
    let dropped = match stuck {
        Some(stuck) => Some(stuck.told_why().await?),
        None => None,
    };
    let (latency, beside_slow) = (heard.latency.summary(), heard.beside_slow.summary());
    #[expect(clippy::cast_precision_loss, reason = "events of a round fit")]
    let cpu_per_million = cpu.server * 1e6 / latency.count as f64;
    Ok(Round { latency, beside_slow, cpu, seconds, cpu_per_million, dropped })
}

/// What records the events, on a thread of its own: its pace must not depend on how fast the crowd reads.
struct Recorder {
    db: Database,
    board: Arc<Board>,
    slugs: Vec<String>,
    /// Text in each event of the loud channel, and of the others.
    paddings: [String; 2],
}

impl Recorder {
    /// Records at the pace until stopped.
    fn start(
        options: PgConnectOptions,
        board: Arc<Board>,
        slugs: Vec<String>,
        loud: usize,
        stop: CancellationToken,
    ) -> JoinHandle<anyhow::Result<()>> {
        std::thread::spawn(move || {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            tokio.block_on(async {
                let (wakes, outward) = Wakes::new();
                let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
                let db = Database::new(pool, wakes);
                let exchange = tokio::spawn(queue::run_exchange(db.clone(), outward, stop.clone()));
                let recorder = Self { db, board, slugs, paddings: [loud, WEIGHT].map(|length| "x".repeat(length)) };
                recorder.keep_recording(&stop).await?;
                exchange.await?;
                recorder.db.pool().close().await;
                Ok(())
            })
        })
    }

    async fn keep_recording(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let begun = Instant::now();
        for number in 0.. {
            let due = begun + Duration::from_secs(1) * number / (PACE * TRANSACTIONS);
            if stop.run_until_cancelled(sleep_until(due.into())).await.is_none() {
                break;
            }
            self.record((number / TRANSACTIONS) as usize, (number % TRANSACTIONS) as usize).await?;
        }
        Ok(())
    }

    async fn record(&self, number: usize, share: usize) -> anyhow::Result<()> {
        let channels = (share..CHANNELS).step_by(TRANSACTIONS as usize);
        let events = channels.clone().map(|channel| {
            let padding = &self.paddings[usize::from(channel != LOUD)];
            let data = json!({ "number": number, "padding": padding });
            NewEvent::new(Stream::Channel(self.slugs[channel].clone()), Audience::PUBLIC, "bench:beat", &data)
        });
        let mut tx = self.db.begin().await?;
        events::record(&mut tx, events.collect()).await?;
        self.board.commits(channels);
        tx.commit().await?;
        Ok(())
    }
}

fn tell(calm: &[Round], disturbed: &[Round], idle: f64, connected: f64, loaded: f64) -> Section {
    let per_connection = |resident: f64| (resident - idle) * 1024.0 / SUBSCRIBERS as f64;
    let mut section = Section::new(format!(
        "Hub: {SUBSCRIBERS} subscribers of one process over {CHANNELS} channels, each hears {PACE} events a second"
    ));
    section.columns(&["medians of rounds", "events/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "CPU s per million"]);
    let of = |rounds: &[Round], figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
    #[expect(clippy::cast_precision_loss, reason = "events of a round fit")]
    let rate = |rounds: &[Round]| of(rounds, &|round| round.latency.count as f64 / round.seconds / SUBSCRIBERS as f64);
    let mut row = |name: &str, rounds: &[Round], summary: &dyn Fn(&Round) -> Summary| {
        section.row(vec![
            name.to_owned(),
            format!("{:.1}", rate(rounds)),
            format!("{:.2}", of(rounds, &|round| summary(round).p50_ms)),
            format!("{:.2}", of(rounds, &|round| summary(round).p90_ms)),
            format!("{:.2}", of(rounds, &|round| summary(round).p99_ms)),
            format!("{:.2}", of(rounds, &|round| summary(round).max_ms)),
            format!("{:.2}", of(rounds, &|round| round.cpu_per_million)),
        ]);
    };
    row("commit to subscriber's socket", calm, &|round| round.latency);
    row(&format!("the same beside {STUCK} who do not read"), disturbed, &|round| round.latency);
    row("  on their channel, without them", calm, &|round| round.beside_slow);
    row("  on their channel, with them", disturbed, &|round| round.beside_slow);
    let share = |name: &str, cpu: &dyn Fn(&Cpu) -> f64| {
        format!("{name} {:.0} %", of(calm, &|round| cpu(&round.cpu) / round.seconds * 100.0))
    };
    section.note(format!(
        "CPU: {}, {}, {} of one core",
        share("server", &|cpu| cpu.server),
        share("PostgreSQL", &|cpu| cpu.postgres),
        share("load", &|cpu| cpu.load)
    ));
    section.note(format!(
        "RSS of the server: {idle:.0} MiB idle, {connected:.0} MiB with {SUBSCRIBERS} silent connections ({:.1} KiB each), \
         {loaded:.0} MiB after the rounds",
        per_connection(connected)
    ));
    let p99 = of(calm, &|round| round.latency.p99_ms);
    let dropped = disturbed.iter().filter_map(|round| round.dropped).min().unwrap_or(0);
    section.target(Target::at_least("events a second at each subscriber", rate(calm), f64::from(PACE) * 0.99, ""));
    section.target(Target::at_most("p99 from commit to socket", p99, P99_MS, "ms"));
    section.target(Target::at_most(
        "server CPU for a million events delivered",
        of(calm, &|round| round.cpu_per_million),
        CPU_PER_MILLION,
        "s",
    ));
    section.target(Target::at_most("memory of a connection", per_connection(loaded), KIB_PER_CONNECTION, "KiB"));
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    section.target(Target::at_least(
        "dropped with a reason, of those who do not read",
        dropped as f64,
        STUCK as f64,
        "",
    ));
    section.target(Target::at_most(
        "p99 of the others, to the rounds without them",
        of(disturbed, &|round| round.latency.p99_ms) / p99,
        DISTURBANCE,
        "x",
    ));
    section.detail(json!({
        "calm": calm,
        "disturbed": disturbed,
        "residentMib": { "idle": idle, "connected": connected, "loaded": loaded },
    }));
    section
}
