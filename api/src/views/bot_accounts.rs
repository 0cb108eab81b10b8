//! Words of accounts that speak.

use domain::{bot_accounts::Seated, identities};
use poem_openapi::Object;
use time::OffsetDateTime;
use uuid::Uuid;

use super::bots::Provider;

impl From<Provider> for identities::Provider {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Twitch => Self::Twitch,
            Provider::VkVideo => Self::VkVideo,
            Provider::YouTube => Self::YouTube,
            Provider::Trovo => Self::Trovo,
            Provider::Kick => Self::Kick,
        }
    }
}

/// An account that speaks.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct BotAccountView {
    /// One is linked.
    enabled: bool,
    /// Among the accounts of whoever linked it.
    external_account_id: Option<Uuid>,
    login: Option<String>,
    display_name: Option<String>,
    updated_at: Option<OffsetDateTime>,
    /// It is linked, but the channel has no right to it now: the one for all channels speaks.
    locked_by_subscription: bool,
    /// The platform took back what it had granted: link it again.
    needs_relink: bool,
    /// Why.
    relink_reason: Option<String>,
}

impl BotAccountView {
    /// Of whoever has the seat; `barred`: there is no right to it now.
    pub(crate) fn of(seated: Option<Seated>, barred: bool) -> Self {
        let enabled = seated.is_some();
        let seated = seated.as_ref();
        Self {
            enabled,
            external_account_id: seated.map(|seated| seated.account_id),
            login: seated.map(|seated| seated.login.clone()),
            display_name: seated.map(|seated| seated.display_name.clone()),
            updated_at: seated.map(|seated| seated.updated_at),
            locked_by_subscription: enabled && barred,
            needs_relink: seated.is_some_and(|seated| seated.relink_reason.is_some()),
            relink_reason: seated.and_then(|seated| seated.relink_reason.clone()),
        }
    }
}

/// Whether a channel may have an account of its own that speaks.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct CustomBotView {
    pub(crate) entitled: bool,
}
