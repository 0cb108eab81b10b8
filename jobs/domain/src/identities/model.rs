//! Who somebody is on a platform, and what the platform lets us do for them.

use std::{fmt, time::Duration};

use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Provider;

/// A token of a platform. Shown by no formatter, and wiped from memory at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token itself: for the platform that gave it, never for a formatter.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// Whom the platform vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub provider: Provider,
    /// Who vouches: an address of the platform.
    pub issuer: String,
    /// The account's id there, 1 to 255 characters; never changes and is never given to another.
    pub subject: String,
    /// What the platform calls the account; may change, and may be empty.
    pub login: String,
    pub display_name: String,
    /// `https://...`
    pub avatar_url: Option<String>,
}

/// What the platform gave us with a login or a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub access: Token,
    /// `None` at a renewal: the old one stays good.
    pub refresh: Option<Token>,
    /// For how long `access` is good; `None`: the platform did not say.
    pub lifetime: Option<Duration>,
    pub scopes: Vec<String>,
    /// What the platform wants to see again at a renewal.
    pub device: Option<String>,
}

/// An account on a platform that belongs to a person here; without its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub provider: Provider,
    pub provider_user_id: String,
    pub login: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub scopes: Vec<String>,
    pub linked_at: OffsetDateTime,
    /// Why it must be linked again before we can act there.
    pub relink_reason: Option<String>,
}
