//! What people do meanwhile: viewers buy and take back, streamers skip and upload, screens show and acknowledge.
//!
//! Clients do as good clients do: a request without an answer that counts is sent again under the same key until there is
//! one, and a stream that broke is taken up where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use chat::simulator::twitch::Simulator;
use futures_util::StreamExt as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use crate::{
    journal::Journal,
    rig::Rig,
    uploads::{self, Sample},
    world::{Place, Viewer, World},
};

/// A request that takes longer is given up and sent again.
const PATIENCE: Duration = Duration::from_secs(4);
const AGAIN: Duration = Duration::from_millis(100);
/// How long viewers are in a hurry; then they buy no faster than screens show, so that a long fault leaves no queue behind
/// that takes longer than itself.
const RUSH: Duration = Duration::from_secs(3);
/// How long a meme is "shown".
const SHOWN: Duration = Duration::from_millis(60);

/// What the clients saw that must not be; each a finding in words.
#[derive(Debug, Default, Clone)]
pub(crate) struct Findings {
    found: Arc<Mutex<BTreeSet<String>>>,
    /// How often a client was told to come again: right where something is away, wrong where nothing is.
    unavailable: Arc<AtomicU64>,
}

impl Findings {
    pub(crate) fn add(&self, finding: String) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(finding);
    }

    /// `503`s so far.
    pub(crate) fn unavailable(&self) -> u64 {
        self.unavailable.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// What a screen has received of its channel's stream: sequence numbers by epoch, and where it was told to start anew.
#[derive(Debug, Default, Clone)]
pub(crate) struct Received {
    pub(crate) seqs: BTreeSet<i64>,
    /// The first place of the present history.
    pub(crate) since: i64,
}

pub(crate) type Screens = Arc<Mutex<BTreeMap<String, Received>>>;

/// Clients that run until told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    buyers: JoinSet<anyhow::Result<()>>,
    screens: JoinSet<()>,
    pub(crate) received: Screens,
    pub(crate) answered: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Shared {
    base: String,
    http: Client,
    journal: Journal,
    findings: Findings,
    world: World,
    twitch: Arc<Simulator>,
    sample: Sample,
    stop: watch::Receiver<bool>,
    answered: Arc<AtomicU64>,
}

impl Load {
    pub(crate) fn start(rig: &Rig, seed: u64) -> anyhow::Result<Self> {
        let (api, world) = (rig.fleet.api, &rig.world);
        let (stop, stopped) = watch::channel(false);
        let http = Client::builder().build()?;
        let shared = Shared {
            base: format!("http://{api}"),
            http,
            journal: rig.journal.clone(),
            findings: rig.findings.clone(),
            world: world.clone(),
            twitch: rig.twitch.clone(),
            sample: rig.sample.clone(),
            stop: stopped,
            answered: Arc::default(),
        };
        let answered = shared.answered.clone();
        let received: Screens = Arc::default();
        let mut buyers = JoinSet::new();
        for (number, viewer) in world.viewers.iter().enumerate() {
            let rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            buyers.spawn(shared.clone().buys(viewer.clone(), rng));
        }
        let mut screens = JoinSet::new();
        for place in &world.channels {
            screens.spawn(shared.clone().shows(place.clone(), received.clone()));
        }
        let rng = StdRng::seed_from_u64(seed ^ 0xD1B5_4A32_D192_ED03);
        buyers.spawn(shared.clone().skips(rng));
        buyers.spawn(shared.clone().uploads(StdRng::seed_from_u64(seed ^ 0x9C6E_6BD1_7A2F_11B5)));
        buyers.spawn(shared.speaks(StdRng::seed_from_u64(seed ^ 0x2545_F491_4F6C_DD1D)));
        Ok(Self { stop, buyers, screens, received, answered })
    }

    /// Nobody begins anything new; what was begun is brought to its answer. Screens stay.
    pub(crate) async fn calm(&mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.buyers.join_next().await {
            ended.context("a client broke")??;
        }
        Ok(())
    }

    /// Screens go, too.
    pub(crate) async fn end(mut self) -> Screens {
        self.screens.shutdown().await;
        self.received
    }
}

/// A server-sent event.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    data: Option<String>,
}

/// Takes the whole ones off what has come so far.
pub(crate) fn frames(rest: &mut String) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(end) = rest.find("\n\n") {
        let frame: String = rest.drain(..end + 2).collect();
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        frames.push(Frame { id: field("id: "), event: field("event: "), data: field("data: ") });
    }
    frames
}

impl Shared {
    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    async fn log_in(&self, login: &str, role: &str) -> String {
        loop {
            let body = json!({ "login": login, "role": role });
            let sent = self.http.post(format!("{}/auth/dev/login", self.base)).json(&body).timeout(PATIENCE).send();
            if let Ok(answer) = sent.await
                && answer.status().is_success()
                && let Ok(body) = answer.json::<Value>().await
                && let Some(token) = body["token"].as_str()
            {
                return token.to_owned();
            }
            sleep(AGAIN).await;
        }
    }

    async fn buys(self, viewer: Viewer, mut rng: StdRng) -> anyhow::Result<()> {
        let token = self.log_in(&viewer.login, "viewer").await;
        let begun = Instant::now();
        while !self.stopped() {
            let place = &self.world.channels[rng.random_range(0..self.world.channels.len())];
            let key = Uuid::from_u128(rng.random());
            self.journal.sent(key, viewer.id, place.meme)?;
            let id = self.buy(&token, place, key).await?;
            // Some buy twice under one key, some think better of it.
            match (rng.random_range(0..10), id) {
                (0, _) => drop(self.buy(&token, place, key).await?),
                (1 | 2, Some(id)) => self.takes_back(&token, &id).await,
                _ => {}
            }
            let pause = rng.random_range(5..40) * if begun.elapsed() < RUSH { 1 } else { 10 };
            sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    /// The activation's id, or none when it was refused.
    async fn buy(&self, token: &str, place: &Place, key: Uuid) -> anyhow::Result<Option<String>> {
        let url = format!("{}/memes/{}/activate", self.base, place.meme);
        loop {
            let sent =
                self.http.post(&url).bearer_auth(token).header("Idempotency-Key", key.to_string()).timeout(PATIENCE);
            match self.answer(sent.send().await).await {
                Some((status, body)) if !status.is_server_error() && !matches!(status.as_u16(), 429 | 409) => {
                    self.journal.acked(key, status.as_u16(), &body)?;
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    ensure!(status.is_success() || status.as_u16() == 402, "a purchase got {status}");
                    let body: Value = serde_json::from_slice(&body)?;
                    return Ok(body["activation"]["id"].as_str().or(body["id"].as_str()).map(str::to_owned));
                }
                _ => sleep(AGAIN).await,
            }
        }
    }

    async fn takes_back(&self, token: &str, id: &str) {
        let url = format!("{}/me/activations/{id}", self.base);
        drop(self.answer(self.http.delete(&url).bearer_auth(token).timeout(PATIENCE).send().await).await);
    }

    /// A streamer skips what plays, now here, now there.
    async fn skips(self, mut rng: StdRng) -> anyhow::Result<()> {
        let mut tokens = Vec::new();
        for place in &self.world.channels {
            tokens.push(self.log_in(&place.owner_login, "streamer").await);
        }
        while !self.stopped() {
            sleep(Duration::from_millis(rng.random_range(100..500))).await;
            let token = &tokens[rng.random_range(0..tokens.len())];
            let skip = self.http.request(Method::POST, format!("{}/streamer/queue/skip", self.base)).bearer_auth(token);
            drop(self.answer(skip.json(&json!({})).timeout(PATIENCE).send().await).await);
        }
        Ok(())
    }

    /// A streamer has the bot say something now and then, well within the platform's limit; people in the chat talk more.
    async fn speaks(self, mut rng: StdRng) -> anyhow::Result<()> {
        let place = &self.world.channels[rng.random_range(0..self.world.channels.len())];
        let token = self.log_in(&place.owner_login, "streamer").await;
        while !self.stopped() {
            let say = self.http.post(format!("{}/streamer/bot/say", self.base)).bearer_auth(&token);
            let message = format!("chaos {}", Uuid::from_u128(rng.random()));
            let sent = say.json(&json!({ "provider": "twitch", "message": message })).timeout(PATIENCE).send().await;
            // It is not asked again: without an answer nothing was promised.
            if let Some((StatusCode::OK, body)) = self.answer(sent).await
                && let Ok(body) = serde_json::from_slice::<Value>(&body)
                && let Some(id) = body["outbox"]["id"].as_str()
            {
                self.journal.said(id.parse()?)?;
            }
            for _ in 0..20 {
                let nick = format!("chatter_{}", rng.random_range(0..10_000));
                self.twitch.say(&place.slug, &nick, &format!("hello {}", Uuid::from_u128(rng.random())));
                sleep(Duration::from_millis(rng.random_range(100..250))).await;
            }
        }
        Ok(())
    }

    /// A streamer sends in a file now and then, each another one, and asks again under the same key until it is taken.
    async fn uploads(self, mut rng: StdRng) -> anyhow::Result<()> {
        let token = self.log_in(&self.world.channels[0].owner_login, "streamer").await;
        while !self.stopped() {
            let key = Uuid::from_u128(rng.random());
            let bytes = self.sample.marked(&key.to_string());
            loop {
                let request = uploads::request(&self.http, &self.base, &token, key, bytes.clone())?.timeout(PATIENCE);
                match self.answer(request.send().await).await {
                    Some((StatusCode::CREATED | StatusCode::ACCEPTED, body)) => {
                        let body: Value = serde_json::from_slice(&body)?;
                        self.journal.uploaded(body["id"].as_str().context("the submission's id")?.parse()?)?;
                        break;
                    }
                    Some((status, body)) if !status.is_server_error() && !matches!(status.as_u16(), 429 | 409) => {
                        bail!("an upload got {status}: {}", String::from_utf8_lossy(&body));
                    }
                    _ => sleep(AGAIN).await,
                }
            }
            sleep(Duration::from_millis(rng.random_range(500..2000))).await;
        }
        Ok(())
    }

    /// Status and body, if an answer came. A `500` is always a finding.
    async fn answer(&self, sent: reqwest::Result<reqwest::Response>) -> Option<(StatusCode, Vec<u8>)> {
        let answer = sent.ok()?;
        let (status, path) = (answer.status(), answer.url().path().to_owned());
        let body = answer.bytes().await.ok()?.to_vec();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.findings.unavailable.fetch_add(1, Ordering::Relaxed);
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            self.findings.add(format!("500 from {path}: {}", String::from_utf8_lossy(&body)));
        }
        Some((status, body))
    }

    /// An overlay: shows what it is told, says so, and takes the stream up again wherever it broke.
    async fn shows(self, place: Place, received: Screens) {
        let screen = Uuid::new_v4();
        let mut last: Option<String> = None;
        loop {
            let url = format!("{}/overlay/t/{}/events?screen=obs&screenId={screen}", self.base, place.overlay_token);
            let mut request = self.http.get(&url).header("accept", "text/event-stream");
            if let Some(last) = &last {
                request = request.header("Last-Event-ID", last);
            }
            if let Ok(Ok(answer)) = timeout(PATIENCE, request.send()).await
                && answer.status().is_success()
            {
                self.reads(&place, screen, answer, &mut last, &received).await;
            }
            sleep(AGAIN).await;
        }
    }

    async fn reads(
        &self,
        place: &Place,
        screen: Uuid,
        answer: reqwest::Response,
        last: &mut Option<String>,
        received: &Screens,
    ) {
        let mut stream = answer.bytes_stream();
        let mut rest = String::new();
        // Longer than two heartbeats without a byte: the line is dead.
        while let Ok(Some(Ok(piece))) = timeout(Duration::from_secs(35), stream.next()).await {
            rest.push_str(&String::from_utf8_lossy(&piece));
            for Frame { id, event, data } in frames(&mut rest) {
                if event.as_deref() == Some("reset") {
                    received.lock().unwrap_or_else(PoisonError::into_inner).remove(&place.slug);
                }
                if let Some(id) = id {
                    self.heard(place, &id, event.is_some(), last.is_none(), received);
                    *last = Some(id);
                }
                let data: Value = data.and_then(|data| serde_json::from_str(&data).ok()).unwrap_or_default();
                match event.as_deref() {
                    Some("activation:new") => self.plays(place, screen, &data),
                    Some("overlay:state") => {
                        data["playing"]
                            .as_array()
                            .into_iter()
                            .flatten()
                            .for_each(|item| self.plays(place, screen, item));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Keeps the place; the first one of a history is where it begins.
    fn heard(&self, place: &Place, id: &str, event: bool, first: bool, received: &Screens) {
        let Some(seq) = id.split_once('-').and_then(|(_, seq)| seq.parse::<i64>().ok()) else {
            self.findings.add(format!("an event of {} has the id {id:?}", place.slug));
            return;
        };
        let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = received.entry(place.slug.clone()).or_insert_with(|| Received { since: seq, ..Received::default() });
        if first {
            mine.since = seq;
        } else if event {
            mine.seqs.insert(seq);
        }
    }

    fn plays(&self, place: &Place, screen: Uuid, item: &Value) {
        let (shared, place, item) = (self.clone(), place.clone(), item.clone());
        tokio::spawn(async move {
            shared.says(&place, screen, &item, "started").await;
            sleep(SHOWN).await;
            shared.says(&place, screen, &item, "done").await;
        });
    }

    /// Says it until somebody hears it.
    async fn says(&self, place: &Place, screen: Uuid, item: &Value, state: &str) {
        let id = item["id"].as_str().unwrap_or_default();
        let url = format!("{}/overlay/t/{}/activations/{id}/ack", self.base, place.overlay_token);
        let body = json!({ "state": state, "playEpoch": item["playEpoch"], "screenId": screen });
        for _ in 0..100 {
            match self.answer(self.http.post(&url).json(&body).timeout(PATIENCE).send().await).await {
                Some((status, _)) if !status.is_server_error() && status.as_u16() != 429 => return,
                _ => sleep(AGAIN).await,
            }
        }
    }
}
