//! The write path: a viewer buys, over 32 connections, ours against the peer.
//!
//! Rounds alternate, each on a fresh copy of the same world. After each round the database is asked whether it holds
//! exactly what was answered with 200.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use sqlx::PgPool;
use tokio::{process::Command, time::sleep};

use crate::{
    Bench,
    cluster::Cluster,
    cpu::{Cpu, Meter},
    load::{self, CONNECTIONS, Purchases},
    report::{Section, Target},
    samples::{Summary, median},
    seed::{self, PRICE, SECRET, Stall},
    server::Server,
};

/// At least so much more than the peer.
const RATIO: f64 = 2.0;
const ROUND_DATABASE: &str = "bench_round";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Ours,
    Peer,
}

impl Contender {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "memalerts",
            Self::Peer => "express",
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Ours => "bench_ours",
            Self::Peer => "bench_peer",
        }
    }

    /// The name of the session cookie.
    const fn cookie(self) -> &'static str {
        match self {
            Self::Ours => "token_dev",
            Self::Peer => "token",
        }
    }
}

/// One round of one contender.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    contender: &'static str,
    per_second: f64,
    latency: Summary,
    /// CPU seconds during the round.
    cpu: Cpu,
    /// Of the server at the end, MiB.
    resident: f64,
    /// Until the last job that the round had enqueued was done, after the last answer; ours only.
    jobs_done_after_ms: Option<f64>,
}

pub(crate) async fn measure(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Section> {
    let peer = bench.root.join("tests/peers/express");
    ensure!(peer.join("node_modules").is_dir(), "the peer is not installed: use `make bench`");
    let stalls = seed::ours(bench, cluster, Contender::Ours.template()).await?;
    seed::peer(cluster, Contender::Peer.template(), &peer, &stalls).await?;
    let scene = Scene { bench, cluster, stalls, peer };
    let mut rounds = Vec::new();
    for number in 0..bench.plan.rounds {
        // Who begins takes turns: nobody has the warmer machine for himself.
        let order = [Contender::Ours, Contender::Peer];
        let order = if number % 2 == 0 { order } else { [order[1], order[0]] };
        for contender in order {
            let round =
                scene.round(contender, number).await.with_context(|| format!("round of {}", contender.name()))?;
            tell(number, &round);
            rounds.push(round);
        }
    }
    for template in [Contender::Ours.template(), Contender::Peer.template(), ROUND_DATABASE] {
        cluster.drop(template).await?;
    }
    Ok(section(&rounds))
}

struct Scene<'a> {
    bench: &'a Bench,
    cluster: &'a Cluster,
    stalls: Vec<Stall>,
    peer: PathBuf,
}

impl Scene<'_> {
    async fn round(&self, contender: Contender, number: usize) -> anyhow::Result<Round> {
        self.cluster.copy(contender.template(), ROUND_DATABASE).await?;
        let pool = self.cluster.pool(ROUND_DATABASE).await?;
        let coins = coins(&pool).await?;
        let server = self.start(contender, number).await?;
        let purchases = Purchases::log_in(server.address, &self.stalls, contender.cookie()).await?;
        let warm_up = load::buy(server.address, &purchases, self.bench.plan.warm_up, "warm-up").await?;

        let meter = Meter::new(server.pid()?, self.cluster.pid()?);
        self.cluster.forget_statements().await?;
        let before = meter.read()?;
        let outcome = load::buy(server.address, &purchases, self.bench.plan.round, "round").await?;
        let cpu = meter.read()?.since(before);
        let answered = Instant::now();
        tell_statements(contender, &self.cluster.told_statements().await?);

        let bought = i64::try_from(warm_up.samples.len() + outcome.samples.len())?;
        let coins = coins - bought * PRICE;
        let jobs_done_after_ms = match contender {
            Contender::Ours => {
                jobs_done(&pool).await?;
                let after = answered.elapsed();
                check_ours(&pool, bought, coins).await?;
                Some(after.as_secs_f64() * 1000.0)
            }
            Contender::Peer => {
                check_peer(&pool, bought, coins).await?;
                None
            }
        };
        pool.close().await;
        let resident = server.resident()?;
        server.stop().await?;
        Ok(Round {
            contender: contender.name(),
            per_second: outcome.per_second(),
            latency: outcome.samples.summary(),
            cpu,
            resident,
            jobs_done_after_ms,
        })
    }

    async fn start(&self, contender: Contender, number: usize) -> anyhow::Result<Server> {
        let log = format!("{}-{}", contender.name(), number + 1);
        if contender == Contender::Ours {
            return seed::start_ours(self.bench, self.cluster, ROUND_DATABASE, &log).await;
        }
        let mut command = Command::new("node");
        command.arg("server.js").current_dir(&self.peer);
        let environment = [
            ("DATABASE_URL", self.cluster.url(ROUND_DATABASE)),
            ("JWT_SECRET", SECRET.to_owned()),
            ("NODE_ENV", "production".to_owned()),
            ("POOL_SIZE", self.bench.peer_pool.to_string()),
        ];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        Server::start(command, &environment, &self.bench.out.join(format!("{log}.log"))).await
    }
}

/// What all viewers own; both contenders keep it alike.
async fn coins(pool: &PgPool) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar!(r#"select sum(balance)::bigint as "coins!" from wallets"#).fetch_one(pool).await?)
}

/// Waits until no job is due.
async fn jobs_done(pool: &PgPool) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let due = sqlx::query_scalar!(
            r#"select count(*) as "due!" from jobs where state = 'running' or state = 'ready' and run_at <= app_now()"#
        )
        .fetch_one(pool)
        .await?;
        if due == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{due} jobs were not done within a minute after the load");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every purchase is there once, is paid for, and has its events; and the ledger adds up.
async fn check_ours(pool: &PgPool, bought: i64, coins: i64) -> anyhow::Result<()> {
    let found = sqlx::query!(
        r#"select (select count(*) from activations) as "activations!",
                  (select sum(balance)::bigint from wallets) as "coins!",
                  (select count(*) from ledger_operations where kind = 'place') as "operations!",
                  (select count(*) from idempotency_keys where status = 200) as "answers!",
                  (select count(*) from events where name = 'wallet:updated' and data like '%"activation"%') as "events!""#
    )
    .fetch_one(pool)
    .await?;
    ensure!(found.activations == bought, "{bought} purchases were granted, {} are there", found.activations);
    ensure!(found.coins == coins, "the wallets should hold {coins} coins, they hold {}", found.coins);
    ensure!(found.operations == bought, "{bought} purchases, {} payments", found.operations);
    ensure!(found.answers == bought, "{bought} purchases, {} stored answers", found.answers);
    ensure!(found.events == bought, "{bought} purchases, {} events", found.events);
    let mut connection = pool.acquire().await?;
    let mut breaches = domain::wallets::audit(&mut connection).await?;
    breaches.extend(domain::activations::audit(&mut connection).await?);
    ensure!(breaches.is_empty(), "the ledger does not add up: {}", breaches.join("; "));
    Ok(())
}

async fn check_peer(pool: &PgPool, bought: i64, coins: i64) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the tables are the peer's, not ours")]
    let (activations, rows, held): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from activations), (select count(*) from ledger),
                (select sum(balance)::bigint from wallets)",
    )
    .fetch_one(pool)
    .await?;
    ensure!(activations == bought, "{bought} purchases were granted, {activations} are there");
    ensure!(rows == bought, "{bought} purchases, {rows} rows in the ledger");
    ensure!(held == coins, "the wallets should hold {coins} coins, they hold {held}");
    Ok(())
}

/// Progress, for whoever waits.
fn tell(number: usize, round: &Round) {
    eprintln!(
        "round {} {:<9} {:>6.0}/s, p50 {:.1} ms, p99 {:.1} ms",
        number + 1,
        round.contender,
        round.per_second,
        round.latency.p50_ms,
        round.latency.p99_ms
    );
}

fn tell_statements(contender: Contender, statements: &str) {
    if !statements.is_empty() {
        eprintln!("PostgreSQL's time in a round of {}:\n{statements}", contender.name());
    }
}

fn section(rounds: &[Round]) -> Section {
    let of = |contender: Contender, value: fn(&Round) -> f64| {
        median(rounds.iter().filter(|round| round.contender == contender.name()).map(value))
    };
    let mut section = Section::new(format!(
        "Activation write path: {CONNECTIONS} connections; server, database and load on the same cores; medians of {} rounds",
        rounds.len() / 2
    ));
    section.columns(&[
        "",
        "per second",
        "p50 ms",
        "p99 ms",
        "CPU µs a purchase: server",
        "PostgreSQL",
        "load",
        "RSS MiB",
    ]);
    for contender in [Contender::Ours, Contender::Peer] {
        let each = |share: fn(&Cpu) -> f64| {
            let rounds = rounds.iter().filter(|round| round.contender == contender.name());
            #[expect(clippy::cast_precision_loss, reason = "requests of a round fit")]
            median(rounds.map(|round| share(&round.cpu) * 1e6 / round.latency.count as f64))
        };
        section.row(vec![
            contender.name().to_owned(),
            format!("{:.0}", of(contender, |round| round.per_second)),
            format!("{:.1}", of(contender, |round| round.latency.p50_ms)),
            format!("{:.1}", of(contender, |round| round.latency.p99_ms)),
            format!("{:.0}", each(|cpu| cpu.server)),
            format!("{:.0}", each(|cpu| cpu.postgres)),
            format!("{:.0}", each(|cpu| cpu.load)),
            format!("{:.0}", of(contender, |round| round.resident)),
        ]);
    }
    let after = median(rounds.iter().filter_map(|round| round.jobs_done_after_ms));
    section
        .note(format!("ours also does its jobs meanwhile; the last one was done {after:.0} ms after the last answer"));
    let ratio = of(Contender::Ours, |round| round.per_second) / of(Contender::Peer, |round| round.per_second).max(1.0);
    section.target(Target::at_least("purchases, ours to the peer", ratio, RATIO, "x"));
    let p99 = of(Contender::Ours, |round| round.latency.p99_ms);
    let peer_p99 = of(Contender::Peer, |round| round.latency.p99_ms);
    section.target(Target::at_most("p99, below the peer's", p99, peer_p99, "ms"));
    section.detail(rounds);
    section
}
