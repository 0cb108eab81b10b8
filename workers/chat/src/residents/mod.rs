//! The resident half: which chats this process reads, and its connections.
//!
//! Every [`TICK`] the process renews its lease and takes over chats of processes that died. Every `sync`, and when a bot
//! is switched, it compares what is wanted with what runs. The set of chats that it holds is then laid over its
//! connections, which join and leave by themselves.

mod batcher;
mod connection;

use std::{
    collections::BTreeMap,
    pin::pin,
    time::{Duration, Instant},
};

use domain::{
    bots::sessions_topic,
    chat::{RawLine, sessions},
    outbox::Provider,
};
use metrics::gauge;
use queue::{Database, Topic};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Settings,
    platforms::{Connector, NoConnector, connector_for},
    telemetry,
};

/// A dead process's chats are free this long after its last sign of life. With [`TICK`] and a join, a chat is read again
/// within five seconds.
const LEASE: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(750);
/// Chats that one process takes at most.
const CAPACITY: usize = 1_000;
/// Lines that may wait to be kept; beyond, reading from the socket stops until the database takes them.
const BACKLOG: usize = 10_000;

/// Chats of one connection: login to channel.
type Chats = BTreeMap<String, Uuid>;

/// Reads the platform's chats until stopped, then frees them for other processes at once.
///
/// # Errors
/// The platform is not configured or has no connector: nothing is read.
pub async fn listen(
    db: Database,
    platform: Provider,
    settings: Settings,
    stop: CancellationToken,
) -> Result<(), NoConnector> {
    let connector = connector_for(platform, &settings)?;
    let (lines, kept) = mpsc::channel::<RawLine>(BACKLOG);
    let batcher = tokio::spawn(batcher::run(db.clone(), platform, kept, stop.clone()));
    let residents = Residents {
        holder: Uuid::now_v7(),
        platform,
        sync: settings.sync,
        db: db.clone(),
        connector,
        lines,
        connections: Vec::new(),
        tasks: JoinSet::new(),
        chats: BTreeMap::new(),
        stop,
    };
    residents.run().await;
    if let Err(error) = batcher.await {
        tracing::error!(%error, "keeping chat lines ended badly");
    }
    Ok(())
}

struct Residents {
    holder: Uuid,
    platform: Provider,
    sync: Duration,
    db: Database,
    connector: Connector,
    lines: mpsc::Sender<RawLine>,
    /// Each with the chats laid on it.
    connections: Vec<watch::Sender<Chats>>,
    tasks: JoinSet<()>,
    /// Held now, with the epoch of the lease.
    chats: BTreeMap<Uuid, (String, i64)>,
    stop: CancellationToken,
}

impl Residents {
    async fn run(mut self) {
        let woken = self.db.wakes().pool(sessions_topic(self.platform));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut synced: Option<Instant> = None;
        loop {
            let mut bell = false;
            {
                let stop = pin!(self.stop.cancelled());
                tokio::select! {
                    () = stop => break,
                    _ = woken.heard() => bell = true,
                    _ = tick.tick() => {}
                }
            }
            let full = bell || synced.is_none_or(|at| at.elapsed() >= self.sync);
            match self.look(full).await {
                Ok(()) if full => synced = Some(Instant::now()),
                Ok(()) => {}
                // What is joined stays joined: lines wait in memory until the database is back, and a second reader
                // does no harm.
                Err(error) => tracing::warn!(%error, "chat sessions wait for the database"),
            }
        }
        self.leave().await;
    }

    /// Renews the lease, takes what is free, and lays what is held over the connections.
    async fn look(&mut self, full: bool) -> Result<(), sqlx::Error> {
        let mut conn = self.db.pool().acquire().await?;
        sessions::renew(&mut conn, self.holder, self.platform, self.connector.account(), LEASE).await?;
        if full {
            sessions::unwanted(&mut conn, self.holder, self.platform).await?;
        }
        let room = i64::try_from(CAPACITY.saturating_sub(self.chats.len())).unwrap_or(0);
        sessions::take(&mut conn, self.holder, self.platform, room, !full).await?;
        let held = sessions::held(&mut conn, self.holder).await?;
        drop(conn);
        let now: BTreeMap<Uuid, (String, i64)> =
            held.into_iter().map(|chat| (chat.channel_id, (chat.login, chat.epoch))).collect();
        for (channel, (login, epoch)) in &now {
            if self.chats.get(channel).is_none_or(|(_, before)| before != epoch) {
                tracing::info!(platform = %self.platform, channel.id = %channel, login, epoch, "reads a chat");
            }
        }
        for (channel, (login, epoch)) in &self.chats {
            if !now.contains_key(channel) {
                tracing::info!(platform = %self.platform, channel.id = %channel, login, epoch, "leaves a chat");
            }
        }
        gauge!(telemetry::SESSIONS).set(now.len() as f64);
        self.chats = now;
        self.lay();
        Ok(())
    }

    /// Chats stay on the connection that they are on; new ones go where there is room.
    fn lay(&mut self) {
        let mut new: Chats = self.chats.iter().map(|(channel, (login, _))| (login.clone(), *channel)).collect();
        for connection in &self.connections {
            let wanted = &new;
            connection.send_if_modified(|chats| {
                let before = chats.len();
                chats.retain(|login, channel| wanted.get(login) == Some(channel));
                chats.len() != before
            });
            for login in connection.borrow().keys() {
                new.remove(login);
            }
        }
        let per_connection = self.connector.capabilities().channels_per_connection;
        while let Some((login, channel)) = new.pop_first() {
            let roomy = self.connections.iter().position(|chats| chats.borrow().len() < per_connection);
            let place = roomy.unwrap_or_else(|| self.connect());
            self.connections[place].send_modify(|chats| {
                chats.insert(login, channel);
            });
        }
        // An empty connection hangs up when its sender is gone.
        self.connections.retain(|chats| !chats.borrow().is_empty());
        while self.tasks.try_join_next().is_some() {}
    }

    /// Begins a connection; returns its place.
    fn connect(&mut self) -> usize {
        let (chats, watched) = watch::channel(Chats::new());
        let connection =
            connection::Connection::new(self.connector.clone(), self.db.clone(), watched, self.lines.clone());
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = connection.run() => {}
                () = stop.cancelled() => {}
            }
        });
        self.connections.push(chats);
        self.connections.len() - 1
    }

    /// Hangs up, frees the chats, and wakes whoever can take them.
    async fn leave(mut self) {
        self.connections.clear();
        while self.tasks.join_next().await.is_some() {}
        gauge!(telemetry::SESSIONS).set(0.0);
        let freed = async {
            let mut tx = self.db.begin().await?;
            sessions::release_all(&mut tx, self.holder).await?;
            tx.wake(Topic::Pool(sessions_topic(self.platform).into()));
            tx.commit().await
        };
        if let Err(error) = freed.await {
            tracing::warn!(%error, "chats are free only when our lease ends");
        }
    }
}
