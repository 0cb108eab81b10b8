//! Who asks, and how it is proven.
//!
//! An operation says whom it serves by taking [`Viewer`], [`Moderator`], [`Editor`], [`Streamer`], [`Observer`] or
//! [`Admin`]; the document then lists the session schemes for it. No or a bad session is 401, a role that is too low is
//! 403.
//!
//! A request proves its session by an access token ([`access`]), which names it and lives for minutes; that the session has
//! not been ended meanwhile is known without asking ([`ended`]). A login of any kind begins with [`session::begin`]. Docks
//! and programs show a token of their own ([`programs`]), which opens what its scopes name ([`scopes`]) on one channel.

mod access;
mod actor;
pub(crate) mod cookies;
pub(crate) mod csrf;
mod ended;
mod hasher;
pub(crate) mod oauth;
mod programs;
pub(crate) mod proof;
pub(crate) mod scopes;
pub(crate) mod session;

pub(crate) use actor::{
    Admin, Editor, HouseModerator, Moderator, Observer, Proven, Streamer, Viewer, Visitor, keeper, look_ahead, spender,
};
pub(crate) use csrf::refuse_foreign_sites;
pub(crate) use ended::Ended;
pub(crate) use hasher::Hasher;
pub(crate) use programs::Programs;
pub(crate) use session::bearer;
