//! Features that not everybody has: an admin gives them to a person or to a channel, for a while or for ever.
//!
//! To gate something: a variant of [`Feature`], and [`require`] (for what a channel has) before it is done. What was made
//! while there was a right to it stays when the right ends, until it is changed.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{grant, has, require, revoke};
pub use error::EntitlementError;
pub use model::{Entitlement, Feature, Holder};
pub use repo::{list, list_of_channel, list_of_person};
