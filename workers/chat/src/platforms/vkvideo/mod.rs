//! VK Video Live: news over Centrifugo (PLATFORMS 3.6), the rest over its API.

mod deeds;
mod roles;
mod session;
mod wire;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::vkvideo::VkVideo;
use centrifugo::Position;
use domain::outbox::budget::Limit;

use super::{Capabilities, ConnectError};
pub(super) use deeds::understand_line;
pub use roles::RoleStubs;
pub use session::Session;
pub(super) use wire::understand;

/// Where news are told, over TLS.
pub const DEFAULT_URL: &str =
    "wss://pubsub-dev.live.vkvideo.ru/connection/websocket?format=json&cf_protocol_version=v2";

/// Whose joins they are: each asks the API twice, in the application's name, and that is asked once a second at most, as no
/// number is published.
const READER: &str = "vkvideo application";

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    joins: Limit { count: 10, window: Duration::from_secs(10) },
    channels_per_connection: 60,
    connect_timeout: Duration::from_secs(20),
    join_timeout: Duration::from_secs(30),
    // The protocol has pings of its own, and says by itself when they stay away.
    ping_after: Duration::from_hours(1),
    pong_within: Duration::from_secs(10),
};

#[derive(Debug, Clone)]
pub struct Settings {
    /// `VKVIDEO_PUBSUB_WS_URL`, `ws://` or `wss://`; [`DEFAULT_URL`].
    pub url: String,
    /// `VKVIDEO_PUBSUB_REFRESH_SECONDS`: a connection shows a new token at least so often.
    pub refresh_every: Duration,
    pub role_stubs: RoleStubs,
    pub api: VkVideo,
}

/// How far each socket was heard, over all connections: what was missed between two of them is asked for.
#[derive(Debug, Clone, Default)]
struct Positions(Arc<Mutex<HashMap<String, Position>>>);

impl Positions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Position>> {
        // Whole after a panic, too: each change is one insertion.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, socket: &str) -> Option<Position> {
        self.all().get(socket).cloned()
    }

    fn keep(&self, socket: &str, position: Option<&Position>) {
        match position {
            Some(position) => drop(self.all().insert(socket.to_owned(), position.clone())),
            None => drop(self.all().remove(socket)),
        }
    }
}

/// The way to VK Video.
#[derive(Debug, Clone)]
pub struct Connector {
    settings: Settings,
    positions: Positions,
}

impl Connector {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, positions: Positions::default() }
    }

    pub(super) const fn reader() -> &'static str {
        READER
    }

    pub(super) async fn connect(&self) -> Result<Session, ConnectError> {
        Session::open(&self.settings, self.positions.clone()).await
    }
}
