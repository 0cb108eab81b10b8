//! The event log: what happened, in a gapless order per stream.
//!
//! [`record`] is the last thing a transaction does: it locks the streams' rows in the order of their keys, gives each
//! event the next number and wakes the listeners after the commit. The row stays locked until then, so numbers become
//! visible in their order: whoever has read up to `n` never finds a smaller number later.
//!
//! Reading goes by [`Cursor`]: [`after()`] for one stream, [`after_many`] for all streams of a process at once, and
//! [`moved`] to learn which streams have grown without a wake-up. [`trim`] forgets what is older than a day.

mod jobs;
mod model;
mod repo;

pub use jobs::TrimEvents;
pub use model::{Audience, BadCursor, Cursor, Event, MANY, NewEvent, Recorded, Stream};
pub use repo::{after, after_many, head, moved, record, snapshot, trim, trim_streams};
