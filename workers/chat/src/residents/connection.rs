//! One connection to a platform: joins what is laid on it, hands lines on, and comes back when it is lost.

use std::{collections::HashMap, time::Duration};

use domain::{
    chat::RawLine,
    outbox::budget::{self, Action},
};
use metrics::counter;
use queue::Database;
use rand::RngExt as _;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};

use super::Chats;
use crate::{
    platforms::{Capabilities, ConnectError, Connector, Heard, Link, Lost},
    telemetry,
};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After a refused login: the same token will not do better soon, and the platform counts tries.
const REFUSED_WAIT: Duration = Duration::from_secs(300);
/// A connection that lived this long was a good one: the next loss waits little again.
const GOOD_AFTER: Duration = Duration::from_secs(30);
/// A chat that could not be joined is tried again after this long.
const REJOIN_AFTER: Duration = Duration::from_secs(60);

/// Where the join of one chat stands.
#[derive(Debug, Clone, Copy)]
enum Join {
    Asked { until: Instant },
    Joined,
    Failed { again: Instant },
}

/// Why a connection ended.
enum End {
    /// Nothing is laid on it any more.
    Done,
    /// The platform asked us to come again: at once.
    Moved,
    Lost(Lost),
}

pub(super) struct Connection {
    connector: Connector,
    capabilities: Capabilities,
    db: Database,
    chats: watch::Receiver<Chats>,
    lines: mpsc::Sender<RawLine>,
    joins: HashMap<String, Join>,
    /// Not before this may we join again: the account's budget is used up.
    join_after: Instant,
}

impl Connection {
    pub(super) fn new(
        connector: Connector,
        db: Database,
        chats: watch::Receiver<Chats>,
        lines: mpsc::Sender<RawLine>,
    ) -> Self {
        let capabilities = connector.capabilities();
        Self { connector, capabilities, db, chats, lines, joins: HashMap::new(), join_after: Instant::now() }
    }

    /// Runs until nothing is laid on it any more.
    pub(super) async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let began = Instant::now();
            match timeout(self.capabilities.connect_timeout, self.connector.connect()).await {
                Ok(Ok(link)) => {
                    counter!(telemetry::CONNECTS, "result" => "ready").increment(1);
                    match self.serve(link).await {
                        End::Done => return,
                        End::Moved => {
                            tracing::info!(platform = %self.connector.platform(), "the platform moves us: connect anew");
                            wait = FIRST_WAIT;
                            continue;
                        }
                        End::Lost(error) => {
                            tracing::warn!(platform = %self.connector.platform(), %error, "a chat connection is lost");
                        }
                    }
                    if began.elapsed() >= GOOD_AFTER {
                        wait = FIRST_WAIT;
                    }
                }
                Ok(Err(ConnectError::Refused(reason))) => {
                    counter!(telemetry::CONNECTS, "result" => "refused").increment(1);
                    tracing::error!(
                        platform = %self.connector.platform(), account = self.connector.reader(), reason,
                        "the platform refused the bot's login: it needs a new token"
                    );
                    wait = REFUSED_WAIT;
                }
                Ok(Err(ConnectError::Unreachable(reason))) => self.unreachable(&reason),
                Err(_) => self.unreachable("it did not answer in time"),
            }
            if !self.rest(wait).await {
                return;
            }
            wait = (wait * 2).min(LONGEST_WAIT.max(wait));
        }
    }

    fn unreachable(&self, reason: &str) {
        counter!(telemetry::CONNECTS, "result" => "unreachable").increment(1);
        tracing::warn!(platform = %self.connector.platform(), reason, "a chat platform cannot be reached");
    }

    /// Waits 50 to 100 % of it; `false` when nothing is laid on us any more.
    async fn rest(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait.mul_f64(rand::rng().random_range(0.5..=1.0));
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                changed = self.chats.changed() => if changed.is_err() { return false },
            }
        }
    }

    async fn serve(&mut self, mut link: Link) -> End {
        self.joins.clear();
        let mut heard_at = Instant::now();
        let mut pinged_at: Option<Instant> = None;
        loop {
            let next_join = match self.align(&mut link).await {
                Ok(next) => next,
                Err(lost) => return End::Lost(lost),
            };
            let alive_check = match pinged_at {
                Some(at) => at + self.capabilities.pong_within,
                None => heard_at + self.capabilities.ping_after,
            };
            tokio::select! {
                changed = self.chats.changed() => if changed.is_err() { return End::Done },
                heard = link.next() => {
                    (heard_at, pinged_at) = (Instant::now(), None);
                    let went = match heard {
                        Ok(Heard::Reconnect) => return End::Moved,
                        Ok(Heard::Ping(token)) => link.pong(&token).await,
                        Ok(heard) => {
                            if self.hear(heard).await.is_err() {
                                return End::Done;
                            }
                            Ok(())
                        }
                        Err(lost) => Err(lost),
                    };
                    if let Err(lost) = went {
                        return End::Lost(lost);
                    }
                }
                () = sleep_until(alive_check.min(next_join)) => {
                    if Instant::now() < alive_check {
                        continue;
                    }
                    if pinged_at.is_some() {
                        return End::Lost(Lost("no sign of life".to_owned()));
                    }
                    pinged_at = Some(Instant::now());
                    if let Err(lost) = link.ping().await {
                        return End::Lost(lost);
                    }
                }
            }
        }
    }

    /// Err when nobody keeps lines any more.
    async fn hear(&mut self, heard: Heard) -> Result<(), mpsc::error::SendError<RawLine>> {
        match heard {
            Heard::Line { login, bytes } => {
                let channel_id = login.and_then(|login| self.chats.borrow().get(&login).copied());
                self.lines.send(RawLine { channel_id, bytes }).await?;
            }
            Heard::Joined { login } => {
                tracing::info!(platform = %self.connector.platform(), login, "joined a chat");
                self.joins.insert(login, Join::Joined);
            }
            Heard::NotJoined { login, reason } => self.not_joined(&login, &reason),
            Heard::Parted { login } => {
                self.joins.remove(&login);
            }
            Heard::Ping(_) | Heard::Reconnect | Heard::Other => {}
        }
        Ok(())
    }

    fn not_joined(&mut self, login: &str, reason: &str) {
        tracing::warn!(platform = %self.connector.platform(), login, reason, "a chat cannot be joined");
        self.joins.insert(login.to_owned(), Join::Failed { again: Instant::now() + REJOIN_AFTER });
    }

    /// Joins what is missing, within the account's budget, and leaves what is not ours. Returns when to look again.
    async fn align(&mut self, link: &mut Link) -> Result<Instant, Lost> {
        let now = Instant::now();
        let wanted: Vec<String> = self.chats.borrow_and_update().keys().cloned().collect();
        let gone: Vec<String> =
            self.joins.keys().filter(|login| wanted.binary_search(login).is_err()).cloned().collect();
        for login in gone {
            self.joins.remove(&login);
            link.part(&login).await?;
        }
        let mut next = now + Duration::from_secs(3600);
        for login in wanted {
            match self.joins.get(&login) {
                Some(Join::Joined) => {}
                Some(&Join::Asked { until }) if until > now => next = next.min(until),
                Some(Join::Asked { .. }) => {
                    self.not_joined(&login, "no answer");
                    next = next.min(now + REJOIN_AFTER);
                }
                Some(&Join::Failed { again }) if again > now => next = next.min(again),
                Some(Join::Failed { .. }) | None => {
                    if self.join_after > now || !self.may_join().await {
                        next = next.min(self.join_after);
                        break;
                    }
                    link.join(&login).await?;
                    let until = now + self.capabilities.join_timeout;
                    self.joins.insert(login, Join::Asked { until });
                    next = next.min(until);
                }
            }
        }
        Ok(next)
    }

    /// Takes one join from the account's budget, which all processes share.
    async fn may_join(&mut self) -> bool {
        let taken = async {
            let mut tx = self.db.begin().await?;
            let wait = budget::take(&mut tx, self.connector.reader(), Action::Join, self.capabilities.joins).await?;
            tx.commit().await?;
            Ok::<_, sqlx::Error>(wait)
        };
        match taken.await {
            Ok(None) => true,
            Ok(Some(wait)) => {
                self.join_after = Instant::now() + wait;
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a join waits for the database");
                self.join_after = Instant::now() + Duration::from_secs(1);
                false
            }
        }
    }
}
