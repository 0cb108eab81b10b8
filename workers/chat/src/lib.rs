//! Pool `chat`: listens to chats, keeps what it hears, and answers commands.
//!
//! Two halves:
//! - [`listen`] is resident: it holds leases on chats, keeps connections to the platform, and writes what it reads in
//!   batches ([`residents`]).
//! - [`workers`] runs [`IngestChatBatch`](domain::chat::IngestChatBatch): lines become messages, commands get their
//!   answer in the outbox, new chatters become relay jobs ([`ingest`]). What platforms tell by webhooks becomes coins and
//!   news of streams ([`understand_webhook`]).
//!
//! They meet in the database only: reading never waits for understanding, and a line that makes understanding fail
//! stops nobody's chat.

mod ingest;
pub mod platforms;
mod residents;
mod say_timers;
pub mod simulator;
mod telemetry;
mod trim_chat;
mod understand_webhook;

use std::{sync::Arc, time::Duration};

use domain::{
    chat::{IngestChatBatch, TrimChat},
    timers::SayTimers,
    webhooks::UnderstandWebhook,
};
use queue::Workers;

pub use residents::listen;

/// What the pool must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `None`: the platform is not configured, nothing listens there.
    pub twitch: Option<platforms::twitch::Settings>,
    /// The same.
    pub vkvideo: Option<platforms::vkvideo::Settings>,
    /// `CHATBOT_SYNC_SECONDS`: how often wanted chats are compared with running ones when no wake-up comes.
    pub sync: Duration,
    /// Where viewers reach us, without a trailing slash: for links in answers.
    pub public_url: String,
    /// `CHATBOT_BACKEND_BASE_URLS`: instances that hear of each new chatter.
    pub relay_targets: Vec<String>,
}

/// The pool's handlers.
#[must_use]
pub fn workers(settings: &Settings) -> Workers {
    telemetry::describe();
    let settings = Arc::new(settings.clone());
    let told = settings.clone();
    let saying = settings.clone();
    Workers::new("chat", 4)
        .handle::<IngestChatBatch, _, _>(move |ctx, job| ingest::handle(ctx, job, settings.clone()))
        .handle::<SayTimers, _, _>(move |ctx, job| say_timers::handle(ctx, job, saying.clone()))
        .handle(trim_chat::handle)
        .handle::<UnderstandWebhook, _, _>(move |ctx, job| understand_webhook::handle(ctx, job, told.clone()))
        .every(Duration::from_secs(15), SayTimers::default)
        .every(Duration::from_hours(1), TrimChat::default)
}
