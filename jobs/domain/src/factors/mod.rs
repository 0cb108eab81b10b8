//! Second factors: codes of six digits that an app makes from a shared seed and the time (TOTP, RFC 6238), and recovery
//! codes for who has lost the app.
//!
//! A code is good in its own 30 seconds and in those beside them, once; neither it nor an older one is taken again. Guesses
//! are counted ([`crate::attempts::CODE`]) by whoever calls [`prove`].

mod codes;
mod commands;
mod error;
mod repo;

pub use codes::{code_at, uri};
pub use commands::{
    Begun, begin, confirm, forget, own_subject, prove, replace_recovery_codes, subject, switch_off, switch_off_of,
};
pub use error::FactorError;
pub use repo::{Asked, asked, is_asked};
