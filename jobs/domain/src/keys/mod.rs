//! Changing the key that seals secrets at rest: what was sealed under another key is brought under the present one.
//!
//! [`COLUMNS`] says which columns hold sealed values. [`order`] begins a rotation: a chain of jobs ([`RotateKeys`]), each of which
//! renews some rows in one short transaction and orders the next, so that a rotation goes on where it was whoever dies meanwhile.
//! Readers never wait longer than for one such transaction and open both keys all the time; a row that somebody holds (a token
//! that is being renewed) is passed over and met again in the next pass. [`status`] counts what is under which key.

mod error;
mod jobs;
mod model;
mod repo;
mod rotate;

pub use error::KeysError;
pub use jobs::RotateKeys;
pub use model::{COLUMNS, Column, Count};
pub use repo::status;
pub use rotate::{Progress, advance, order};
