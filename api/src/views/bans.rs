//! Words of bans from channels.

use domain::bans::Ban;
use poem_openapi::Object;
use time::OffsetDateTime;
use uuid::Uuid;

/// Why somebody is kept off a channel's memes.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct BanWish {
    /// For the team; at most 200 characters.
    #[oai(validator(max_length = 200))]
    pub(crate) reason: Option<String>,
}

/// Somebody who is kept off a channel's memes.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct BanView {
    user_id: Uuid,
    login: String,
    display_name: String,
    /// As the team has said it.
    reason: Option<String>,
    banned_at: OffsetDateTime,
}

impl From<Ban> for BanView {
    fn from(ban: Ban) -> Self {
        Self {
            user_id: ban.user_id,
            login: ban.login,
            display_name: ban.display_name,
            reason: ban.reason,
            banned_at: ban.banned_at,
        }
    }
}
