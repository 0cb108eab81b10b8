//! Auto-moderation: what bots do about messages that a channel does not want.
//!
//! - A channel's [`Settings`] say which rules hold (links, capitals, repetitions, letters under heaps of marks), what is done about a
//!   message that breaks one, and to whom they do not apply. The broadcaster and moderators may always.
//! - [`judge`] is the one place for all platforms: it looks at the messages of a batch in the pass that records them, writes down
//!   what is to be done ([`Act`]) and orders it ([`Moderate`]), all in one transaction. What is judged is not answered.
//! - [`Moderate`] has it done on the platform, once, and notes what came of it.
//! - A moderator's `!permit somebody` (or [`permit`]) lets one person link for a while.

mod commands;
mod error;
mod hosts;
mod jobs;
mod model;
mod repo;
mod rules;

pub(crate) use commands::PERMIT;
pub use commands::{change, end_permit, judge, permit, settings};
pub use error::AutomodError;
pub use jobs::Moderate;
pub use model::{Act, Action, Change, Permit, Role, Rule, Settings, Status};
pub use repo::{acts, done, fail, forget, permits, put_off, to_do};
