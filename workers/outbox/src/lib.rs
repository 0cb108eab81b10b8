//! Pool `outbox`: says what is to be said, once.
//!
//! [`send_chat_message`] takes a message through its steps; [`voices`] knows whose account says it and by which way. Accounts
//! that somebody has linked speak through Twitch's API; the one that the settings name with a token of its own ([`twitch`])
//! writes over its plain IRC door with one kept connection a process: the
//! answer to a message (USERSTATE or NOTICE) comes back on the connection that wrote it, so reading chats (pool `chat`)
//! and writing into them need not share anything but the account's budget, which is a row in the database.
//!
//! [`revoke_grant`] and [`validate_grants`] speak with the platforms about tokens of people.
//!
//! [`moderate`] does what auto-moderation has decided.
//!
//! [`send_mail`] writes a mail and hands it to the mail server ([`mail`]).
//!
//! [`sync_subscriptions`], [`poll_streams`] and [`find_missed`] see to it that we hear what happens on Twitch.
//!
//! To add a platform: a sender module with the same [`Delivery`] answers, and its arm in [`Voices`].

mod ask_standing;
mod end_stale_messages;
mod find_missed;
mod forget_mails;
pub mod mail;
mod moderate;
mod poll_streams;
mod revoke_grant;
mod send_chat_message;
mod send_mail;
mod sync_subscriptions;
mod telemetry;
mod trim_outbox;
pub mod twitch;
mod validate_grants;
mod voices;

use std::{sync::Arc, time::Duration};

use domain::{
    access::Vault,
    automod::Moderate,
    bot_accounts::Fallback,
    channels::AskStanding,
    identities::{RevokeGrant, ValidateGrant, ValidateGrants},
    mails::{ForgetMails, SendMail},
    outbox::{EndStaleMessages, SendChatMessage, TrimOutbox},
    subscriptions::{FindMissed, PollStreams, SyncSubscriptions},
};
use helix::Helix;
use identity::Platforms;
use poll_streams::Asked;
use queue::Workers;
pub use sync_subscriptions::Callback;
use vkvideo::VkVideo;
use voices::Voices;

/// What the pool must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `None`: the platform is not configured, its messages fail with that reason.
    pub twitch: Option<twitch::Settings>,
    /// Who speaks on Twitch where no account is linked for it.
    pub fallback: Fallback,
    /// An account says one message in this time in one chat.
    pub spacing: Duration,
    /// Where Twitch tells us what happens; none: it cannot reach us.
    pub callback: Option<Callback>,
    pub mail: mail::Settings,
    /// Whose tokens are given back, and asked about.
    pub platforms: Platforms,
    pub vault: Arc<Vault>,
}

/// The pool's handlers.
///
/// # Errors
/// There is no TLS on this machine.
pub fn workers(settings: &Settings) -> reqwest::Result<Workers> {
    telemetry::describe();
    let (platforms, vault) = (settings.platforms.clone(), settings.vault.clone());
    let helix = Helix::new(platforms.clone(), vault.clone())?;
    let twitch = settings.twitch.clone().map(twitch::Sender::new);
    let vkvideo = VkVideo::new(platforms.clone(), vault.clone())?;
    let voices = Arc::new(Voices::new(twitch, helix.clone(), vkvideo.clone(), settings.fallback.clone()));
    let (returning, asking, naming) = ((platforms.clone(), vault.clone()), (platforms.clone(), vault), platforms);
    let spacing = settings.spacing;
    let post = Arc::new(mail::Post::new(&settings.mail));
    let callback = settings.callback.clone().map(Arc::new);
    let polling = Asked { helix: helix.clone(), vkvideo };
    let (moderating, finding, standing) = (helix.clone(), helix.clone(), helix.clone());
    Ok(Workers::new("outbox", 16)
        .handle::<SendChatMessage, _, _>(move |ctx, job| send_chat_message::handle(ctx, job, voices.clone(), spacing))
        .handle::<EndStaleMessages, _, _>(end_stale_messages::handle)
        .handle(trim_outbox::handle)
        .handle::<Moderate, _, _>(move |ctx, job| moderate::handle(ctx, job, moderating.clone()))
        .handle::<SendMail, _, _>(move |ctx, job| send_mail::handle(ctx, job, post.clone()))
        .handle(forget_mails::handle)
        .handle::<RevokeGrant, _, _>(move |ctx, job| {
            revoke_grant::handle(ctx, job, returning.0.clone(), returning.1.clone())
        })
        .handle::<ValidateGrants, _, _>(move |ctx, job| validate_grants::all(ctx, job, naming.clone()))
        .handle::<ValidateGrant, _, _>(move |ctx, job| {
            validate_grants::one(ctx, job, asking.0.clone(), asking.1.clone())
        })
        .every(Duration::from_secs(60), EndStaleMessages::default)
        .every(Duration::from_hours(1), TrimOutbox::default)
        .every(Duration::from_hours(1), ForgetMails::default)
        .handle::<SyncSubscriptions, _, _>(move |ctx, job| {
            sync_subscriptions::handle(ctx, job, helix.clone(), callback.clone())
        })
        .handle::<PollStreams, _, _>(move |ctx, job| poll_streams::handle(ctx, job, polling.clone()))
        .every(Duration::from_hours(1), ValidateGrants::default)
        .every(Duration::from_mins(10), SyncSubscriptions::default)
        .handle::<AskStanding, _, _>(move |ctx, job| ask_standing::handle(ctx, job, standing.clone()))
        .handle::<FindMissed, _, _>(move |ctx, job| find_missed::handle(ctx, job, finding.clone()))
        .every(Duration::from_mins(1), PollStreams::default)
        .every(Duration::from_mins(10), FindMissed::default))
}

/// What became of a message that a sender was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It is in the chat.
    Sent { provider_message_id: Option<String> },
    /// The platform would not have it; its code.
    Refused { code: String },
    /// Not a byte of it was written.
    NotWritten(String),
    /// Not a byte of it is in the chat, and the platform says when to come again, if it says anything.
    Later(Option<Duration>, String),
    /// It was written, and nobody said what came of it.
    Doubtful(String),
}
