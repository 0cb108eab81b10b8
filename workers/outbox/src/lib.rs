//! Pool `outbox`: says what is to be said, once.
//!
//! [`send_chat_message`] takes a message through its steps; a *sender* knows one platform's way to write it and to learn
//! what came of it ([`twitch`]). Twitch is written to over its plain IRC door with one kept connection a process: the
//! answer to a message (USERSTATE or NOTICE) comes back on the connection that wrote it, so reading chats (pool `chat`)
//! and writing into them need not share anything but the account's budget, which is a row in the database.
//!
//! [`revoke_grant`] and [`validate_grants`] speak with the platforms about tokens of people.
//!
//! [`send_mail`] writes a mail and hands it to the mail server ([`mail`]).
//!
//! To add a platform: a sender module with the same [`Delivery`] answers, and its arm in [`Senders`].

mod end_stale_messages;
mod forget_mails;
pub mod mail;
mod revoke_grant;
mod send_chat_message;
mod send_mail;
mod telemetry;
mod trim_outbox;
pub mod twitch;
mod validate_grants;

use std::{sync::Arc, time::Duration};

use domain::{
    access::Vault,
    identities::{RevokeGrant, ValidateGrant, ValidateGrants},
    mails::{ForgetMails, SendMail},
    outbox::{EndStaleMessages, Provider, SendChatMessage, Text, TrimOutbox, budget::Limit},
};
use identity::Platforms;
use queue::Workers;

/// What the pool must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `None`: the platform is not configured, its messages fail with that reason.
    pub twitch: Option<twitch::Settings>,
    pub mail: mail::Settings,
    /// Whose tokens are given back, and asked about.
    pub platforms: Platforms,
    pub vault: Arc<Vault>,
}

/// The pool's handlers.
#[must_use]
pub fn workers(settings: &Settings) -> Workers {
    telemetry::describe();
    let senders = Arc::new(Senders { twitch: settings.twitch.clone().map(twitch::Sender::new) });
    let (platforms, vault) = (settings.platforms.clone(), settings.vault.clone());
    let (returning, asking, naming) = ((platforms.clone(), vault.clone()), (platforms.clone(), vault), platforms);
    let post = Arc::new(mail::Post::new(&settings.mail));
    Workers::new("outbox", 16)
        .handle::<SendChatMessage, _, _>(move |ctx, job| send_chat_message::handle(ctx, job, senders.clone()))
        .handle::<EndStaleMessages, _, _>(end_stale_messages::handle)
        .handle(trim_outbox::handle)
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
        .every(Duration::from_hours(1), ValidateGrants::default)
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
    /// It was written, and nobody said what came of it.
    Doubtful(String),
}

/// The way to each platform.
#[derive(Debug)]
pub(crate) struct Senders {
    twitch: Option<twitch::Sender>,
}

impl Senders {
    /// The bot account and its budget; `None` when the platform is not configured.
    pub(crate) fn account(&self, provider: Provider) -> Option<(&str, Limit)> {
        match provider {
            Provider::Twitch => self.twitch.as_ref().map(|sender| (sender.account(), twitch::SEND_LIMIT)),
            Provider::VkVideo | Provider::YouTube | Provider::Trovo | Provider::Kick => None,
        }
    }

    /// Writes the message, at most once.
    pub(crate) async fn send(&self, provider: Provider, channel: &str, text: &Text) -> Delivery {
        match (provider, &self.twitch) {
            (Provider::Twitch, Some(sender)) => sender.send(channel, text).await,
            _ => Delivery::NotWritten(format!("{provider} is not configured")),
        }
    }
}
