//! Words of bots and their messages.

use domain::{
    bots::{Diagnostics, Greetings, Integration},
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

/// Why a bot is silent: what must hold so that it reads and writes.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct DiagnosticsView {
    provider: Provider,
    /// All checks are well.
    ok: bool,
    /// The streamer has switched it on.
    enabled: bool,
    /// The channel's login there.
    channel_login: Option<String>,
    /// Processes that read chats of the platform now.
    readers: i64,
    /// The account that speaks there.
    account: Option<String>,
    /// Since when this chat is read.
    reads_since: Option<OffsetDateTime>,
    /// Processes that send messages now.
    senders: i64,
    /// Messages that wait for their turn.
    waiting: i64,
    oldest_waiting_at: Option<OffsetDateTime>,
    last_failure: Option<FailureView>,
    /// The channel may use a bot account of its own.
    custom_bot: bool,
    /// Each with what to do about it; the first that is not well is where to begin.
    checks: Vec<CheckView>,
}

/// A message that was not sent, or of which nobody knows.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct FailureView {
    /// Ask for its fate with it.
    id: Uuid,
    status: OutboxStatus,
    last_error: Option<String>,
    at: OffsetDateTime,
}

/// Something that must hold.
#[derive(Debug, Object)]
pub(crate) struct CheckView {
    /// `enabled`, `linked`, `reader`, `session`, `sender` or `outbox`.
    name: String,
    ok: bool,
    /// What is so, and what to do where it is not well.
    detail: String,
}

/// Seconds after which a message that still waits is a bad sign.
const PATIENCE: i64 = 120;

impl DiagnosticsView {
    /// What was found, with the processes that send.
    pub(crate) fn new(found: Diagnostics, senders: i64, now: OffsetDateTime) -> Self {
        let reading = found.reads_since.is_some();
        let late = found.oldest_waiting_at.is_some_and(|at| (now - at).whole_seconds() > PATIENCE);
        let enable = format!("switch it on: PATCH /streamer/bots/{}", found.provider);
        let read = format!("no process reads the platform: start memalerts work chat --platform {}", found.provider);
        let check = |name: &str, ok: bool, well: &str, ill: &str| CheckView {
            name: name.to_owned(),
            ok,
            detail: if ok { well } else { ill }.to_owned(),
        };
        let checks = vec![
            check("enabled", found.enabled, "it is switched on", &enable),
            check(
                "linked",
                found.channel_login.is_some(),
                "the channel has an account there",
                "link the channel first",
            ),
            check("reader", found.readers > 0, "a process reads the platform", &read),
            check(
                "session",
                reading,
                "the chat is read",
                "nobody reads the chat: it takes seconds once all above is well",
            ),
            check(
                "sender",
                senders > 0,
                "a process sends messages",
                "no process sends messages: start memalerts work outbox",
            ),
            check("outbox", !late, "messages do not wait for long", "messages wait for minutes: see lastFailure"),
        ];
        Self {
            provider: found.provider.into(),
            ok: checks.iter().all(|check| check.ok),
            enabled: found.enabled,
            channel_login: found.channel_login,
            readers: found.readers,
            account: found.account,
            reads_since: found.reads_since,
            senders,
            waiting: found.waiting,
            oldest_waiting_at: found.oldest_waiting_at,
            last_failure: found.last_failure.map(|failure| FailureView {
                id: failure.id,
                status: failure.status.into(),
                last_error: failure.reason,
                at: failure.at,
            }),
            custom_bot: found.custom_bot,
            checks,
        }
    }
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
    /// One chat message: 1 to 500 characters. Line breaks become spaces; a bot that writes over IRC says the first 512 bytes.
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
