//! The platforms that say who somebody is: where a browser is sent, what its return is worth, and how tokens are renewed.
//!
//! - [`registry`]: a row a platform. [`profiles`]: how each one tells who came.
//! - [`Platforms`]: the rows that are configured, and the three things that one does with them ([`Platforms::address`],
//!   [`Platforms::redeem`], [`Platforms::fresh_token`]).
//! - [`client`]: how we speak to them. Nothing that a platform answers is trusted further than it must be: bounded in size and
//!   time, redirected nowhere, and not led to addresses of our own network.
//! - [`simulator`]: the other side, for stories and demos.
//!
//! To add a platform: a variant of [`domain::identities::Provider`], a row here, a mapper if it tells of people in words of
//! its own, its settings in `.env.example`, and a row in the simulator; the stories of `tests/it/identities` then run with
//! it, too.
//!
//! Decided: OAuth is written here and not taken from crates `oauth2` and `openidconnect`, because half of the platforms
//! leave its letter (comma scopes, JSON bodies, numbers in quotes, errors with status 200, a device that must be shown
//! again), and because the latter brings a second stack of cryptography with a known timing flaw in its RSA; signatures are
//! checked by
//! `jsonwebtoken` on aws-lc-rs, as our own sessions are.

mod client;
mod discovery;
mod error;
mod grants;
mod platforms;
mod profiles;
mod proof;
mod registry;
mod returns;
pub mod simulator;
mod tokens;

pub use error::IdentityError;
pub use platforms::{Access, Platforms, Returned, Trip};
