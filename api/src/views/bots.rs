//! Words of bots and their messages.

use domain::{
    bots::{Greetings, Integration},
    outbox,
};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// A chat platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Provider {
    Twitch,
    VkVideo,
    YouTube,
    Trovo,
    Kick,
}

impl From<Provider> for outbox::Provider {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Twitch => Self::Twitch,
            Provider::VkVideo => Self::VkVideo,
            Provider::YouTube => Self::YouTube,
            Provider::Trovo => Self::Trovo,
            Provider::Kick => Self::Kick,
        }
    }
}

impl From<outbox::Provider> for Provider {
    fn from(provider: outbox::Provider) -> Self {
        match provider {
            outbox::Provider::Twitch => Self::Twitch,
            outbox::Provider::VkVideo => Self::VkVideo,
            outbox::Provider::YouTube => Self::YouTube,
            outbox::Provider::Trovo => Self::Trovo,
            outbox::Provider::Kick => Self::Kick,
        }
    }
}

/// The switch of one platform's bot.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct BotView {
    provider: Provider,
    /// The bot listens and answers in the channel's chat.
    enabled: bool,
    /// When the switch was last moved; `null` when never.
    updated_at: Option<OffsetDateTime>,
}

impl From<Integration> for BotView {
    fn from(integration: Integration) -> Self {
        Self { provider: integration.provider.into(), enabled: integration.enabled, updated_at: integration.updated_at }
    }
}

/// It is done.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct Okay {
    /// Always true.
    ok: bool,
}

impl Okay {
    pub(crate) const YES: Self = Self { ok: true };
}

/// Whether and how the bot greets somebody who begins to follow.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct FollowGreetingsView {
    follow_greetings_enabled: bool,
    follow_greeting_template: String,
    /// Absent while nothing was ever changed.
    updated_at: Option<OffsetDateTime>,
}

impl From<Greetings> for FollowGreetingsView {
    fn from(greetings: Greetings) -> Self {
        Self {
            follow_greetings_enabled: greetings.enabled,
            follow_greeting_template: greetings.template,
            updated_at: greetings.updated_at,
        }
    }
}

/// New values for it; what is absent stays. At least one.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct FollowGreetingsPatch {
    pub(crate) follow_greetings_enabled: Option<bool>,
    /// 1 to 450 characters, with `{user}`, `{channel}`, `{channelUrl}` and `{random:a|b}`.
    pub(crate) follow_greeting_template: Option<String>,
}

/// A new position of the switch.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct BotPatch {
    pub(crate) enabled: bool,
}

/// What the bot shall say, and where: `provider` may be left out while one bot is enabled only.
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Say {
    /// One chat message: 1 to 500 characters, at most 512 bytes. Line breaks become spaces.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub(crate) message: String,
    // Described at the object: a description here becomes an `allOf` of an enum, which generators of clients cannot read.
    pub(crate) provider: Option<Provider>,
}

impl poem_openapi::types::Example for Say {
    fn example() -> Self {
        Self { message: "Hello, chat!".to_owned(), provider: Some(Provider::Twitch) }
    }
}

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum OutboxStatus {
    /// Waits for its turn, or for another try.
    Pending,
    /// Is being written now.
    Processing,
    /// The platform confirmed it.
    Sent,
    /// It was not said and never will be; `lastError` says why.
    Failed,
    /// It was written and the platform's answer was lost. Never written again; becomes `sent` once it is seen in the chat.
    Unknown,
}

impl From<outbox::Status> for OutboxStatus {
    fn from(status: outbox::Status) -> Self {
        match status {
            outbox::Status::Pending => Self::Pending,
            outbox::Status::Processing => Self::Processing,
            outbox::Status::Sent => Self::Sent,
            outbox::Status::Failed => Self::Failed,
            outbox::Status::Unknown => Self::Unknown,
        }
    }
}

/// The message is in the outbox.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct SaidView {
    /// Always true.
    ok: bool,
    outbox: NewOutboxView,
}

/// A message that was just put into the outbox.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct NewOutboxView {
    /// Ask for its fate with it.
    id: Uuid,
    provider: Provider,
    status: OutboxStatus,
    created_at: OffsetDateTime,
}

impl From<outbox::OutboxMessage> for SaidView {
    fn from(message: outbox::OutboxMessage) -> Self {
        Self {
            ok: true,
            outbox: NewOutboxView {
                id: message.id,
                provider: message.provider.into(),
                status: message.status.into(),
                created_at: message.created_at,
            },
        }
    }
}

/// The fate of a message.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct OutboxView {
    id: Uuid,
    provider: Provider,
    status: OutboxStatus,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    /// Why it is not sent: the platform's code, or our reason.
    #[oai(skip_serializing_if_is_none)]
    last_error: Option<String>,
}

impl From<outbox::OutboxMessage> for OutboxView {
    fn from(message: outbox::OutboxMessage) -> Self {
        Self {
            id: message.id,
            provider: message.provider.into(),
            status: message.status.into(),
            created_at: message.created_at,
            updated_at: message.updated_at,
            last_error: message.last_error,
        }
    }
}
