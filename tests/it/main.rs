//! Stories, one noun a file, named as sentences; guards of the architecture. `tests/README.md` tells how to write one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "code of tests")]

mod activations;
mod acts;
mod admin;
mod audit;
mod bots;
mod browser;
mod budgets;
mod channel_tokens;
mod chat;
mod clients;
mod conformance;
mod credits;
mod deploy;
mod environments;
mod failpoints;
mod forgotten;
mod guards;
mod headers;
mod identities;
mod keys;
mod limits;
mod logins;
mod mails;
mod matrix;
mod metrics;
mod origins;
mod overlay;
mod passwords;
mod playback;
mod privacy;
mod processes;
mod procfile;
mod realtime;
mod requests;
mod security;
mod sessions;
mod shut_out;
mod sizes;
mod stage;
mod submissions;
mod teams;
mod tokens;
mod twitch;
mod uploads;
