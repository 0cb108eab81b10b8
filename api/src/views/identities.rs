//! Words of logins with other platforms.

use domain::identities;
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// A platform to log in with; `oidc` is the OpenID Connect provider that this installation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum IdentityProvider {
    Twitch,
    Google,
    YouTube,
    GitHub,
    Vk,
    VkVideo,
    Kick,
    Trovo,
    Discord,
    Oidc,
}

impl From<IdentityProvider> for identities::Provider {
    fn from(provider: IdentityProvider) -> Self {
        match provider {
            IdentityProvider::Twitch => Self::Twitch,
            IdentityProvider::Google => Self::Google,
            IdentityProvider::YouTube => Self::YouTube,
            IdentityProvider::GitHub => Self::GitHub,
            IdentityProvider::Vk => Self::Vk,
            IdentityProvider::VkVideo => Self::VkVideo,
            IdentityProvider::Kick => Self::Kick,
            IdentityProvider::Trovo => Self::Trovo,
            IdentityProvider::Discord => Self::Discord,
            IdentityProvider::Oidc => Self::Oidc,
        }
    }
}

impl From<identities::Provider> for IdentityProvider {
    fn from(provider: identities::Provider) -> Self {
        match provider {
            identities::Provider::Twitch => Self::Twitch,
            identities::Provider::Google => Self::Google,
            identities::Provider::YouTube => Self::YouTube,
            identities::Provider::GitHub => Self::GitHub,
            identities::Provider::Vk => Self::Vk,
            identities::Provider::VkVideo => Self::VkVideo,
            identities::Provider::Kick => Self::Kick,
            identities::Provider::Trovo => Self::Trovo,
            identities::Provider::Discord => Self::Discord,
            identities::Provider::Oidc => Self::Oidc,
        }
    }
}

/// An account on another platform that is mine.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AccountView {
    id: Uuid,
    provider: IdentityProvider,
    /// The account's id there.
    provider_account_id: String,
    /// What it is called there, as of the last login.
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    /// What it lets us do.
    scopes: Vec<String>,
    linked_at: OffsetDateTime,
    /// The platform took back what it had granted: link the account again.
    needs_relink: bool,
    /// Why.
    relink_reason: Option<String>,
}

impl From<identities::Account> for AccountView {
    fn from(account: identities::Account) -> Self {
        Self {
            id: account.id,
            provider: account.provider.into(),
            provider_account_id: account.provider_user_id,
            login: account.login,
            display_name: account.display_name,
            avatar_url: account.avatar_url,
            scopes: account.scopes,
            linked_at: account.linked_at,
            needs_relink: account.relink_reason.is_some(),
            relink_reason: account.relink_reason,
        }
    }
}
