//! Sessions and what becomes of them.

use time::OffsetDateTime;
use uuid::Uuid;

use super::RefreshToken;

/// From where somebody comes, as far as one can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// At most 200 characters.
    pub(super) user_agent: String,
    /// An IP address.
    pub(super) address: String,
}

impl Origin {
    /// Keeps what is shown to the person later, and no more of it than fits.
    #[must_use]
    pub fn new(user_agent: &str, address: &str) -> Self {
        let seen = |text: &str, most| text.chars().filter(|c| !crate::unseen::is_unseen(*c)).take(most).collect();
        Self { user_agent: seen(user_agent, 200), address: seen(address, 64) }
    }
}

/// Somebody's login on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: OffsetDateTime,
    /// When it was last refreshed.
    pub seen_at: OffsetDateTime,
    /// When the person last proved to be that person.
    pub authenticated_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub user_agent: String,
    pub address: String,
    /// How the person was proven: `dev`, `password`, `totp`, the name of a provider, ...
    pub methods: Vec<String>,
}

/// A new session. The token is shown once.
#[derive(Debug)]
pub struct Opened {
    pub id: Uuid,
    pub user_id: Uuid,
    pub token: RefreshToken,
}

/// What came of a refresh token. Commit the transaction whatever it is.
#[derive(Debug)]
pub enum Refreshed {
    /// The session goes on, with this token instead.
    Again(Opened),
    /// Another request with the same token was faster, some seconds ago at most; its answer has the new one.
    Overtaken,
    /// The token was used up before: the session has been ended now.
    Replayed {
        /// Whose session it was.
        user: Uuid,
    },
    /// The session has ended or never was.
    Over,
}

/// A session that has ended, or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub id: Uuid,
    pub at: OffsetDateTime,
    /// Nobody ended it: its time is over.
    pub expired: bool,
}

/// Why a session was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its person logged out.
    Logout,
    /// Its person ended it from another session.
    Revoked,
    /// The same browser logged in anew.
    Replaced,
    /// A refresh token of it was used twice.
    Reuse,
    /// The person's role was changed by an admin.
    Role,
    /// The person was banned.
    Ban,
    /// The person's password, or what stands beside it, was changed.
    Password,
    /// The person asked to be forgotten.
    Erased,
}

impl EndReason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Reuse => "reuse",
            Self::Role => "role",
            Self::Ban => "ban",
            Self::Password => "password",
            Self::Erased => "erased",
        }
    }
}
