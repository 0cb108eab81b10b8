//! Chats: what is said in a thousand of them at once, from the platform's socket to whoever reads along; and the way back.
//!
//! The simulator of Twitch runs in this program, as strict as Twitch with joins: 20 in 10 s, so that the thousandth is in after
//! eight minutes. One process of everything reads all chats. Some people read along by server-sent events.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use chat::simulator::twitch::{Settings, Simulator};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Bench,
    cluster::Cluster,
    cpu::Meter,
    http::{Connection, EventStream},
    report::{Section, Target},
    samples::{Samples, Summary},
    seed::{self, Stall},
};

const DATABASE: &str = "bench_chats";
/// Messages a second, of all chats together.
const PACE: usize = 10_000;
/// How often some of them are said.
const TICK: Duration = Duration::from_millis(5);
/// Chats whose messages somebody reads along.
const READ_ALONG: usize = 20;
/// People who speak in each chat.
const SPEAKERS: usize = 5;
/// As many as Twitch lets an account say in half a minute, but for some.
const SAYINGS: usize = 15;
/// Joins that Twitch lets an account do in [`JOIN_WINDOW`].
const JOINS: usize = 20;
const JOIN_WINDOW: Duration = Duration::from_secs(10);
const CALM: Duration = Duration::from_secs(5);

const P99_MS: f64 = 250.0;
const SAY_P50_MS: f64 = 20.0;
const RESIDENT_MIB: f64 = 150.0;

/// When each message was said, and how late it was heard.
#[derive(Default)]
struct Board {
    said: Vec<Instant>,
    heard: Samples,
}

pub(crate) async fn measure(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Section> {
    let stalls = seed::ours(bench, cluster, DATABASE).await?;
    let stalls = stalls.get(..bench.plan.chats).context("fewer channels than chats")?;
    let twitch =
        Simulator::start(Settings::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), CancellationToken::new()).await?;
    let (reading, sending) = (twitch.websocket_url(), twitch.plain_url());
    let known = [
        ("TWITCH_IRC_URL", reading.as_str()),
        ("TWITCH_IRC_SEND_URL", sending.as_str()),
        ("CHAT_BOT_LOGIN", "bench_bot"),
        ("CHAT_BOT_OAUTH_TOKEN", "oauth:bench"),
    ];
    let server = seed::start_ours_with(bench, cluster, DATABASE, "chats", &known).await?;
    let tokens = switch_on(server.address, stalls).await?;
    let joined = join(&twitch, stalls).await?;
    sleep(CALM).await;
    let resident = server.resident()?;

    let said_by_us = say(server.address, &twitch, stalls, &tokens).await?;

    let board = Arc::new(Mutex::new(Board::default()));
    let mut readers = read_along(server.address, &tokens, &board).await?;
    let pool = cluster.pool(DATABASE).await?;
    let count = async || -> anyhow::Result<usize> {
        let count = sqlx::query_scalar!(r#"select count(*) as "count!" from chat_messages"#).fetch_one(&pool).await?;
        Ok(usize::try_from(count)?)
    };
    let before = count().await?;
    let meter = Meter::new(server.pid()?, cluster.pid()?);
    let cpu = meter.read()?;
    let begun = Instant::now();
    let total = speak(&twitch, stalls, &board, bench.plan.chat_time).await?;
    let spoken = begun.elapsed();
    let cpu = meter.read()?.since(cpu);
    while count().await? < before + total {
        ensure!(
            begun.elapsed() < spoken * 4 + Duration::from_secs(30),
            "messages were lost: {} of {total}",
            count().await? - before
        );
        sleep(Duration::from_millis(20)).await;
    }
    let ingested = begun.elapsed();
    sleep(CALM).await;
    let busy = server.resident()?;
    pool.close().await;
    if let Some(ended) = readers.try_join_next() {
        ended.context("a reader's task broke")??;
    }
    readers.shutdown().await;
    server.stop().await?;
    cluster.drop(DATABASE).await?;

    let heard = std::mem::take(&mut board.lock().unwrap_or_else(PoisonError::into_inner).heard);
    let expected = total.div_ceil(stalls.len()) * READ_ALONG.min(stalls.len());
    ensure!(heard.len() + READ_ALONG >= expected, "{} of {expected} messages were heard", heard.len());
    let (heard, said_by_us) = (heard.summary(), said_by_us.summary());
    let mut section = Section::new(format!(
        "Chats: {} of them read by one process, {PACE} messages a second in all, {} of them read along",
        stalls.len(),
        READ_ALONG.min(stalls.len()),
    ));
    section.columns(&["", "count", "p50 ms", "p90 ms", "p99 ms", "max ms"]);
    for (name, summary) in [
        ("message at the platform to `new_message` received", heard),
        ("say requested to the line at the platform", said_by_us),
    ] {
        section.row(row(name, summary));
    }
    let seconds = spoken.as_secs_f64();
    section.note(format!(
        "all joined after {:.0} s; {total} messages said in {seconds:.1} s, recorded {:.1} s after the last",
        joined.as_secs_f64(),
        ingested.saturating_sub(spoken).as_secs_f64()
    ));
    section.note(format!(
        "CPU: server {:.0} %, PostgreSQL {:.0} %, load {:.0} % of one core; RSS of the server {resident:.0} MiB when all \
         were joined, {busy:.0} MiB after the load",
        cpu.server / seconds * 100.0,
        cpu.postgres / seconds * 100.0,
        cpu.load / seconds * 100.0
    ));
    section.target(Target::at_most("p99 from a message to who reads along", heard.p99_ms, P99_MS, "ms"));
    section.target(Target::at_most("p50 of a say", said_by_us.p50_ms, SAY_P50_MS, "ms"));
    section.target(Target::at_most("RSS with all chats joined", resident, RESIDENT_MIB, "MiB"));
    section.detail(json!({
        "chats": stalls.len(), "heard": heard, "say": said_by_us, "cpu": cpu, "joinedSeconds": joined.as_secs_f64(),
        "spokenSeconds": seconds, "ingestedSeconds": ingested.as_secs_f64(), "residentMib": resident, "residentBusyMib": busy,
    }));
    Ok(section)
}

fn row(name: &str, summary: Summary) -> Vec<String> {
    let of = |ms: f64| format!("{ms:.2}");
    let Summary { count, p50_ms, p90_ms, p99_ms, max_ms, .. } = summary;
    vec![name.to_owned(), count.to_string(), of(p50_ms), of(p90_ms), of(p99_ms), of(max_ms)]
}

/// The streamers log in and switch their bots on; their tokens.
async fn switch_on(address: SocketAddr, stalls: &[Stall]) -> anyhow::Result<Vec<String>> {
    let mut connection = Connection::open(address).await?;
    let mut tokens = Vec::with_capacity(stalls.len());
    for stall in stalls {
        let login = json!({ "login": stall.slug, "role": "streamer" });
        let answer = send(&mut connection, "POST", "/auth/dev/login", None, &login).await?;
        let token = answer["token"].as_str().context("the login gave no token")?.to_owned();
        send(&mut connection, "PATCH", "/streamer/bots/twitch", Some(&token), &json!({ "enabled": true })).await?;
        tokens.push(token);
    }
    Ok(tokens)
}

async fn send(
    connection: &mut Connection,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> anyhow::Result<Value> {
    let body = body.to_string();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{token}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = connection.exchange(request.as_bytes()).await?;
    ensure!((200..300).contains(&status), "{method} {path} got {status}: {}", String::from_utf8_lossy(answer));
    Ok(serde_json::from_slice(answer)?)
}

/// Waits until the bot is in all chats; how long that took.
async fn join(twitch: &Simulator, stalls: &[Stall]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let windows = u32::try_from(stalls.len().div_ceil(JOINS))?;
    let patience = JOIN_WINDOW * windows * 2 + Duration::from_secs(60);
    for stall in stalls {
        while twitch.members(&stall.slug) == 0 {
            ensure!(begun.elapsed() < patience, "nobody is in the chat of {} after {patience:?}", stall.slug);
            sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(begun.elapsed())
}

/// Has the bot say something, each time in another chat, and waits for each line.
async fn say(address: SocketAddr, twitch: &Simulator, stalls: &[Stall], tokens: &[String]) -> anyhow::Result<Samples> {
    let mut connection = Connection::open(address).await?;
    let mut samples = Samples::default();
    for (stall, token) in stalls.iter().zip(tokens).take(SAYINGS) {
        let begun = Instant::now();
        let saying = json!({ "provider": "twitch", "message": "a word of the bench" });
        send(&mut connection, "POST", "/streamer/bot/say", Some(token), &saying).await?;
        while twitch.received("PRIVMSG", &stall.slug).is_empty() {
            ensure!(begun.elapsed() < CALM * 6, "nothing was said in the chat of {}", stall.slug);
            sleep(Duration::from_millis(1)).await;
        }
        samples.add(begun.elapsed());
        sleep(Duration::from_millis(200)).await;
    }
    Ok(samples)
}

async fn read_along(
    address: SocketAddr,
    tokens: &[String],
    board: &Arc<Mutex<Board>>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut readers = JoinSet::new();
    for token in tokens.iter().take(READ_ALONG) {
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        let events = Connection::open(address).await?.stream(request.as_bytes()).await?;
        readers.spawn(listen(events, board.clone()));
    }
    // The streams are open when their first bytes are there; what is said from now on is heard.
    sleep(CALM).await;
    Ok(readers)
}

async fn listen(mut events: EventStream, board: Arc<Mutex<Board>>) -> anyhow::Result<()> {
    loop {
        let (name, data) = events.next().await?;
        let now = Instant::now();
        ensure!(name != "closed", "a stream was closed: {data}");
        if name != "new_message" {
            continue;
        }
        let message: Value = serde_json::from_str(&data).context("new_message")?;
        let number = message["message"].as_str().and_then(|text| text.strip_prefix("number "));
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else { continue };
        let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
        let said = *board.said.get(number).context("a message that nobody said")?;
        board.heard.add(now - said);
    }
}

/// People speak at the pace, in one chat after another; how much was said.
async fn speak(twitch: &Simulator, stalls: &[Stall], board: &Mutex<Board>, time: Duration) -> anyhow::Result<usize> {
    let begun = Instant::now();
    let total = PACE * usize::try_from(time.as_millis())? / 1000;
    let mut number = 0;
    while number < total {
        let due = PACE * usize::try_from(begun.elapsed().as_micros())? / 1_000_000;
        while number < due.min(total) {
            let speaker = format!("viewer_{}", number / stalls.len() % SPEAKERS);
            board.lock().unwrap_or_else(PoisonError::into_inner).said.push(Instant::now());
            twitch.say(&stalls[number % stalls.len()].slug, &speaker, &format!("number {number}"));
            number += 1;
        }
        sleep(TICK).await;
    }
    Ok(total)
}
