//! Switches.

use time::OffsetDateTime;

use crate::outbox::Provider;

/// The switch of one platform's bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integration {
    pub provider: Provider,
    pub enabled: bool,
    /// `None`: never touched.
    pub updated_at: Option<OffsetDateTime>,
}

/// A channel on a platform, as the platform has told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The channel's id there.
    pub account: String,
    /// Its name there, lower case.
    pub login: String,
}
