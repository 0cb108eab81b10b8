//! Words of adjustments that take two.

use domain::adjustments::{self, PendingAdjustment};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// How far an adjustment is.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum AdjustmentStatus {
    Pending,
    /// It was made.
    Approved,
    Refused,
    /// Nobody agreed in time.
    Expired,
}

impl From<adjustments::AdjustmentStatus> for AdjustmentStatus {
    fn from(status: adjustments::AdjustmentStatus) -> Self {
        match status {
            adjustments::AdjustmentStatus::Pending => Self::Pending,
            adjustments::AdjustmentStatus::Approved => Self::Approved,
            adjustments::AdjustmentStatus::Refused => Self::Refused,
            adjustments::AdjustmentStatus::Expired => Self::Expired,
        }
    }
}

/// An adjustment that is too large for one admin.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct PendingAdjustmentView {
    /// Of the operation in the ledger, too, once it is made.
    id: Uuid,
    /// Whose wallet.
    user_id: Uuid,
    login: String,
    channel_id: Uuid,
    channel_slug: String,
    /// Coins to give (above 0) or to take.
    delta: i64,
    reason: Option<String>,
    status: AdjustmentStatus,
    /// The admin who asked for it.
    asked_by: Uuid,
    asker_login: String,
    asked_at: OffsetDateTime,
    /// From then on nobody can agree.
    expires_at: OffsetDateTime,
    decided_by: Option<Uuid>,
    decided_at: Option<OffsetDateTime>,
}

impl From<PendingAdjustment> for PendingAdjustmentView {
    fn from(adjustment: PendingAdjustment) -> Self {
        Self {
            id: adjustment.id,
            user_id: adjustment.user_id,
            login: adjustment.login,
            channel_id: adjustment.channel_id,
            channel_slug: adjustment.channel_slug,
            delta: adjustment.delta,
            reason: adjustment.reason,
            status: adjustment.status.into(),
            asked_by: adjustment.asked_by,
            asker_login: adjustment.asker_login,
            asked_at: adjustment.asked_at,
            expires_at: adjustment.expires_at,
            decided_by: adjustment.decided_by,
            decided_at: adjustment.decided_at,
        }
    }
}
