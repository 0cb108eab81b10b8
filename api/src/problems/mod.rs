//! What each noun's failures mean to a client: status, code, words.

mod accounts;
mod activations;
mod adjustments;
mod bot_accounts;
mod bots;
mod channels;
mod chat_commands;
mod credits;
mod entitlements;
mod grants;
pub(crate) mod identities;
mod jobs;
mod mails;
mod memes;
mod moderation;
mod passwords;
mod privacy;
pub(crate) mod promised;
mod promotions;
mod requests;
mod rewards;
mod sessions;
mod submissions;
mod teams;
mod timers;
mod tokens;
mod wallets;
