//! The way to the overlay: from the purchase's first byte to `activation:new` at the channel's overlay.
//!
//! Every channel is idle and has one overlay connected by server-sent events; purchases come at a steady pace, each to the
//! next channel, so each is to be shown at once. The overlays answer as a screen does, `started` and then `done`.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgPool;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, sleep_until},
};
use uuid::Uuid;

use crate::{
    Bench,
    cluster::Cluster,
    cpu::Meter,
    http::{Connection, EventStream},
    load::Purchases,
    report::{Section, Target},
    samples::Samples,
    seed::{self, Stall},
};

const DATABASE: &str = "bench_overlays";
/// Purchases a second.
const PACE: u32 = 100;
/// Purchases on the way at once, at most; at this pace none waits for another.
const BUYERS: u32 = 16;
/// Kept connections over which overlays acknowledge.
const ANSWERERS: usize = 8;
/// How long a meme is "shown": shorter than the time until the channel's next purchase, so that channels are idle again.
const SHOWN: Duration = Duration::from_millis(300);
/// A bare commit is tried this often beside the purchases, under the same conditions as theirs.
const COMMIT_EVERY: Duration = Duration::from_millis(20);
/// What is allowed beyond three commits.
const ALLOWANCE_MS: f64 = 2.0;

/// What the buyers and the overlays share.
struct Board {
    /// By channel: when the purchase that has not been shown yet was sent.
    sent: Mutex<Vec<Option<Instant>>>,
    state: Mutex<Shown>,
    begin_counting: Instant,
}

#[derive(Debug, Default)]
struct Shown {
    samples: Samples,
    events: usize,
    /// Events that belong to no purchase: shown twice.
    strays: usize,
}

/// What a screen has to say.
struct Word {
    request: Vec<u8>,
}

/// `activation:new`, as far as a screen must know it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Play {
    id: Uuid,
    play_epoch: i64,
}

pub(crate) async fn measure(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Section> {
    let stalls = seed::ours(bench, cluster, DATABASE).await?;
    let server = seed::start_ours(bench, cluster, DATABASE, "overlays").await?;
    let purchases = Purchases::log_in(server.address, &stalls, "token_dev").await?;

    let alone = cluster.bare_commits(DATABASE, bench.plan.commits).await?;
    let warm_up = bench.plan.warm_up;
    let board = Arc::new(Board {
        sent: Mutex::new(vec![None; stalls.len()]),
        state: Mutex::default(),
        begin_counting: Instant::now() + warm_up + Duration::from_secs(1),
    });
    let (words, said) = mpsc::unbounded_channel();
    let mut screens = open_screens(server.address, &stalls, &board, &words).await?;
    let mut answerers = answer(server.address, said).await?;

    let beside = Arc::new(Mutex::new(Samples::default()));
    let committing = cluster.bare_commits_beside(DATABASE, COMMIT_EVERY, beside.clone()).await?;
    let meter = Meter::new(server.pid()?, cluster.pid()?);
    cluster.forget_statements().await?;
    let before = meter.read()?;
    let load_time = warm_up + bench.plan.overlay_time;
    let bought = buy(server.address, &purchases, &board, load_time).await?;
    let cpu = meter.read()?.since(before);
    ensure!(!committing.is_finished(), "the bare commits broke off: {:?}", committing.await);
    committing.abort();
    let statements = cluster.told_statements().await?;
    if !statements.is_empty() {
        eprintln!("PostgreSQL's time on the way to the overlays:\n{statements}");
    }
    wait_until_shown(&board, bought).await?;
    let resident = server.resident()?;

    let pool = cluster.pool(DATABASE).await?;
    check(&pool, bought).await?;
    pool.close().await;
    for tasks in [&mut screens, &mut answerers] {
        if let Some(ended) = tasks.try_join_next() {
            ended.context("an overlay's task broke")??;
        }
        tasks.shutdown().await;
    }
    server.stop().await?;
    cluster.drop(DATABASE).await?;

    let shown = std::mem::take(&mut *board.state.lock().unwrap_or_else(PoisonError::into_inner));
    ensure!(shown.strays == 0, "{} memes were shown twice", shown.strays);
    let beside = std::mem::take(&mut *beside.lock().unwrap_or_else(PoisonError::into_inner));
    let (latency, commit, alone) = (shown.samples.summary(), beside.summary(), alone.summary());
    let mut section = Section::new(format!(
        "Purchase to overlay: {PACE}/s over {} idle channels, each with an overlay on server-sent events",
        stalls.len()
    ));
    section.columns(&["", "count", "p50 ms", "p90 ms", "p99 ms", "max ms"]);
    for (name, summary) in [
        ("purchase sent to `activation:new` received", latency),
        ("bare commit beside it", commit),
        ("bare commit alone", alone),
    ] {
        section.row(vec![
            name.to_owned(),
            summary.count.to_string(),
            format!("{:.2}", summary.p50_ms),
            format!("{:.2}", summary.p90_ms),
            format!("{:.2}", summary.p99_ms),
            format!("{:.2}", summary.max_ms),
        ]);
    }
    let seconds = load_time.as_secs_f64();
    section.note(format!(
        "CPU: server {:.0} %, PostgreSQL {:.0} %, load {:.0} % of one core; RSS of the server {resident:.0} MiB",
        cpu.server / seconds * 100.0,
        cpu.postgres / seconds * 100.0,
        cpu.load / seconds * 100.0
    ));
    let limit = 3.0 * commit.p50_ms + ALLOWANCE_MS;
    section.target(Target::at_most("p50, to three bare commits and 2 ms", latency.p50_ms, limit, "ms"));
    section.detail(
        json!({ "latency": latency, "commit": commit, "commitAlone": alone, "cpu": cpu, "residentMib": resident }),
    );
    Ok(section)
}

/// Connects an overlay a channel and waits until each has heard its `overlay:state`.
async fn open_screens(
    address: SocketAddr,
    stalls: &[Stall],
    board: &Arc<Board>,
    words: &mpsc::UnboundedSender<Word>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut screens = JoinSet::new();
    for (channel, stall) in stalls.iter().enumerate() {
        let screen = Uuid::new_v4();
        let request = format!(
            "GET /overlay/t/{}/events?screen=obs&screenId={screen} HTTP/1.1\r\nhost: localhost\r\n\
             accept: text/event-stream\r\n\r\n",
            stall.overlay_token
        );
        let mut events = Connection::open(address).await?.stream(request.as_bytes()).await?;
        while events.next().await?.0 != "overlay:state" {}
        let screen =
            Screen { channel, screen, token: stall.overlay_token.clone(), board: board.clone(), words: words.clone() };
        screens.spawn(screen.watch(events));
    }
    Ok(screens)
}

struct Screen {
    channel: usize,
    screen: Uuid,
    token: String,
    board: Arc<Board>,
    words: mpsc::UnboundedSender<Word>,
}

impl Screen {
    async fn watch(self, mut events: EventStream) -> anyhow::Result<()> {
        loop {
            let (name, data) = events.next().await?;
            if name != "activation:new" {
                continue;
            }
            self.board.shown(self.channel, Instant::now());
            let play: Play = serde_json::from_str(&data).context("activation:new")?;
            self.say(&play, "started")?;
            sleep(SHOWN).await;
            self.say(&play, "done")?;
        }
    }

    fn say(&self, play: &Play, state: &str) -> anyhow::Result<()> {
        let body = json!({ "state": state, "playEpoch": play.play_epoch, "screenId": self.screen }).to_string();
        let request = format!(
            "POST /overlay/t/{}/activations/{}/ack HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            play.id,
            body.len()
        );
        self.words.send(Word { request: request.into_bytes() }).ok().context("nobody acknowledges any more")
    }
}

impl Board {
    fn sent(&self, channel: usize, at: Instant) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)[channel] = Some(at);
    }

    fn shown(&self, channel: usize, at: Instant) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner)[channel].take();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events += 1;
        match sent {
            Some(sent) if sent >= self.begin_counting => state.samples.add(at - sent),
            Some(_) => {}
            None => state.strays += 1,
        }
    }
}

/// Sends what the screens say, in their order as far as one connection goes.
async fn answer(
    address: SocketAddr,
    said: mpsc::UnboundedReceiver<Word>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let said = Arc::new(tokio::sync::Mutex::new(said));
    let mut answerers = JoinSet::new();
    for _ in 0..ANSWERERS {
        let (mut connection, said) = (Connection::open(address).await?, said.clone());
        answerers.spawn(async move {
            loop {
                let Some(word) = said.lock().await.recv().await else { return Ok(()) };
                let (status, answer) = connection.exchange(&word.request).await?;
                ensure!(status == 200, "an acknowledgement got {status}: {}", String::from_utf8_lossy(answer));
            }
        });
    }
    Ok(answerers)
}

/// Buys at the pace, each time in the next channel; says how often.
async fn buy(address: SocketAddr, purchases: &Purchases, board: &Arc<Board>, time: Duration) -> anyhow::Result<usize> {
    let channels = board.sent.lock().unwrap_or_else(PoisonError::into_inner).len();
    let total = u32::try_from(time.as_millis() * u128::from(PACE) / 1000)?;
    let begun = Instant::now() + Duration::from_millis(50);
    let mut buyers = JoinSet::new();
    for first in 0..BUYERS {
        let (purchases, board) = (purchases.clone(), board.clone());
        let mut connection = Connection::open(address).await?;
        buyers.spawn(async move {
            let mut request = Vec::new();
            for number in (first..total).step_by(BUYERS as usize) {
                let channel = number as usize % channels;
                purchases.write(channel, &format!("overlay-{number}"), &mut request);
                let due = begun + Duration::from_secs(1) * number / PACE;
                let late = Instant::now() > due;
                sleep_until(due.into()).await;
                // Whoever had to wait for the answer before counts from when it should have been sent.
                board.sent(channel, if late { due } else { Instant::now() });
                let (status, answer) = connection.exchange(&request).await?;
                ensure!(status == 200, "a purchase got {status}: {}", String::from_utf8_lossy(answer));
            }
            Ok(())
        });
    }
    while let Some(ended) = buyers.join_next().await {
        ended??;
    }
    Ok(total as usize)
}

async fn wait_until_shown(board: &Board, bought: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let events = board.state.lock().unwrap_or_else(PoisonError::into_inner).events;
        if events >= bought {
            // The last ones are still "on screen".
            sleep(SHOWN * 3).await;
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{bought} memes were bought, {events} were shown");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every purchase was shown and captured.
async fn check(pool: &PgPool, bought: usize) -> anyhow::Result<()> {
    let found = sqlx::query!(
        r#"select count(*) as "all!", count(*) filter (where status = 'done') as "done!" from activations"#
    )
    .fetch_one(pool)
    .await?;
    let bought = i64::try_from(bought)?;
    ensure!(
        found.all == bought && found.done == bought,
        "{bought} memes were bought, {} are there, {} are done",
        found.all,
        found.done
    );
    let mut connection = pool.acquire().await?;
    let mut breaches = domain::wallets::audit(&mut connection).await?;
    breaches.extend(domain::activations::audit(&mut connection).await?);
    ensure!(breaches.is_empty(), "the ledger does not add up: {}", breaches.join("; "));
    Ok(())
}
