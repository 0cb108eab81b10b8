//! Carries wake-ups between processes: one coalesced NOTIFY out, one LISTEN in. A hint only; whoever waits also polls.
//!
//! NOTIFY inside the enqueuing transactions would make their commits stand in line (2.6 to 3.8 times slower at eight
//! writers), so it is sent after them, by a connection of its own that does not wait for the disk.
#![allow(clippy::disallowed_types, reason = "this is where LISTEN belongs")]

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{Database, Topic, Wakes};

const CHANNEL: &str = "memalerts_wake";
/// At most one NOTIFY in this time.
const THROTTLE: Duration = Duration::from_millis(10);
/// PostgreSQL refuses payloads of 8000 bytes.
const MAX_PAYLOAD: usize = 7900;
const PAUSE: Duration = Duration::from_millis(500);

/// Runs both directions until stopped; survives any loss of the database. One per process, also in one without pools.
pub async fn run_exchange(db: Database, outward: mpsc::UnboundedReceiver<Topic>, stop: CancellationToken) {
    let options = (*db.pool().connect_options()).clone();
    // Tells our own notifications from others'.
    let me = format!("{:016x}", rand::random::<u64>());
    tokio::join!(tell(options.clone(), outward, &me, &stop), async {
        tokio::select! {
            () = hear(options, db.wakes(), &me) => {}
            () = stop.cancelled() => {}
        }
    });
}

async fn tell(
    options: PgConnectOptions,
    mut outward: mpsc::UnboundedReceiver<Topic>,
    me: &str,
    stop: &CancellationToken,
) {
    let mut conn = None;
    loop {
        let first = tokio::select! {
            topic = outward.recv() => topic,
            () = stop.cancelled() => return,
        };
        let Some(first) = first else { return };
        let mut topics = HashSet::from([first]);
        while let Ok(topic) = outward.try_recv() {
            topics.insert(topic);
        }
        for payload in payloads(me, &topics) {
            if conn.is_none() {
                conn = options.connect().await.ok();
            }
            let Some(open) = conn.as_mut() else { break };
            // One round trip; no wait for the disk, for a lost hint costs a poll.
            let sent = sqlx::query!(
                "select set_config('synchronous_commit', 'off', false), pg_notify($1, $2)",
                CHANNEL,
                payload
            )
            .fetch_one(open)
            .await;
            if let Err(error) = sent {
                debug!(%error, "wake-up for other processes was lost; their poll proves");
                conn = None;
            }
        }
        tokio::time::sleep(if conn.is_some() { THROTTLE } else { PAUSE }).await;
    }
}

/// `sender`, then one topic a line, in as few payloads as fit.
fn payloads(me: &str, topics: &HashSet<Topic>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut payload = me.to_owned();
    let mut later: HashMap<&Arc<str>, Instant> = HashMap::new();
    let mut lines = Vec::new();
    for topic in topics {
        match topic {
            Topic::Pool(name) => lines.push(format!("p{name}")),
            Topic::Stream(key) => lines.push(format!("s{key}")),
            Topic::Matter(name) => lines.push(format!("m{name}")),
            Topic::Later(name, at) => {
                later.entry(name).and_modify(|earliest| *earliest = *at.min(earliest)).or_insert(*at);
            }
        }
    }
    for (name, at) in later {
        // As a time to go: clocks differ.
        lines.push(format!("l{} {name}", at.saturating_duration_since(Instant::now()).as_millis()));
    }
    for line in lines {
        if payload.len() + line.len() + 1 > MAX_PAYLOAD && payload.len() > me.len() {
            payloads.push(std::mem::replace(&mut payload, me.to_owned()));
        }
        payload.push('\n');
        payload.push_str(&line);
    }
    payloads.push(payload);
    payloads
}

async fn hear(options: PgConnectOptions, wakes: &Wakes, me: &str) {
    loop {
        if let Err(error) = hear_until_lost(&options, wakes, me).await {
            warn!(%error, "lost the connection that hears wake-ups, connecting again; polling goes on meanwhile");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear_until_lost(options: &PgConnectOptions, wakes: &Wakes, me: &str) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    // What was said while nobody listened is unknown: all look.
    wakes.ring_all();
    loop {
        // None: the connection was lost and is made anew inside; what was said meanwhile is unknown again.
        match listener.try_recv().await? {
            None => wakes.ring_all(),
            Some(heard) => ring(wakes, me, heard.payload()),
        }
    }
}

fn ring(wakes: &Wakes, me: &str, payload: &str) {
    let mut lines = payload.lines();
    if lines.next() == Some(me) {
        return;
    }
    for line in lines {
        match line.split_at_checked(1) {
            // Sent by hand or by a test clock that was moved: everybody looks.
            Some(("*", _)) => wakes.ring_all(),
            Some(("p", name)) => wakes.ring(&Topic::Pool(name.into())),
            Some(("l", later)) => ring_later(wakes, later),
            Some(("s", key)) => wakes.ring(&Topic::Stream(key.into())),
            Some(("m", name)) => wakes.ring(&Topic::Matter(name.into())),
            _ => debug!(line, "wake-up of an unknown sort"),
        }
    }
}

/// `milliseconds pool`
fn ring_later(wakes: &Wakes, line: &str) {
    let parsed = line.split_once(' ').and_then(|(millis, name)| Some((millis.parse().ok()?, name)));
    let Some((millis, name)) = parsed else { return debug!(line, "wake-up for an unknown time") };
    // Beyond what a clock can tell: nobody waits for that.
    if let Some(at) = Instant::now().checked_add(Duration::from_millis(millis)) {
        wakes.ring(&Topic::Later(name.into(), at));
    }
}

/// Makes every process look at all its pools, schedules and streams, this one included.
///
/// # Errors
/// The database refused.
pub async fn wake_everybody(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify($1, E'everybody\\n*')", CHANNEL).fetch_one(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_topics_are_split_into_payloads_that_postgresql_takes_and_all_arrive() {
        let topics: HashSet<Topic> = (0..2000).map(|n| Topic::Stream(format!("channel:{n}").into())).collect();
        let payloads = payloads("me", &topics);
        assert!(payloads.len() > 1);
        assert!(payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        let (wakes, _outward) = Wakes::new();
        let mut streams = wakes.streams();
        payloads.iter().for_each(|payload| ring(&wakes, "another", payload));
        let mut heard = HashSet::new();
        while let Ok(grown) = streams.try_recv() {
            heard.insert(Topic::Stream(grown.key));
        }
        assert_eq!(heard, topics);
    }

    #[tokio::test]
    async fn of_work_to_come_another_process_hears_the_earliest_time() {
        let now = Instant::now();
        let topics = [60, 20, 40].map(|seconds| Topic::Later("media".into(), now + Duration::from_secs(seconds)));
        let payloads = payloads("me", &topics.into());
        let (wakes, _outward) = Wakes::new();
        payloads.iter().for_each(|payload| ring(&wakes, "another", payload));
        let due = wakes.pool("media").heard().await - now;
        assert!((19..=21).contains(&due.as_secs()), "{due:?}");
    }
}
