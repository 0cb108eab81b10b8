//! Words of the house's moderation.

use domain::{
    channels::Channel,
    moderation::{HouseModerator, ReviewedAsset},
};
use poem_openapi::Object;
use time::OffsetDateTime;
use uuid::Uuid;

use super::memes::MemeType;

/// Something that is shown, on any channel.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AssetView {
    id: Uuid,
    #[oai(rename = "type")]
    kind: MemeType,
    /// Where its file is, relative to this service; what is hidden is not served.
    file_url: String,
    /// Milliseconds.
    duration_ms: i32,
    created_at: OffsetDateTime,
    /// Since when it is out of sight.
    hidden_at: Option<OffsetDateTime>,
    /// Since when it is gone for good.
    deleted_at: Option<OffsetDateTime>,
    /// Of the oldest of its memes.
    title: Option<String>,
    channel_slug: Option<String>,
}

impl From<ReviewedAsset> for AssetView {
    fn from(asset: ReviewedAsset) -> Self {
        Self {
            id: asset.id,
            kind: asset.kind.into(),
            file_url: format!("/uploads/{}", asset.file_hash),
            duration_ms: asset.duration_ms,
            created_at: asset.created_at,
            hidden_at: asset.hidden_at,
            deleted_at: asset.deleted_at,
            title: asset.title,
            channel_slug: asset.channel_slug,
        }
    }
}

/// A channel that was looked up.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct ResolvedChannelView {
    id: Uuid,
    slug: String,
    name: String,
    owner_id: Uuid,
}

impl From<Channel> for ResolvedChannelView {
    fn from(channel: Channel) -> Self {
        Self { id: channel.id, slug: channel.slug, name: channel.name, owner_id: channel.owner_id }
    }
}

/// Why something is taken out of sight or brought back.
#[derive(Debug, Default, Object)]
#[oai(example, deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct AssetDecision {
    /// At most 500 characters, for `/owner/audit`.
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
}

/// Somebody who moderates all channels.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct HouseModeratorView {
    user_id: Uuid,
    login: String,
    display_name: String,
    granted_at: OffsetDateTime,
}

impl From<HouseModerator> for HouseModeratorView {
    fn from(moderator: HouseModerator) -> Self {
        Self {
            user_id: moderator.user_id,
            login: moderator.login,
            display_name: moderator.display_name,
            granted_at: moderator.granted_at,
        }
    }
}
