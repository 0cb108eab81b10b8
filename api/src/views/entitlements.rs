//! Words of entitlements.

use domain::entitlements::{self, Entitlement};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::bots::Provider;

/// A feature that not everybody has. `more_presets`: a channel keeps up to 100 looks of its overlay, not 30; `custom_bot`: it may
/// have an account of its own that speaks in its chat.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Feature {
    MorePresets,
    CustomBot,
}

impl From<Feature> for entitlements::Feature {
    fn from(feature: Feature) -> Self {
        match feature {
            Feature::MorePresets => Self::MorePresets,
            Feature::CustomBot => Self::CustomBot,
        }
    }
}

impl From<entitlements::Feature> for Feature {
    fn from(feature: entitlements::Feature) -> Self {
        match feature {
            entitlements::Feature::MorePresets => Self::MorePresets,
            entitlements::Feature::CustomBot => Self::CustomBot,
        }
    }
}

/// A feature to be given.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct EntitlementWish {
    pub(crate) key: Feature,
    /// To this person; this or `channelId`.
    pub(crate) user_id: Option<Uuid>,
    /// To this channel.
    pub(crate) channel_id: Option<Uuid>,
    /// Until then; for ever when absent.
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// A feature to be taken away.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct Taking {
    pub(crate) key: Feature,
    /// From this person; this or `channelId`.
    pub(crate) user_id: Option<Uuid>,
    /// From this channel.
    pub(crate) channel_id: Option<Uuid>,
}

/// A feature that somebody has or had.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct EntitlementView {
    id: Uuid,
    key: Feature,
    /// Who has it: a person or a channel.
    user_id: Option<Uuid>,
    login: Option<String>,
    channel_id: Option<Uuid>,
    channel_slug: Option<String>,
    /// The admin who gave it.
    granted_by: Uuid,
    granted_at: OffsetDateTime,
    /// Absent: for ever.
    expires_at: Option<OffsetDateTime>,
    /// It can be used now.
    active: bool,
}

impl From<Entitlement> for EntitlementView {
    fn from(entitlement: Entitlement) -> Self {
        Self {
            id: entitlement.id,
            key: entitlement.feature.into(),
            user_id: entitlement.user_id,
            login: entitlement.login,
            channel_id: entitlement.channel_id,
            channel_slug: entitlement.channel_slug,
            granted_by: entitlement.granted_by,
            granted_at: entitlement.granted_at,
            expires_at: entitlement.expires_at,
            active: entitlement.active,
        }
    }
}

/// Whether a channel may have a bot of its own.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct CustomBotOfView {
    pub(crate) channel_id: Uuid,
    /// It may now.
    pub(crate) entitled: bool,
    /// What was given to the channel, the last first.
    pub(crate) items: Vec<EntitlementView>,
}

/// A channel that shall have a bot of its own.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct CustomBotWish {
    pub(crate) channel_id: Uuid,
    /// Until then; for ever when absent.
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// A channel that shall have none any more.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CustomBotTaking {
    pub(crate) channel_id: Uuid,
}

/// A channel that shall have a bot of its own, by its account elsewhere.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct CustomBotByProvider {
    pub(crate) provider: Provider,
    /// The account's id there.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) external_id: String,
    /// Until then; for ever when absent.
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// A feature that I may use.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MyEntitlementView {
    key: Feature,
    /// Of my channel; absent where it is mine.
    channel_slug: Option<String>,
    granted_at: OffsetDateTime,
    /// Absent: for ever.
    expires_at: Option<OffsetDateTime>,
}

impl From<Entitlement> for MyEntitlementView {
    fn from(entitlement: Entitlement) -> Self {
        Self {
            key: entitlement.feature.into(),
            channel_slug: entitlement.channel_slug,
            granted_at: entitlement.granted_at,
            expires_at: entitlement.expires_at,
        }
    }
}
