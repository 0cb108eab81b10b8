//! Words of coins that wait for somebody.

use domain::grants::{self, DEFAULT_DAYS, Grant, GrantError, NewGrant, Payee};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::identities::IdentityProvider;

/// Coins for somebody who has not logged in yet.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewGrantView {
    /// In this channel.
    channel_id: Uuid,
    provider: IdentityProvider,
    /// The account's id there; this or `login`.
    provider_user_id: Option<String>,
    /// The account's name there, in any case, as the platform writes it at logins.
    login: Option<String>,
    /// 1 to 1000000000000 coins.
    amount: i64,
    /// Why, 1 to 200 characters; the person is told.
    reason: String,
    /// Days that they wait, 1 to 365; 180 when absent.
    expires_in_days: Option<i32>,
}

impl TryFrom<NewGrantView> for NewGrant {
    type Error = GrantError;

    fn try_from(view: NewGrantView) -> Result<Self, GrantError> {
        let provider = view.provider.into();
        Ok(Self {
            channel_id: view.channel_id,
            provider,
            payee: Payee::of(provider, view.provider_user_id.as_deref(), view.login.as_deref())?,
            amount: view.amount,
            reason: view.reason,
            days: view.expires_in_days.unwrap_or(DEFAULT_DAYS),
        })
    }
}

/// How far a grant is.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum GrantStatus {
    /// Another admin must agree first.
    Unapproved,
    /// The person was not here yet.
    Waiting,
    Paid,
}

impl From<grants::GrantStatus> for GrantStatus {
    fn from(status: grants::GrantStatus) -> Self {
        match status {
            grants::GrantStatus::Unapproved => Self::Unapproved,
            grants::GrantStatus::Waiting => Self::Waiting,
            grants::GrantStatus::Paid => Self::Paid,
        }
    }
}

/// Coins that wait or waited for somebody.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct GrantView {
    /// Of the operation in the ledger, too, once it is paid.
    id: Uuid,
    channel_id: Uuid,
    channel_slug: String,
    /// The platform.
    provider: String,
    provider_user_id: Option<String>,
    login: Option<String>,
    /// Coins.
    amount: i64,
    reason: String,
    status: GrantStatus,
    /// The admin who made it.
    created_by: Uuid,
    /// The other one, who agreed.
    approved_by: Option<Uuid>,
    created_at: OffsetDateTime,
    /// It goes then, and what it says about whom with it.
    expires_at: OffsetDateTime,
    /// Who was paid.
    user_id: Option<Uuid>,
    paid_at: Option<OffsetDateTime>,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            channel_id: grant.channel_id,
            channel_slug: grant.channel_slug,
            provider: grant.provider,
            provider_user_id: grant.provider_user_id,
            login: grant.login,
            amount: grant.amount,
            reason: grant.reason,
            status: grant.status.into(),
            created_by: grant.created_by,
            approved_by: grant.approved_by,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            user_id: grant.user_id,
            paid_at: grant.paid_at,
        }
    }
}
