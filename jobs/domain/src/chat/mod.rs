//! Chats: who reads which one, and what was said there.
//!
//! **Reading** is not a job. A process that reads chats is a [`sessions`] holder with a lease of seconds; each chat
//! belongs to one holder at a time.
//!
//! **What was read** is kept as bytes first: [`receive`] writes a batch of lines and its job [`IngestChatBatch`] in one
//! transaction, so that a line that was taken from the socket and kept is never lost, whatever understanding it costs.
//! The job turns lines into messages ([`record`]), once each by their content id, and puts what nobody can understand
//! aside alone, with its bytes ([`bury`]). [`trim`] forgets both when nobody can need them any more.
//!
//! **What moderators took away** is kept apart from the messages ([`remove`]): whatever shows or counts messages asks for it, so that
//! it does not matter which of the two is read first. What is left is the view `chat_messages_standing`, which is shown ([`list`]) with
//! what each message is ([`Category`]).

mod category;
mod commands;
mod jobs;
mod model;
mod repo;
pub mod sessions;
mod tell;

pub use category::Category;
pub use commands::{Recorded, bury, receive, record, remove, trim};
pub use jobs::{IngestChatBatch, TrimChat};
pub use model::{Batch, ChatMessage, Filter, RawLine, Removal, Removed, Roles, Shown};
pub use repo::{count, drop_batch, find, find_batch, list};
pub use tell::tell;
