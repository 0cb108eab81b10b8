//! Words of bots and their messages.

use domain::{
    bots::{Diagnostics, Failure, Found, Greetings, Integration},
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

/// New values for it; what is absent stays.
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
    /// `enabled`, `linked`, `reader`, `session`, `account`, `sender`, `outbox`, `said`, `events` or `moderation`; of a platform
    /// whose bot is not built only `available`.
    name: String,
    ok: bool,
    /// What is so, and what to do where it is not well.
    detail: String,
}

/// Seconds after which a message that still waits is a bad sign.
const PATIENCE: i64 = 120;

impl DiagnosticsView {
    /// What was found, with the processes that send, and why operators keep them from it.
    pub(crate) fn new(found: Diagnostics, sending: &Sending, now: OffsetDateTime) -> Self {
        let checks = match found.provider {
            outbox::Provider::Twitch | outbox::Provider::VkVideo => checks(&found, sending, now),
            _ => {
                vec![check("available", false, "", "the bot of this platform is not built yet: nothing switches it on")]
            }
        };
        Self {
            provider: found.provider.into(),
            ok: checks.iter().all(|check| check.ok),
            enabled: found.enabled,
            channel_login: found.channel_login,
            readers: found.readers,
            account: found.account,
            reads_since: found.reads_since,
            senders: sending.processes,
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

/// Who sends messages.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    pub(crate) processes: i64,
    /// An operator has stopped all of them; why, if they said so.
    pub(crate) paused: Option<String>,
}

fn check(name: &str, ok: bool, well: &str, ill: &str) -> CheckView {
    CheckView { name: name.to_owned(), ok, detail: if ok { well } else { ill }.to_owned() }
}

/// In the order in which one would look.
fn checks(found: &Diagnostics, sending: &Sending, now: OffsetDateTime) -> Vec<CheckView> {
    let late = found.oldest_waiting_at.is_some_and(|at| (now - at).whole_seconds() > PATIENCE);
    let enable = format!("switch it on: PATCH /streamer/bots/{}", found.provider);
    let read = format!("no process reads the platform: start memalerts work chat --platform {}", found.provider);
    // Who reads says so; while nobody does, that is what is to be looked at first.
    let voiced = found.readers == 0 || found.account.is_some();
    let refused = found.last_failure.as_ref().filter(|failure| is_refusal(failure) && !found.heard_since);
    let reason = refused.and_then(|failure| failure.reason.as_deref()).unwrap_or_default();
    let refusal = format!("the last message was not said ({reason}): {}", remedy(reason));
    let untold: Vec<String> = found.untold.iter().map(|(kind, why)| format!("{kind} ({why})")).collect();
    let untold = format!(
        "the platform does not tell us of {}: who owns the channel logs in with the platform once more and grants what it asks for; \
         then it is asked again within the hour. Subscriptions, cheers and raids are read in the chat meanwhile, follows and rewards are not",
        untold.join(", ")
    );
    let undone = format!(
        "the last message was not moderated ({}): make the bot a moderator of the channel (/mod), and link it with the rights to \
         delete messages and to time people out",
        found.unmoderated.as_deref().unwrap_or_default()
    );
    let sender = match &sending.paused {
        Some(reason) => format!("an operator has paused pool outbox ({reason}): memalerts queues resume outbox"),
        None => "no process sends messages: start memalerts work outbox".to_owned(),
    };
    vec![
        check("enabled", found.enabled, "it is switched on", &enable),
        check("linked", found.channel_login.is_some(), "the channel has an account there", "link the channel first"),
        check("reader", found.readers > 0, "a process reads the platform", &read),
        check(
            "session",
            found.reads_since.is_some(),
            "the chat is read",
            "nobody reads the chat: it takes seconds once all above is well",
        ),
        check("account", voiced, "an account speaks there", &silent(found.provider)),
        check("sender", sending.processes > 0 && sending.paused.is_none(), "a process sends messages", &sender),
        check("outbox", !late, "messages do not wait for long", "messages wait for minutes: see lastFailure"),
        check("said", refused.is_none(), "the platform takes what the bot says", &refusal),
        check("events", found.untold.is_empty(), "the platform refuses to tell us of nothing", &untold),
        check("moderation", found.unmoderated.is_none(), "auto-moderation is done, or off", &undone),
    ]
}

/// What to do where no account speaks.
fn silent(provider: outbox::Provider) -> String {
    let settings = match provider {
        outbox::Provider::Twitch => ", or the settings name one (CHAT_BOT_LOGIN and CHAT_BOT_OAUTH_TOKEN)",
        _ => "",
    };
    format!("no account speaks there: an owner links one at /owner/bots/{provider}/default/link{settings}")
}

/// What came too late was refused by nobody.
fn is_refusal(failure: &Failure) -> bool {
    failure.status == outbox::Status::Failed
        && !failure.reason.as_deref().is_some_and(|reason| reason.starts_with("stale"))
}

/// What to do about a platform's refusal.
fn remedy(reason: &str) -> &'static str {
    match reason {
        "msg_banned" | "user_banned" => "the bot is banned from the channel, which its owner ends with /unban",
        "msg_timedout" => "the bot is timed out in the channel: wait, or end it with /untimeout",
        "msg_channel_suspended" | "msg_suspended" => "the platform has suspended the channel or the bot",
        "msg_followersonly" | "msg_followersonly_followed" | "msg_followersonly_zero" | "followers_only_mode" => {
            "only followers may speak there: make the bot a moderator (/mod)"
        }
        "msg_subsonly" | "msg_emoteonly" | "msg_slowmode" | "msg_r9k" | "msg_duplicate" => {
            "the chat lets few speak: make the bot a moderator (/mod)"
        }
        "msg_requires_verified_phone_number" | "msg_verified_email" => {
            "verify the bot's account on the platform, or make it a moderator (/mod)"
        }
        "msg_ratelimit" => "the bot has said too much: wait",
        "msg_rejected" | "msg_rejected_mandatory" => {
            "the channel's own filter holds such messages back: make the bot a moderator (/mod)"
        }
        reason if reason.contains("linked again") => "link the bot's account once more",
        reason if reason.contains("login") => "the bot's token is not taken: renew it, or link the account once more",
        _ => "the platform's word says why",
    }
}

/// A new position of the switch.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct BotPatch {
    pub(crate) enabled: bool,
    /// Of VK Video: the address or the name of my channel there; needed where my account has several.
    #[oai(validator(max_length = 300))]
    pub(crate) vkvideo_channel_url: Option<String>,
}

/// A channel of mine on VK Video.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct VkvideoCandidate {
    /// Its name there, for `vkvideoChannelUrl`.
    url: String,
    /// Its id there.
    vkvideo_channel_id: String,
}

impl From<Found> for VkvideoCandidate {
    fn from(found: Found) -> Self {
        Self { url: found.login, vkvideo_channel_id: found.account }
    }
}

/// Channels of mine on VK Video.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct VkvideoCandidatesView {
    pub(crate) items: Vec<VkvideoCandidate>,
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
