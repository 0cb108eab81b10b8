//! The one task of a process that reads new events, of all its streams at once, and feeds them to the rings.
//!
//! A wake-up says which stream has grown, and one from this process also by what: where that continues what the ring has,
//! nothing is read. Once a second it asks the database which of its streams moved, so that a lost wake-up costs a second and
//! nothing else. While a read is under way wake-ups gather, and the next read takes them all.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use domain::events::{self, Cursor, Event, Recorded};
use queue::Grown;
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

/// Runs until the process stops; then every subscriber's stream ends at once.
pub(crate) async fn run(hub: Arc<Inner>, mut wakes: Receiver<Grown>) {
    let mut proof = tokio::time::interval(PROOF);
    proof.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut due = Due::default();
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => break,
            woken = wakes.recv() => match woken {
                Ok(grown) => hear(&hub, grown, &mut due),
                Err(RecvError::Lagged(_)) => due.all = true,
                // The exchange lives as long as the hub's database; without it the proof still comes.
                Err(RecvError::Closed) => { proof.tick().await; due.all = true; }
            },
            _ = proof.tick() => due.all = true,
        }
        gather(&hub, &mut wakes, &mut due);
        if let Err(error) = read(&hub, due).await {
            tracing::warn!(cause = %error, "event streams could not be read; trying again");
            tokio::time::sleep(PROOF).await;
        }
    }
    hub.close();
}

/// Takes along what else was told meanwhile.
fn gather(hub: &Inner, wakes: &mut Receiver<Grown>, due: &mut Due) {
    loop {
        match wakes.try_recv() {
            Ok(grown) => hear(hub, grown, due),
            Err(TryRecvError::Lagged(_)) => due.all = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// Feeds what was told, or has the stream looked at.
fn hear(hub: &Inner, grown: Grown, due: &mut Due) {
    if grown.key.is_empty() {
        due.all = true;
        return;
    }
    let feed = hub.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(&grown.key).cloned();
    let Some(feed) = feed else { return };
    let told = grown.news.as_ref().and_then(|news| news.downcast_ref::<Recorded>());
    if !told.is_some_and(|Recorded(events)| continues(&feed, events)) {
        due.keys.insert(grown.key);
    }
}

/// Feeds events that continue what the feed has. False: something is missing in between, or the log is another one.
fn continues(feed: &Feed, events: &[Event]) -> bool {
    let tail = feed.tail();
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return false };
    if first.epoch != tail.epoch {
        return false;
    }
    if first.seq == tail.seq + 1 {
        feed.push(events.iter().map(Frame::encode).collect());
    }
    last.seq <= tail.seq || first.seq == tail.seq + 1
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

    fn event(epoch: i64, seq: i64) -> Event {
        let created_at = time::OffsetDateTime::UNIX_EPOCH;
        Event { epoch, seq, audience: 1, name: "n".to_owned(), data: "{}".to_owned(), created_at }
    }

    #[test]
    fn only_news_that_continue_the_ring_are_fed_and_a_gap_is_read_from_the_log() {
        let feed = Feed::new("channel:demo".into(), Cursor { epoch: 2, seq: 5 });
        assert!(continues(&feed, &[event(2, 6), event(2, 7)]));
        assert_eq!(feed.tail(), Cursor { epoch: 2, seq: 7 });
        assert!(continues(&feed, &[event(2, 7)]), "known already");
        assert!(!continues(&feed, &[event(2, 9)]), "8 is missing");
        assert!(!continues(&feed, &[event(3, 8)]), "another log");
        assert_eq!(feed.tail(), Cursor { epoch: 2, seq: 7 });
    }
}
