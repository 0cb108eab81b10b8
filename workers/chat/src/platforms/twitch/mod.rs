//! Twitch: IRC over WebSocket (PLATFORMS 1.4, 1.5).

mod eventsub;
mod notices;
mod session;
mod wire;

use std::time::Duration;

use domain::{
    outbox::budget::Limit,
    webhooks::{Delivery, Kind},
};
use irc::OauthToken;

use super::{Capabilities, ConnectError, Told};
pub use session::Session;
pub(super) use wire::understand;

/// What Twitch has told by a webhook, or by a line that was kept for it.
///
/// # Errors
/// Why nobody can understand it.
pub(super) fn understand_webhook(delivery: &Delivery) -> Result<Told, String> {
    match delivery.kind {
        Kind::Notification | Kind::Revocation => eventsub::understand(delivery),
        Kind::Line => notices::understand_deed(delivery),
    }
}

/// The public door, over TLS.
pub const DEFAULT_URL: &str = "wss://irc-ws.chat.twitch.tv:443";

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    joins: Limit { count: 20, window: Duration::from_secs(10) },
    channels_per_connection: 90,
    connect_timeout: Duration::from_secs(20),
    join_timeout: Duration::from_secs(10),
    ping_after: Duration::from_secs(60),
    pong_within: Duration::from_secs(10),
};

/// The name under which chats are read without an account: this word and any number. One for all processes, as they share
/// its joins.
const ANONYMOUS: &str = "justinfan77318";

#[derive(Debug, Clone)]
pub struct Settings {
    /// `TWITCH_IRC_URL`, `ws://` or `wss://`; [`DEFAULT_URL`].
    pub url: String,
    /// Who reads; none: nobody in particular, which Twitch allows to whoever only listens.
    pub account: Option<Account>,
}

/// An account that reads.
#[derive(Debug, Clone)]
pub struct Account {
    /// `CHAT_BOT_LOGIN`.
    pub login: String,
    /// `CHAT_BOT_OAUTH_TOKEN`, with scopes `chat:read` and `chat:edit`.
    pub token: OauthToken,
}

/// The way to Twitch.
#[derive(Debug, Clone)]
pub struct Connector {
    settings: Settings,
}

impl Connector {
    pub(super) fn new(mut settings: Settings) -> Self {
        if let Some(account) = &mut settings.account {
            account.login = account.login.to_lowercase();
        }
        Self { settings }
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.settings.account.as_ref().map(|account| account.login.as_str())
    }

    pub(super) fn reader(&self) -> &str {
        self.account().unwrap_or(ANONYMOUS)
    }

    pub(super) async fn connect(&self) -> Result<Session, ConnectError> {
        Session::open(&self.settings, self.reader()).await
    }
}
