//! Accounts with a password.
//!
//! Hashing takes tens of milliseconds and megabytes by design: whoever calls [`hash`] or [`verify`] does it off the threads
//! that serve others, and few at a time. A login proves the password outside of the transaction that opens the session, so
//! that one asks once more whether the password is still the one that was proven ([`still`]).

mod commands;
mod common;
mod error;
mod hashing;
mod model;
mod repo;

pub use commands::{change, own_subject, register, reset, still, subject, subject_from};
pub use error::PasswordError;
pub use hashing::{Proof, hash, verify};
pub use model::{Credentials, NewAccount, parse_email, parse_password};
pub use repo::{find, find_of};
