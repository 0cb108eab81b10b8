//! A large adjustment and how far it is.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::wallets::Adjusted;

/// Days that an adjustment waits for another admin.
pub const PATIENCE_DAYS: i32 = 7;

/// How far an adjustment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum AdjustmentStatus {
    Pending,
    /// It was made.
    Approved,
    Refused,
    /// Nobody agreed in time.
    Expired,
}

impl AdjustmentStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for AdjustmentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An adjustment that takes two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAdjustment {
    /// Of the operation in the ledger, too, once it is made.
    pub id: Uuid,
    pub user_id: Uuid,
    pub login: String,
    pub channel_id: Uuid,
    pub channel_slug: String,
    /// Coins to give (above 0) or to take.
    pub delta: i64,
    /// None when its person was forgotten.
    pub reason: Option<String>,
    pub status: AdjustmentStatus,
    pub asked_by: Uuid,
    pub asker_login: String,
    /// Who asked may still adjust wallets.
    pub asker_is_admin: bool,
    pub asked_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<OffsetDateTime>,
}

/// What came of the wish to adjust a wallet.
#[derive(Debug, Clone)]
pub enum Asked {
    Done(Adjusted),
    /// Another admin must agree.
    Waits(PendingAdjustment),
}
