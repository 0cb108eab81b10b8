//! An account that speaks.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::identities::Provider;

/// The account that a seat has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seated {
    pub account_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub updated_at: OffsetDateTime,
    /// Why it must be linked again.
    pub relink_reason: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub account_id: Uuid,
    /// The account's id there.
    pub subject: String,
    /// Lower case.
    pub login: String,
}

/// Who speaks where no seat is taken, in the order in which they are asked for; for installations that name their bot by
/// settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fallback {
    /// `CHAT_BOT_USER_ID`: the account of this person here.
    pub user_id: Option<Uuid>,
    /// `CHAT_BOT_TWITCH_USER_ID`: the account with this id there.
    pub subject: Option<String>,
    /// `CHAT_BOT_LOGIN` without a token of its own: the account with this name there.
    pub login: Option<String>,
}

/// What an account must have been granted to write.
pub(super) const fn needed(provider: Provider) -> Option<&'static str> {
    match provider {
        Provider::Twitch => Some("user:write:chat"),
        Provider::YouTube => Some("https://www.googleapis.com/auth/youtube.force-ssl"),
        Provider::VkVideo => Some("chat:message:send"),
        _ => None,
    }
}
