//! Faults that clients are: twins, racers, a quarrel, a crowd.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, ensure};
use domain::{
    accounts::{self, Role},
    wallets,
};
use queue::{Database, Wakes};
use rand::{RngExt as _, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::Struck;
use crate::{fleet::Extra, rig::Rig, uploads, world::PRICE};

/// How many of them.
pub(super) const MANY: u32 = 64;
/// Purchases of a round that twins make, races and quarrels of one: what surrounds them, and the proof, cost seconds, and
/// they take a tenth.
pub(super) const TWINS: u32 = 4;
pub(super) const RACES: u32 = 25;
pub(super) const QUARRELS: u32 = 40;
const PATIENCE: Duration = Duration::from_secs(10);

/// A viewer made for this round, with his session and coins in the first channel.
pub(super) struct Buyer {
    pub(super) id: Uuid,
    pub(super) token: String,
}

impl Buyer {
    pub(super) async fn with_coins(rig: &Rig, coins: i64, rng: &mut StdRng) -> anyhow::Result<Self> {
        let login = format!("buyer_{:012x}", rng.random::<u64>() >> 16);
        let db = Database::new(rig.pool.clone(), Wakes::new().0);
        let mut tx = db.begin().await?;
        let admin = accounts::upsert_by_login(&mut tx, "chaos-admin", "Admin", Role::Admin).await?;
        let viewer = accounts::upsert_by_login(&mut tx, &login, &login, Role::Viewer).await?;
        let channel =
            domain::channels::find_by_slug(&mut tx, &rig.world.channels[0].slug).await?.context("a channel")?;
        wallets::adjust(&mut tx, admin.id, wallets::Adjustment::new(viewer.id, channel.id, coins, "chaos")).await?;
        tx.commit().await?;
        Ok(Self { id: viewer.id, token: log_in(rig, &login, "viewer").await? })
    }
}

pub(super) async fn log_in(rig: &Rig, login: &str, role: &str) -> anyhow::Result<String> {
    let url = format!("http://{}/auth/dev/login", rig.fleet.api);
    let answer =
        Client::new().post(url).json(&json!({ "login": login, "role": role })).timeout(PATIENCE).send().await?;
    let body: Value = answer.json().await?;
    Ok(body["token"].as_str().context("a token")?.to_owned())
}

/// Buys in the first channel until there is an answer that counts, and keeps the journal.
async fn buy(rig: &Rig, http: &Client, buyer: &Buyer, key: Uuid) -> JoinSet<anyhow::Result<(StatusCode, Value)>> {
    let mut task = JoinSet::new();
    let (http, token, journal) = (http.clone(), buyer.token.clone(), rig.journal.clone());
    let url = format!("http://{}/memes/{}/activate", rig.fleet.api, rig.world.channels[0].meme);
    task.spawn(async move {
        let begun = Instant::now();
        loop {
            let sent = http.post(&url).bearer_auth(&token).header("Idempotency-Key", key.to_string()).timeout(PATIENCE);
            if let Ok(answer) = sent.send().await {
                let status = answer.status();
                ensure!(status != StatusCode::INTERNAL_SERVER_ERROR, "a purchase got 500");
                if let Ok(body) = answer.bytes().await
                    && !status.is_server_error()
                    && !matches!(status.as_u16(), 409 | 429)
                {
                    journal.acked(key, status.as_u16(), &body)?;
                    return Ok((status, serde_json::from_slice(&body)?));
                }
            }
            ensure!(begun.elapsed() < Duration::from_secs(60), "no answer that counts for a minute");
            sleep(Duration::from_millis(50)).await;
        }
    });
    task
}

async fn all(tasks: Vec<JoinSet<anyhow::Result<(StatusCode, Value)>>>) -> anyhow::Result<Vec<(StatusCode, Value)>> {
    let mut answers = Vec::new();
    for mut task in tasks {
        answers.push(task.join_next().await.context("a task")???);
    }
    Ok(answers)
}

/// 64 times the same purchase, a few times over; in half of the rounds the API dies during one of them.
pub(super) async fn twins(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: format!("{TWINS} times {MANY} twins"), hit: true, ..Struck::default() };
    let buyer = Buyer::with_coins(rig, i64::from(TWINS) * PRICE * 2, rng).await?;
    let http = Client::new();
    let fatal = rng.random_bool(0.5).then(|| rng.random_range(0..TWINS));
    for birth in 0..TWINS {
        let key = Uuid::from_u128(rng.random());
        rig.journal.sent(key, buyer.id, rig.world.channels[0].meme)?;
        let mut tasks = Vec::new();
        for _ in 0..MANY {
            tasks.push(buy(rig, &http, &buyer, key).await);
        }
        if fatal == Some(birth) {
            sleep(Duration::from_millis(rng.random_range(0..40))).await;
            rig.fleet.kill("api").await?;
            rig.fleet.start("api", "")?;
            struck.detail = format!("{TWINS} times {MANY} twins, once over the death of the API");
        }
        let answers: BTreeSet<String> =
            all(tasks).await?.into_iter().map(|(status, body)| format!("{} {body}", status.as_u16())).collect();
        if answers.len() != 1 {
            struck
                .findings
                .push(format!("F15: {MANY} equal requests got {} different answers: {answers:?}", answers.len()));
        }
        // Another question under the same key.
        let url = format!("http://{}/memes/{}/activate", rig.fleet.api, rig.world.channels[1].meme);
        rig.fleet.api_is_up().await?;
        let other = http.post(url).bearer_auth(&buyer.token).header("Idempotency-Key", key.to_string()).send().await?;
        if other.status() != StatusCode::UNPROCESSABLE_ENTITY {
            struck.findings.push(format!("F15: another question under the same key got {}", other.status()));
        }
    }
    paid_once(rig, &buyer, i64::from(TWINS), &mut struck).await?;
    Ok(struck)
}

/// 64 purchases, coins for one; many such races, of a buyer each.
pub(super) async fn racers(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: format!("{RACES} races of {MANY}"), hit: true, ..Struck::default() };
    let http = Client::new();
    for _ in 0..RACES {
        let buyer = Buyer::with_coins(rig, PRICE + PRICE / 2, rng).await?;
        let mut tasks = Vec::new();
        for _ in 0..MANY {
            let key = Uuid::from_u128(rng.random());
            rig.journal.sent(key, buyer.id, rig.world.channels[0].meme)?;
            tasks.push(buy(rig, &http, &buyer, key).await);
        }
        let granted = all(tasks).await?.iter().filter(|(status, _)| status.is_success()).count();
        // What a streamer of the load skipped meanwhile paid for another one.
        let returned = sqlx::query_scalar!(
            r#"select count(*) as "count!" from activations where user_id = $1 and status in ('cancelled', 'failed')"#,
            buyer.id
        )
        .fetch_one(&rig.pool)
        .await?;
        if granted == 0 || granted > 1 + usize::try_from(returned)? {
            let coins = format!("coins for one, and {returned} given back");
            struck.findings.push(format!("F16: {granted} of {MANY} purchases were granted, with {coins}"));
        }
    }
    Ok(struck)
}

/// How often the buyer was charged, whatever came back since.
async fn paid_once(rig: &Rig, buyer: &Buyer, times: i64, struck: &mut Struck) -> anyhow::Result<()> {
    let paid = sqlx::query_scalar!(
        r#"select count(*) as "count!" from ledger_operations where kind = 'place' and actor_id = $1"#,
        buyer.id
    )
    .fetch_one(&rig.pool)
    .await?;
    if paid != times {
        struck.findings.push(format!("I5: charged {paid} times instead of {times}"));
    }
    Ok(())
}

/// One activation, and five who want to end it: its viewer, the streamer twice, and two screens that do not agree. Many
/// such quarrels, one after the other.
pub(super) async fn quarrel(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let struck =
        Struck { detail: format!("{QUARRELS} times five ends of one activation"), hit: true, ..Struck::default() };
    let buyer = Buyer::with_coins(rig, i64::from(QUARRELS) * PRICE, rng).await?;
    let place = rig.world.channels[0].clone();
    let streamer = log_in(rig, &place.owner_login, "streamer").await?;
    let http = Client::new();
    let base = format!("http://{}", rig.fleet.api);
    for _ in 0..QUARRELS {
        let key = Uuid::from_u128(rng.random());
        rig.journal.sent(key, buyer.id, place.meme)?;
        let (_, body) = all(vec![buy(rig, &http, &buyer, key).await]).await?.pop().context("an answer")?;
        let id = body["activation"]["id"].as_str().context("the activation's id")?.to_owned();
        sleep(Duration::from_millis(rng.random_range(0..60))).await;
        let ack = format!("{base}/overlay/t/{}/activations/{id}/ack", place.overlay_token);
        let words = [
            http.delete(format!("{base}/me/activations/{id}")).bearer_auth(&buyer.token),
            http.post(format!("{base}/streamer/queue/skip")).bearer_auth(&streamer).json(&json!({})),
            http.post(format!("{base}/streamer/queue/clear")).bearer_auth(&streamer).json(&json!({})),
            http.post(&ack).json(&json!({ "state": "done", "screenId": Uuid::from_u128(1) })),
            http.post(&ack).json(&json!({ "state": "failed", "screenId": Uuid::from_u128(2) })),
        ];
        let mut said = JoinSet::new();
        for word in words {
            said.spawn(word.timeout(PATIENCE).send());
        }
        while let Some(answer) = said.join_next().await {
            let answer = answer??;
            if answer.status() == StatusCode::INTERNAL_SERVER_ERROR {
                rig.findings.add(format!("500 from {}", answer.url().path()));
            }
        }
    }
    Ok(struck)
}

/// An API that has little of everything, and more people than it has places: some who ask once and keep their connection,
/// then some who hold one with a stream while others ask.
pub(super) async fn crowd(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    rig.fleet.kill("api").await?;
    rig.fleet.together = false;
    let poor =
        Extra { environment: vec![("DATABASE_POOL_SIZE", "2".to_owned())], files: Some(256), ..Extra::default() };
    rig.fleet.start_with("api", &poor)?;
    rig.fleet.api_is_up().await?;
    let before = rig.fleet.descriptors("api").context("the API has ended")?;
    let place = &rig.world.channels[0];
    let memes = format!("http://{}/channels/{}/memes", rig.fleet.api, place.slug);
    let events = format!("http://{}/channels/{}/events", rig.fleet.api, place.slug);
    let idle = Client::new();
    let (served, refused) = ask_at_once(&idle, &memes, 400, &mut struck).await?;
    struck.detail = format!("pool 2, 256 files: of 400 clients {served} served, {refused} refused");
    let mut holding = Vec::new();
    // A client of its own holds a connection of its own. The last one finds no place.
    while let Ok(stream) = Client::new().get(&events).timeout(Duration::from_mins(1)).send().await
        && stream.status().is_success()
        && holding.len() < 256
    {
        holding.push(stream);
    }
    let (served, refused) = ask_at_once(&Client::new(), &memes, 50, &mut struck).await?;
    struck.detail =
        format!("{}; behind {} streams of 50 {served} served, {refused} refused", struck.detail, holding.len());
    drop(holding);
    let calm = Instant::now();
    rig.fleet.api_is_up().await?;
    struck.recovery = Some(calm.elapsed());
    if calm.elapsed() > Duration::from_secs(5) {
        struck.findings.push(format!("F43: the API was up {:?} after the crowd", calm.elapsed()));
    }
    drop(idle);
    while rig.fleet.descriptors("api").context("the API has ended")? > before + CIRCLE {
        if calm.elapsed() > Duration::from_secs(15) {
            let after = rig.fleet.descriptors("api").context("the API has ended")?;
            struck.findings.push(format!("F43: {after} files are open 15 s after the crowd, {before} before it"));
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    rig.fleet.kill("api").await?;
    rig.fleet.start("api", "")?;
    rig.fleet.api_is_up().await?;
    Ok(struck)
}

/// Connections that the load may have more at one time than at another.
const CIRCLE: usize = 40;
/// Whoever cannot be served hears so within this time.
const FAST: Duration = Duration::from_secs(4);

/// How many were served and how many told to come again; any other answer, none, and a late one are findings.
async fn ask_at_once(http: &Client, url: &str, clients: u32, struck: &mut Struck) -> anyhow::Result<(u32, u32)> {
    let mut asked = JoinSet::new();
    for _ in 0..clients {
        let asking = http.get(url).timeout(PATIENCE).send();
        asked.spawn(async move {
            let begun = Instant::now();
            (asking.await, begun.elapsed())
        });
    }
    let (mut served, mut refused) = (0, 0);
    while let Some(answer) = asked.join_next().await {
        let (answer, took) = answer?;
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => served += 1,
            Ok(StatusCode::SERVICE_UNAVAILABLE) if took <= FAST => refused += 1,
            Ok(status) => struck.findings.push(format!("F43: one of a crowd got {status} after {took:?}")),
            Err(error) => struck.findings.push(format!("F43: one of a crowd got no answer in {took:?}: {error:?}")),
        }
    }
    Ok((served, refused))
}

/// An upload that no program can read: it will be refused, and its file removed.
pub(super) async fn send_in_something_broken(rig: &Rig, rng: &mut StdRng) -> anyhow::Result<()> {
    let token = log_in(rig, &rig.world.channels[0].owner_login, "streamer").await?;
    let base = format!("http://{}", rig.fleet.api);
    let mut bytes = rig.sample.broken();
    bytes.extend_from_slice(&rng.random::<u128>().to_be_bytes());
    let key = Uuid::from_u128(rng.random());
    let answer = uploads::request(&Client::new(), &base, &token, key, bytes)?.timeout(PATIENCE).send().await?;
    ensure!(answer.status() == StatusCode::ACCEPTED, "a broken upload got {}", answer.status());
    Ok(())
}
