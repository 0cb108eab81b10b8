//! Who asks, and how fast.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{http::Connection, samples::Samples, seed::Stall};

/// Connections that are kept and used at once.
pub(crate) const CONNECTIONS: usize = 32;

/// The ways into one server, one a viewer: a purchase without its `Idempotency-Key` and its end.
#[derive(Debug, Clone)]
pub(crate) struct Purchases {
    heads: Arc<[Vec<u8>]>,
}

impl Purchases {
    /// Logs all viewers in. `cookie` is what the server calls its session cookie.
    pub(crate) async fn log_in(address: SocketAddr, stalls: &[Stall], cookie: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let mut heads = Vec::with_capacity(stalls.len());
        for stall in stalls {
            let body = json!({ "login": stall.viewer_login, "role": "viewer" }).to_string();
            let request = format!(
                "POST /auth/dev/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let (status, answer) = connection.exchange(request.as_bytes()).await?;
            ensure!(status == 200, "the login was refused with {status}");
            let answer: Value = serde_json::from_slice(answer)?;
            let token = answer["token"].as_str().context("the login gave no token")?;
            // What a browser sends for `fetch(url, { method: "POST" })` on our own page, as far as a server looks at it.
            let head = format!(
                "POST /memes/{}/activate HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}={token}\r\n\
                 sec-fetch-site: same-origin\r\naccept: */*\r\ncontent-length: 0\r\nidempotency-key: ",
                stall.meme
            );
            heads.push(head.into_bytes());
        }
        Ok(Self { heads: heads.into() })
    }

    /// Writes the whole request of one viewer.
    pub(crate) fn write(&self, viewer: usize, key: &str, request: &mut Vec<u8>) {
        request.clear();
        request.extend_from_slice(&self.heads[viewer]);
        request.extend_from_slice(key.as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
    }
}

/// What came of the load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) samples: Samples,
    /// From the first request to the last answer.
    pub(crate) time: Duration,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "requests of a round fit")]
        let answered = self.samples.len() as f64;
        answered / self.time.as_secs_f64()
    }
}

/// Buys for as long as said, over [`CONNECTIONS`] connections, each with the next purchase of a viewer drawn by chance as
/// soon as the last is answered. `name` makes the keys of this load its own. Any answer but 200 is an error.
pub(crate) async fn buy(
    address: SocketAddr,
    purchases: &Purchases,
    time: Duration,
    name: &str,
) -> anyhow::Result<Outcome> {
    let mut open = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        open.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    let mut buyers = JoinSet::new();
    for (number, connection) in open.into_iter().enumerate() {
        let name = format!("{name}-{number}");
        buyers.spawn(keep_buying(connection, purchases.clone(), begun + time, name));
    }
    let mut outcome = Outcome::default();
    while let Some(samples) = buyers.join_next().await {
        outcome.samples.append(samples??);
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

async fn keep_buying(
    mut connection: Connection,
    purchases: Purchases,
    until: Instant,
    name: String,
) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    let mut request = Vec::new();
    for number in 0.. {
        let viewer = rand::rng().random_range(0..purchases.heads.len());
        purchases.write(viewer, &format!("{name}-{number}"), &mut request);
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        let (status, answer) = connection.exchange(&request).await?;
        samples.add(begun.elapsed());
        ensure!(status == 200, "a purchase got {status}: {}", String::from_utf8_lossy(answer));
    }
    Ok(samples)
}
