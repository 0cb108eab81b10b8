//! Who asks, and how it is proven.
//!
//! An operation says whom it serves by taking [`Viewer`], [`Streamer`] or [`Admin`]; the document then lists the session
//! schemes for it. No or a bad session is 401, a role that is too low is 403.

mod actor;
mod csrf;
mod session;

pub(crate) use actor::{Admin, Streamer, Viewer};
pub(crate) use csrf::refuse_foreign_sites;
pub(crate) use session::{cleared_cookie, issue, session_cookie};
