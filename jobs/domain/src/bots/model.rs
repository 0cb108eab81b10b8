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
