//! Changing the key that seals secrets at rest: what was sealed under another key is brought under the present one.
//!
//! [`COLUMNS`] says which columns hold sealed values. [`order`] begins a rotation: a chain of jobs ([`RotateKeys`]), each
//! of which renews some rows in one short transaction and orders the next, so that a rotation goes on where it was whoever
//! dies meanwhile. Readers never wait longer than for one such transaction and open both keys all the time; a row that
//! somebody holds (a token that is being renewed) is passed over and met again in the next pass. [`status`] counts what is
//! under which key.
//!
//! Three accidents are prevented: a process that starts without a key that something is sealed under ([`closed`]); one that
//! starts beside another one when what one of them seals would be closed to the other ([`announce`]); and a rotation to a
//! key that some process does not seal under yet ([`holders`]).

mod error;
mod jobs;
mod model;
mod repo;
mod rotate;
mod start;

pub use error::KeysError;
pub use jobs::RotateKeys;
pub use model::{ANNOUNCED_EVERY, COLUMNS, Column, Count, Holder, Strangeness, Stranger};
pub use repo::{holders, status, withdraw};
pub use rotate::{Progress, advance, order};
pub use start::{announce, closed};
