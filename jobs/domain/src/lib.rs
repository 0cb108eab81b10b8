//! Rules and SQL of the business, one folder a noun. No HTTP, no sockets, no threads.
//!
//! The order of the modules is the order of dependence: a noun may use those above it, never those below
//! (`tests/it/guards.rs` checks it).

pub(crate) mod unseen;

mod place;

pub use place::Place;

pub mod events;

pub mod access;

pub mod acts;

pub mod sessions;

pub mod accounts;

pub mod attempts;

pub mod mails;

pub mod identities;

pub mod webhooks;

pub mod passwords;

pub mod factors;

pub mod keys;

pub mod requests;

pub mod budgets;

pub mod channels;

pub mod teams;

pub mod bans;

pub mod entitlements;

pub mod tokens;

pub mod wallets;

pub mod grants;

pub mod adjustments;

pub mod rewards;

pub mod promotions;

pub mod media;

pub mod memes;

pub mod submissions;

pub mod activations;

pub mod stats;

pub mod audit;

pub mod playback;

pub mod moderation;

pub mod subscriptions;

pub mod bot_accounts;

pub mod outbox;

pub mod chat;

pub mod automod;

pub mod templates;

pub mod chat_commands;

pub mod bots;

pub mod timers;

pub mod credits;

pub mod privacy;

pub mod kinds;
