//! Platforms: what each one can do, and how to reach it.
//!
//! A connector knows one platform's words: connect, join, leave, keep alive, and what a line means. It knows nothing of
//! leases, reconnects, limits, batches or the database; the pool does all of that, the same for every platform.
//!
//! To add a platform: a folder here with `mod` (settings, capabilities), `wire` (lines to messages), `session` (the
//! connection) and `fixtures/`; a variant of [`Connector`] and [`Link`]; one line in [`connector_for`].

pub mod twitch;
pub mod vkvideo;

use std::time::Duration;

use domain::{
    chat::{Batch, ChatMessage, RawLine, Removal},
    outbox::{Provider, budget::Limit},
    rewards::Happening,
    webhooks::Delivery,
};
use time::OffsetDateTime;
use uuid::Uuid;

use ::vkvideo::ApiError;

use crate::Settings;

/// What the pool must respect.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// Of the account, over all its connections.
    pub joins: Limit,
    pub channels_per_connection: usize,
    /// Until a connection is ready to join.
    pub connect_timeout: Duration,
    /// A join that is not confirmed by then has failed.
    pub join_timeout: Duration,
    /// After this long without a byte we ask whether the other side is there.
    pub ping_after: Duration,
    /// Without an answer by then the connection is dead.
    pub pong_within: Duration,
}

/// Why there is no connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoConnector {
    #[error("platform {0} is not configured: set {1}")]
    NotConfigured(Provider, &'static str),
    #[error("there is no connector for platform {0} yet")]
    NotBuilt(Provider),
}

/// The way to a platform under our settings.
#[derive(Debug, Clone)]
pub enum Connector {
    Twitch(twitch::Connector),
    VkVideo(vkvideo::Connector),
}

/// The connector of the platform.
///
/// # Errors
/// The platform's settings are missing, or it has no connector.
pub fn connector_for(platform: Provider, settings: &Settings) -> Result<Connector, NoConnector> {
    match platform {
        Provider::Twitch => match &settings.twitch {
            Some(twitch) => Ok(Connector::Twitch(twitch::Connector::new(twitch.clone()))),
            None => Err(NoConnector::NotConfigured(platform, "TWITCH_IRC_URL")),
        },
        Provider::VkVideo => match &settings.vkvideo {
            Some(vkvideo) => match vkvideo.api.check() {
                Err(ApiError::NotConfigured(setting)) => Err(NoConnector::NotConfigured(platform, setting)),
                _ => Ok(Connector::VkVideo(vkvideo::Connector::new(vkvideo.clone()))),
            },
            None => Err(NoConnector::NotConfigured(platform, "VKVIDEO_CHAT_BOT_ENABLED")),
        },
        Provider::YouTube | Provider::Trovo | Provider::Kick => Err(NoConnector::NotBuilt(platform)),
    }
}

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The same credentials will not be accepted by trying again.
    #[error("the platform refused our login: {0}")]
    Refused(String),
}

/// The connection is over.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// What came over a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Joined {
        login: String,
    },
    /// The platform will not let us in.
    NotJoined {
        login: String,
        reason: String,
    },
    Parted {
        login: String,
    },
    /// To be kept and understood later; `login` where the line tells the channel.
    Line {
        login: Option<String>,
        bytes: Vec<u8>,
    },
    /// Must be answered with [`Link::pong`].
    Ping(String),
    /// The other side is about to hang up: connect anew.
    Reconnect,
    /// A sign of life.
    Other,
}

/// What a line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meant {
    pub message: Option<ChatMessage>,
    /// Messages are gone.
    pub removal: Option<Removal>,
    /// Somebody did something for the channel that may earn coins: the line is kept for [`understand_webhook`].
    pub deed: Option<Deed>,
}

/// That somebody did something for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The same whenever the line is read.
    pub id: String,
    pub channel_id: Uuid,
    /// The channel's id there.
    pub account: String,
    pub at: OffsetDateTime,
}

/// What a platform has told by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The stream of the channel with this account began.
    Began { account: String, at: OffsetDateTime },
    /// It was over then.
    Ended { account: String, at: OffsetDateTime },
    /// Somebody did something that may earn coins.
    Happened(Happening),
    /// The streamer has given a redemption back.
    TakenBack(Happening),
    /// We are told no more by this subscription.
    Revoked { subscription: String, status: String },
    /// It says nothing to us.
    Nothing,
}

/// Reads what a platform has told by itself.
///
/// # Errors
/// Why nobody can understand it.
pub(crate) fn understand_webhook(delivery: &Delivery) -> Result<Told, String> {
    match delivery.provider.parse() {
        Ok(Provider::Twitch) => twitch::understand_webhook(delivery),
        Ok(Provider::VkVideo) => vkvideo::understand_line(delivery),
        Ok(platform) => Err(format!("{platform} tells nothing by webhooks here")),
        Err(error) => Err(error.to_string()),
    }
}

/// An open connection.
pub enum Link {
    Twitch(Box<twitch::Session>),
    VkVideo(Box<vkvideo::Session>),
}

impl Connector {
    #[must_use]
    pub fn platform(&self) -> Provider {
        match self {
            Self::Twitch(_) => Provider::Twitch,
            Self::VkVideo(_) => Provider::VkVideo,
        }
    }

    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Twitch(_) => twitch::CAPABILITIES,
            Self::VkVideo(_) => vkvideo::CAPABILITIES,
        }
    }

    /// The login of the account that the settings name, lower case; none: we read without one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Twitch(connector) => connector.account(),
            Self::VkVideo(_) => None,
        }
    }

    /// The name under which we read: whose joins they are.
    #[must_use]
    pub fn reader(&self) -> &str {
        match self {
            Self::Twitch(connector) => connector.reader(),
            Self::VkVideo(_) => vkvideo::Connector::reader(),
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// The platform cannot be reached, or refused the login.
    pub async fn connect(&self) -> Result<Link, ConnectError> {
        match self {
            Self::Twitch(connector) => Ok(Link::Twitch(Box::new(connector.connect().await?))),
            Self::VkVideo(connector) => Ok(Link::VkVideo(Box::new(connector.connect().await?))),
        }
    }
}

impl Link {
    /// The next thing that came. Cancel safe.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn next(&mut self) -> Result<Heard, Lost> {
        match self {
            Self::Twitch(session) => session.next().await,
            Self::VkVideo(session) => session.next().await,
        }
    }

    /// # Errors
    /// The connection is over.
    pub async fn join(&mut self, login: &str) -> Result<(), Lost> {
        match self {
            Self::Twitch(session) => session.join(login).await,
            Self::VkVideo(session) => {
                session.join(login);
                Ok(())
            }
        }
    }

    /// # Errors
    /// The connection is over.
    pub async fn part(&mut self, login: &str) -> Result<(), Lost> {
        match self {
            Self::Twitch(session) => session.part(login).await,
            Self::VkVideo(session) => {
                session.part(login);
                Ok(())
            }
        }
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn ping(&mut self) -> Result<(), Lost> {
        match self {
            Self::Twitch(session) => session.ping().await,
            Self::VkVideo(_) => Ok(()),
        }
    }

    /// Answers [`Heard::Ping`].
    ///
    /// # Errors
    /// The connection is over.
    pub async fn pong(&mut self, token: &str) -> Result<(), Lost> {
        match self {
            Self::Twitch(session) => session.pong(token).await,
            Self::VkVideo(_) => Ok(()),
        }
    }
}

/// What a kept line says; nothing, for lines that nobody needs.
///
/// # Errors
/// Nobody can understand the line; why.
pub(crate) fn understand(
    platform: Provider,
    settings: &Settings,
    batch: &Batch,
    line: &RawLine,
) -> Result<Meant, String> {
    match platform {
        Provider::Twitch => twitch::understand(batch, line),
        Provider::VkVideo => {
            let stubs = settings.vkvideo.as_ref().map(|vkvideo| &vkvideo.role_stubs);
            vkvideo::understand(stubs, batch, line)
        }
        Provider::YouTube | Provider::Trovo | Provider::Kick => Err(NoConnector::NotBuilt(platform).to_string()),
    }
}
