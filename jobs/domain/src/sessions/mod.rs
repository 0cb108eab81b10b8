//! Who is logged in where.
//!
//! A session is a row a device. Two things prove it: a signed token of minutes that the API makes for itself and that names
//! the row ([`ACCESS_SECONDS`]), and a refresh token that opens the next minutes and is changed at each use ([`refresh`]).
//!
//! - No request asks the database whether its session has been ended: each process keeps the ended ones in mind for as long
//!   as a token of theirs could live ([`ended_since`]) and is told of new ones ([`MATTER`]).
//! - Of a session's refresh tokens the newest is good. Whoever brings another that was ours once has stolen it, or was
//!   stolen from: the session ends. Only the one before the newest is forgiven for some seconds: another tab was faster.
//! - [`open`] and whatever ends all sessions of a person stand in line at the person's row: a session that is opened while
//!   the person is banned is either refused or ended with the others.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;
mod token;

pub use commands::{authenticated, end, end_all_of_user, end_of_token, open, refresh};
pub use error::SessionError;
pub use jobs::ForgetSessions;
pub use model::{EndReason, Ended, Opened, Origin, Refreshed, Session};
pub use repo::{ended_since, find, forget_old, is_fresh, is_fresh_by_code, is_known_from, list};
pub use token::RefreshToken;

/// How long an access token is good.
pub const ACCESS_SECONDS: i64 = 15 * 60;

/// What is told to other processes when a session has been ended.
pub const MATTER: &str = "sessions";
