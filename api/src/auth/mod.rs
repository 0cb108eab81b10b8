//! Who asks, and how it is proven.
//!
//! An operation says whom it serves by taking [`Viewer`], [`Moderator`], [`Editor`], [`Streamer`], [`Observer`] or [`Admin`]; the document then lists the session
//! schemes for it. No or a bad session is 401, a role that is too low is 403.
//!
//! A request proves its session by an access token ([`access`]), which names it and lives for minutes; that the session has
//! not been ended meanwhile is known without asking ([`ended`]). A login of any kind begins with [`session::begin`].

mod access;
mod actor;
pub(crate) mod cookies;
mod csrf;
mod ended;
mod hasher;
pub(crate) mod oauth;
pub(crate) mod proof;
pub(crate) mod session;

pub(crate) use actor::{Admin, Editor, Moderator, Observer, Streamer, Viewer};
pub(crate) use csrf::refuse_foreign_sites;
pub(crate) use ended::Ended;
pub(crate) use hasher::Hasher;
