//! The one task of a process that reads new events, of all its streams at once, and feeds them to the rings.
//!
//! A wake-up says which stream has grown; once a second it asks the database which of its streams moved, so that a lost
//! wake-up costs a second and nothing else. While a read is under way wake-ups gather, and the next read takes them all.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use domain::events::{self, Cursor};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError, error::TryRecvError},
    time::MissedTickBehavior,
};

use super::{Inner, feed::Feed, frame::Frame};

/// How long a lost wake-up can delay an event.
const PROOF: Duration = Duration::from_secs(1);
/// Streams asked about in one query.
const STREAMS: usize = 1_000;
/// Events taken of one stream in one query.
const EVENTS: i64 = 256;

/// Which streams to look at.
#[derive(Debug, Default)]
struct Due {
    keys: HashSet<Arc<str>>,
    all: bool,
}

impl Due {
    /// A stream has grown; the empty key says that any may have, as the process was deaf for a while.
    fn add(&mut self, key: Arc<str>) {
        if key.is_empty() {
            self.all = true;
        } else {
            self.keys.insert(key);
        }
    }
}

/// Runs until the process stops; then every subscriber's stream ends at once.
pub(crate) async fn run(hub: Arc<Inner>, mut wakes: Receiver<Arc<str>>) {
    let mut proof = tokio::time::interval(PROOF);
    proof.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut due = Due::default();
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => break,
            woken = wakes.recv() => match woken {
                Ok(key) => due.add(key),
                Err(RecvError::Lagged(_)) => due.all = true,
                // The exchange lives as long as the hub's database; without it the proof still comes.
                Err(RecvError::Closed) => { proof.tick().await; due.all = true; }
            },
            _ = proof.tick() => due.all = true,
        }
        gather(&mut wakes, &mut due);
        if let Err(error) = read(&hub, due).await {
            tracing::warn!(cause = %error, "event streams could not be read; trying again");
            tokio::time::sleep(PROOF).await;
        }
    }
    hub.close();
}

/// Takes along what else was told meanwhile.
fn gather(wakes: &mut Receiver<Arc<str>>, due: &mut Due) {
    loop {
        match wakes.try_recv() {
            Ok(key) => due.add(key),
            Err(TryRecvError::Lagged(_)) => due.all = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

async fn read(hub: &Inner, due: Due) -> Result<(), sqlx::Error> {
    let feeds: Vec<Arc<Feed>> = {
        let mut feeds = hub.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if due.all {
            let now = Instant::now();
            feeds.retain(|_, feed| !feed.expire(now) || Arc::strong_count(feed) > 1);
            feeds.values().cloned().collect()
        } else {
            due.keys.iter().filter_map(|key| feeds.get(key).cloned()).collect()
        }
    };
    for feeds in feeds.chunks(STREAMS) {
        if due.all {
            let feeds = moved(hub, feeds).await?;
            take(hub, feeds).await?;
        } else {
            take(hub, feeds.to_vec()).await?;
        }
    }
    Ok(())
}

/// Those of the feeds whose streams have grown; those whose logs are no longer the same start over.
async fn moved(hub: &Inner, feeds: &[Arc<Feed>]) -> Result<Vec<Arc<Feed>>, sqlx::Error> {
    let known = places(feeds);
    let mut conn = hub.db.pool().acquire().await?;
    let heads: HashMap<String, Cursor> = events::moved(&mut conn, &known).await?.into_iter().collect();
    let mut grown = Vec::new();
    for (feed, (_, tail)) in feeds.iter().zip(&known) {
        match heads.get(feed.key().as_ref()) {
            None => {}
            Some(head) if head.epoch == tail.epoch && head.seq > tail.seq => grown.push(feed.clone()),
            Some(head) => feed.restart(*head),
        }
    }
    Ok(grown)
}

/// Reads the feeds' new events until none is left.
async fn take(hub: &Inner, mut feeds: Vec<Arc<Feed>>) -> Result<(), sqlx::Error> {
    while !feeds.is_empty() {
        let mut conn = hub.db.pool().acquire().await?;
        let mut found: HashMap<String, Vec<Frame>> = HashMap::new();
        for (key, event) in events::after_many(&mut conn, &places(&feeds), EVENTS).await? {
            found.entry(key).or_default().push(Frame::encode(&event));
        }
        drop(conn);
        feeds.retain(|feed| {
            let Some(frames) = found.remove(feed.key().as_ref()) else { return false };
            let full = i64::try_from(frames.len()).is_ok_and(|count| count >= EVENTS);
            feed.push(frames);
            full
        });
    }
    Ok(())
}

fn places(feeds: &[Arc<Feed>]) -> Vec<(String, Cursor)> {
    feeds.iter().map(|feed| (feed.key().to_string(), feed.tail())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_time_of_deafness_every_stream_is_due() {
        let mut due = Due::default();
        due.add("channel:demo".into());
        assert!(!due.all && due.keys.len() == 1);
        due.add("".into());
        assert!(due.all);
    }
}
