//! Faults of event streams: readers that come and go, transactions that commit in another order than they were numbered,
//! readers that take next to nothing.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use domain::{
    accounts::{self, Role},
    channels,
    events::{Audience, NewEvent, Stream, record},
};
use futures_util::StreamExt as _;
use nix::sys::signal::Signal;
use queue::{Database, Wakes};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Client;
use serde_json::json;
use sqlx::PgPool;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::Struck;
use crate::{load::frames, rig::Rig};

/// Readers of a round, and how often each comes back.
const READERS: u32 = 16;
const RETURNS: u32 = 10;
pub(super) const RESUMES: u32 = READERS * RETURNS;
/// Pairs of transactions of a round that number events of the same stream at once.
pub(super) const PAIRS: u32 = 100;
/// What somebody who is connected may wait for an event that is there.
const SOON: Duration = Duration::from_secs(10);

/// Somebody who follows a channel's public events and takes them up where they broke.
#[derive(Debug)]
struct Reader {
    http: Client,
    slug: String,
    /// The last `id:`.
    last: Option<(i64, i64)>,
    /// The first place of the present history.
    since: i64,
    heard: BTreeSet<i64>,
    resets: u32,
    findings: Vec<String>,
}

impl Reader {
    fn new(slug: &str) -> Self {
        Self {
            http: Client::new(),
            slug: slug.to_owned(),
            last: None,
            since: 0,
            heard: BTreeSet::new(),
            resets: 0,
            findings: Vec::new(),
        }
    }

    /// One connection: until it ends, that many events have come, the place is reached, or the time is over. The line is
    /// cut then, in the middle of whatever is on it.
    async fn read(&mut self, api: SocketAddr, most: usize, place: i64, until: Instant) {
        // Each on a connection of its own: one that is kept would outlive the cut.
        let mut request = self.http.get(format!("http://{api}/channels/{}/events", self.slug));
        if let Some((epoch, seq)) = self.last {
            request = request.header("Last-Event-ID", format!("{epoch}-{seq}"));
        }
        let Ok(Ok(answer)) = timeout_at(until, request.send()).await else { return };
        if !answer.status().is_success() {
            return;
        }
        let (mut stream, mut rest, mut events) = (answer.bytes_stream(), String::new(), 0);
        while events < most
            && self.last.is_none_or(|(_, seq)| seq < place)
            && let Ok(Some(Ok(piece))) = timeout_at(until, stream.next()).await
        {
            rest.push_str(&String::from_utf8_lossy(&piece));
            for frame in frames(&mut rest) {
                let event = frame.event.is_some();
                self.take(frame.id.as_deref(), frame.event.as_deref());
                events += usize::from(event);
            }
        }
    }

    fn take(&mut self, id: Option<&str>, event: Option<&str>) {
        let Some(id) = id else { return };
        let numbers = id.split_once('-').and_then(|(epoch, seq)| Some((epoch.parse().ok()?, seq.parse::<i64>().ok()?)));
        let Some((epoch, seq)) = numbers else {
            return self.findings.push(format!("an event of {} has the id {id:?}", self.slug));
        };
        match (self.last, event) {
            (_, Some("reset")) => {
                (self.since, self.resets) = (seq, self.resets + 1);
                self.heard.clear();
            }
            (None, _) => self.since = seq,
            (Some(last), _) if (epoch, seq) < last => {
                self.findings.push(format!("{} went back from {last:?} to {id}", self.slug));
            }
            // The present state comes at the place where history ended.
            (Some(_), Some("queue:state")) => drop(self.heard.insert(seq)),
            (Some(_), Some(_)) if !self.heard.insert(seq) => {
                self.findings.push(format!("{} told {id} twice", self.slug));
            }
            _ => {}
        }
        self.last = Some((epoch, seq));
    }

    /// What was recorded for everybody since it began, and did not come.
    async fn judge(mut self, pool: &PgPool, place: i64) -> anyhow::Result<Vec<String>> {
        let last = self.last.map_or(0, |(_, seq)| seq);
        if last < place {
            self.findings.push(format!("a reader of {} was at {last} and not at {place} after {SOON:?}", self.slug));
        }
        let heard: Vec<i64> = self.heard.into_iter().collect();
        let missing = sqlx::query_scalar!(
            r#"select seq from events
               where stream = 'channel:' || $1 and audience & 4 <> 0 and seq > $2 and seq <= $3 and seq <> all ($4::bigint[])
               order by seq"#,
            self.slug,
            self.since,
            last,
            &heard,
        )
        .fetch_all(pool)
        .await?;
        if !missing.is_empty() {
            self.findings.push(format!("a reader of {} did not get {missing:?}", self.slug));
        }
        Ok(self.findings.into_iter().map(|finding| format!("I10: {finding}")).collect())
    }
}

/// The place of the last event for everybody.
async fn place(pool: &PgPool, slug: &str) -> anyhow::Result<i64> {
    let last = sqlx::query_scalar!(
        r#"select coalesce(max(seq), 0) as "last!" from events where stream = 'channel:' || $1 and audience & 4 <> 0"#,
        slug
    );
    Ok(last.fetch_one(pool).await?)
}

/// Readers are cut off and come back, here or at another instance, while one of the instances dies or drains; and one
/// finds that what it missed is no longer kept.
pub(super) async fn resumes(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let other = rig.fleet.start_second_api().await?;
    let instances = [rig.fleet.api, other];
    let mut readers = JoinSet::new();
    for number in 0..READERS {
        let mut reader = Reader::new(&rig.world.channels[number as usize % rig.world.channels.len()].slug);
        let mut rng = StdRng::seed_from_u64(rng.random());
        readers.spawn(async move {
            for _ in 0..RETURNS {
                let until = Instant::now() + Duration::from_millis(rng.random_range(50..600));
                let instance = instances[rng.random_range(0..instances.len())];
                reader.read(instance, rng.random_range(1..8), i64::MAX, until).await;
                sleep(Duration::from_millis(rng.random_range(0..150))).await;
            }
            reader
        });
    }
    sleep(Duration::from_millis(rng.random_range(200..1500))).await;
    let fatal = rng.random_bool(0.5);
    if fatal {
        rig.fleet.kill("api").await?;
    } else {
        rig.fleet.signal("api", Signal::SIGTERM)?;
        if rig.fleet.ends("api", SOON).await?.is_none() {
            struck.findings.push("F21: the API did not drain: a stream held it".to_owned());
            rig.fleet.kill("api").await?;
        }
    }
    rig.fleet.start("api", "")?;
    rig.fleet.api_is_up().await?;
    struck.findings.extend(trimmed(rig, rng).await?);
    let mut resets = 0;
    while let Some(reader) = readers.join_next().await {
        let mut reader = reader?;
        let place = place(&rig.pool, &reader.slug).await?;
        let until = Instant::now() + SOON;
        while reader.last.is_none_or(|(_, seq)| seq < place) && Instant::now() < until {
            reader.read(instances[rng.random_range(0..2)], usize::MAX, place, until).await;
        }
        resets += reader.resets;
        struck.findings.extend(reader.judge(&rig.pool, place).await?);
    }
    // Nothing was trimmed, restored or reset where these read.
    if resets > 0 {
        struck.findings.push(format!("F21: readers were told {resets} times to start anew, for no reason"));
    }
    rig.fleet.dismiss("api-2").await?;
    struck.detail = format!(
        "{RESUMES} resumes at two instances, one of which was {}; trimmed history",
        if fatal { "killed" } else { "restarted" }
    );
    Ok(struck)
}

/// A channel that nobody plays in.
async fn lonely(rig: &Rig, slug: &str) -> anyhow::Result<()> {
    let db = Database::new(rig.pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    let owner = accounts::upsert_by_login(&mut tx, slug, slug, Role::Streamer).await?;
    channels::ensure(&mut tx, &owner).await?;
    tx.commit().await?;
    Ok(())
}

fn news(slug: &str, number: u32) -> NewEvent {
    NewEvent::new(Stream::Channel(slug.to_owned()), Audience::PUBLIC, "chaos", &json!({ "number": number }))
}

/// Who returns to a place that is still kept gets what follows; who returns to any other is told to start anew, once.
async fn trimmed(rig: &Rig, rng: &mut StdRng) -> anyhow::Result<Vec<String>> {
    let slug = format!("trimmed_{:08x}", rng.random::<u32>());
    lonely(rig, &slug).await?;
    let db = Database::new(rig.pool.clone(), Wakes::new().0);
    for _ in 0..4 {
        let mut tx = db.begin().await?;
        record(&mut tx, (0..5).map(|number| news(&slug, number)).collect()).await?;
        tx.commit().await?;
    }
    let stream = format!("channel:{slug}");
    sqlx::query!("delete from events where stream = $1 and seq <= 10", stream).execute(&rig.pool).await?;
    let mut findings = Vec::new();
    for (from, resets, heard) in
        [((1, 5), 1, 0), ((1, 9), 1, 0), ((1, 10), 0, 10), ((1, 17), 0, 3), ((7, 12), 1, 0), ((1, 400), 1, 0)]
    {
        let mut reader = Reader::new(&slug);
        (reader.last, reader.since) = (Some(from), from.1);
        // Who is to be reset hears that before anything else.
        let (most, place) = if resets == 0 { (usize::MAX, 20) } else { (1, i64::MAX) };
        reader.read(rig.fleet.api, most, place, Instant::now() + SOON).await;
        let events = reader.heard.iter().filter(|seq| **seq > from.1).count();
        if reader.resets != resets || events != heard {
            findings.push(format!(
                "I10: who came back to {from:?} of 11 to 20 was reset {} times and got {events} events",
                reader.resets
            ));
        }
    }
    sqlx::query!("delete from events where stream = $1", stream).execute(&rig.pool).await?;
    sqlx::query!("delete from event_streams where key = $1", stream).execute(&rig.pool).await?;
    Ok(findings)
}

/// Pairs of transactions that record on the same two streams, hold their numbers for a while, and commit in whatever order
/// they come to; some roll back. Readers are connected all the time.
pub(super) async fn commit_order(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let slugs = ["gap_a", "gap_b"];
    for slug in slugs {
        lonely(rig, slug).await?;
    }
    let api = rig.fleet.api;
    let mut readers = Vec::new();
    for slug in slugs.into_iter().cycle().take(8) {
        let mut reader = Reader::new(slug);
        // A place to come back to, so that nothing is missed between here and the first connection.
        let head = place(&rig.pool, slug).await?;
        (reader.last, reader.since) = (Some((1, head)), head);
        readers.push(reader);
    }
    let mut writers = JoinSet::new();
    for _ in 0..2 {
        let (pool, mut rng) = (rig.pool.clone(), StdRng::seed_from_u64(rng.random()));
        writers.spawn(async move {
            let mut given_up = 0;
            for number in 0..PAIRS {
                let db = Database::new(pool.clone(), Wakes::new().0);
                let mut tx = db.begin().await?;
                let both = rng.random_bool(0.5);
                let slugs = if both { &slugs[..] } else { &slugs[rng.random_range(0..2)..][..1] };
                record(&mut tx, slugs.iter().map(|slug| news(slug, number)).collect()).await?;
                // As the exchange of the house would after the commit; here it goes with it.
                for slug in slugs {
                    let line = format!("chaos\nschannel:{slug}");
                    sqlx::query!("select pg_notify('memalerts_wake', $1)", line).fetch_one(&mut *tx).await?;
                }
                sleep(Duration::from_millis(rng.random_range(0..12))).await;
                if rng.random_bool(0.2) {
                    given_up += 1;
                    tx.rollback().await?;
                } else {
                    tx.commit().await?;
                }
            }
            anyhow::Ok(given_up)
        });
    }
    let (all_written, written) = watch::channel(false);
    let mut following = JoinSet::new();
    for mut reader in readers {
        let pool = rig.pool.clone();
        let written = written.clone();
        following.spawn(async move {
            // Most of the time connected; now and then away in the middle of it.
            while !*written.borrow() {
                reader.read(api, 40, i64::MAX, Instant::now() + Duration::from_millis(500)).await;
            }
            (reader, pool)
        });
    }
    let mut given_up = 0;
    while let Some(writer) = writers.join_next().await {
        given_up += writer??;
    }
    all_written.send_replace(true);
    let mut events = 0;
    while let Some(followed) = following.join_next().await {
        let (mut reader, pool) = followed?;
        let place = place(&pool, &reader.slug).await?;
        let until = Instant::now() + SOON;
        while reader.last.is_none_or(|(_, seq)| seq < place) && Instant::now() < until {
            reader.read(api, usize::MAX, place, until).await;
        }
        events += reader.heard.len();
        struck.findings.extend(reader.judge(&pool, place).await?);
    }
    struck.detail = format!("{PAIRS} pairs, {given_up} rolled back; 8 readers heard {events} events");
    Ok(struck)
}
