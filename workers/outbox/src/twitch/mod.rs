//! Writing into Twitch's chats over plain IRC (PLATFORMS 1.4, 1.5).
//!
//! One kept connection a process and account. No JOIN: Twitch takes messages into chats that one has not joined, and
//! reading them is not this pool's task. A message is confirmed by the channel's USERSTATE or refused by a NOTICE; as at
//! most one message of a channel is on its way (its job's order key), the answer cannot be another's. A connection on
//! which an answer stayed out is hung up, so that a late one cannot be taken for the next message's.

mod connection;

use std::{sync::Arc, time::Duration};

use domain::outbox::{Text, budget::Limit};
use irc::OauthToken;
use tokio::sync::Mutex;

use crate::Delivery;
use connection::Connection;

/// The public door, over TLS.
pub const DEFAULT_URL: &str = "ircs://irc.chat.twitch.tv:6697";

/// Of an ordinary account, over all its chats: 20 in 30 s. The platform counts when a message arrives, we when it is about
/// to be sent, and one may be longer on its way than another.
pub(crate) const SEND_LIMIT: Limit = Limit { count: 20, window: Duration::from_millis(30_500) };

/// Of one line: software of old counts bytes. A message that is longer is said in several.
pub(crate) const MOST_BYTES: usize = 512;

#[derive(Debug, Clone)]
pub struct Settings {
    /// `TWITCH_IRC_SEND_URL`: `ircs://host:port` (TLS) or `irc://host:port`; [`DEFAULT_URL`].
    pub url: String,
    /// `CHAT_BOT_LOGIN`: the account that speaks.
    pub login: String,
    /// `CHAT_BOT_OAUTH_TOKEN`, with scope `chat:edit`.
    pub token: OauthToken,
}

#[derive(Debug)]
pub(crate) struct Sender {
    settings: Settings,
    kept: Mutex<Option<Arc<Connection>>>,
}

impl Sender {
    pub(crate) fn new(mut settings: Settings) -> Self {
        settings.login = settings.login.to_lowercase();
        Self { settings, kept: Mutex::new(None) }
    }

    pub(crate) fn account(&self) -> &str {
        &self.settings.login
    }

    pub(crate) async fn send(&self, channel: &str, text: &Text) -> Delivery {
        match self.connection().await {
            Ok(connection) => connection.say(channel, text).await,
            Err(reason) => Delivery::NotWritten(reason),
        }
    }

    /// The kept connection if it shows a sign of life, else a new one. One at a time: jobs that come meanwhile wait for
    /// it instead of each making their own.
    async fn connection(&self) -> Result<Arc<Connection>, String> {
        let mut kept = self.kept.lock().await;
        if let Some(connection) = kept.as_ref()
            && connection.is_alive().await
        {
            return Ok(connection.clone());
        }
        *kept = None;
        let connection = Arc::new(Connection::open(&self.settings).await?);
        *kept = Some(connection.clone());
        Ok(connection)
    }
}
