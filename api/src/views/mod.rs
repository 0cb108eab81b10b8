//! The wire's words: camelCase JSON, ids as UUIDs, times as RFC 3339, coins and milliseconds as integers.

pub(crate) mod accounts;
pub(crate) mod activations;
pub(crate) mod acts;
pub(crate) mod bots;
pub(crate) mod channels;
pub(crate) mod credits;
pub(crate) mod events;
mod examples;
pub(crate) mod factors;
pub(crate) mod health;
pub(crate) mod identities;
pub(crate) mod jobs;
pub(crate) mod mails;
pub(crate) mod memes;
pub(crate) mod moderation;
pub(crate) mod overlay;
pub(crate) mod passwords;
pub(crate) mod privacy;
pub(crate) mod promotions;
pub(crate) mod queues;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod submissions;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod wallets;
