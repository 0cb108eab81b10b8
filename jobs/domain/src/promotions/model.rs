//! A promotion and its limits.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{BASIS_POINTS, PromotionError};
use crate::unseen::{is_blank, is_unseen};

/// Characters of a name.
pub const MAX_NAME: usize = 100;
/// Of a channel, that have not ended.
pub const MAX_PROMOTIONS: i64 = 50;
/// The largest limit of uses.
pub const MAX_USES: i32 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub name: String,
    /// Of [`BASIS_POINTS`].
    pub discount_bp: i32,
    pub starts_at: OffsetDateTime,
    pub ends_at: OffsetDateTime,
    /// Switched on by the streamer.
    pub active: bool,
    /// None: any number.
    pub max_uses: Option<i32>,
    pub max_uses_per_viewer: Option<i32>,
    /// Plays that were cheaper by it and were not given back.
    pub uses: i64,
    /// It cheapens plays now: switched on, begun, not ended and not used up.
    pub running: bool,
    pub created_at: OffsetDateTime,
}

/// A promotion about to be made.
#[derive(Debug, Clone)]
pub struct NewPromotion {
    pub name: String,
    pub discount_bp: i32,
    pub starts_at: OffsetDateTime,
    pub ends_at: OffsetDateTime,
    pub active: bool,
    pub max_uses: Option<i32>,
    pub max_uses_per_viewer: Option<i32>,
}

/// New values; what is none stays. `Some(None)` takes a limit away.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub discount_bp: Option<i32>,
    pub starts_at: Option<OffsetDateTime>,
    pub ends_at: Option<OffsetDateTime>,
    pub active: Option<bool>,
    pub max_uses: Option<Option<i32>>,
    pub max_uses_per_viewer: Option<Option<i32>>,
}

impl Change {
    /// What the promotion is after the change.
    pub(super) fn of(self, promotion: &Promotion) -> NewPromotion {
        NewPromotion {
            name: self.name.unwrap_or_else(|| promotion.name.clone()),
            discount_bp: self.discount_bp.unwrap_or(promotion.discount_bp),
            starts_at: self.starts_at.unwrap_or(promotion.starts_at),
            ends_at: self.ends_at.unwrap_or(promotion.ends_at),
            active: self.active.unwrap_or(promotion.active),
            max_uses: self.max_uses.unwrap_or(promotion.max_uses),
            max_uses_per_viewer: self.max_uses_per_viewer.unwrap_or(promotion.max_uses_per_viewer),
        }
    }
}

impl NewPromotion {
    /// Checks ranges before anything is written.
    pub(super) fn check(&self) -> Result<(), PromotionError> {
        let invalid = |field, problem: String| Err(PromotionError::Invalid { field, problem });
        if is_blank(&self.name) || self.name.chars().count() > MAX_NAME || self.name.chars().any(is_unseen) {
            return invalid("name", format!("1 to {MAX_NAME} characters that can be seen"));
        }
        if !(0..=BASIS_POINTS).contains(&self.discount_bp) {
            return invalid("discountPercent", "0 to 100, with at most two decimals".to_owned());
        }
        if self.starts_at >= self.ends_at {
            return invalid("endDate", "after startDate".to_owned());
        }
        for (field, limit) in [("maxUses", self.max_uses), ("maxUsesPerViewer", self.max_uses_per_viewer)] {
            if limit.is_some_and(|limit| !(1..=MAX_USES).contains(&limit)) {
                return invalid(field, format!("1 to {MAX_USES}, or null"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_has_a_name_a_discount_and_an_end_after_its_start() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let sound = NewPromotion {
            name: "Friday".to_owned(),
            discount_bp: 5_000,
            starts_at: start,
            ends_at: start + time::Duration::hours(1),
            active: true,
            max_uses: Some(1),
            max_uses_per_viewer: None,
        };
        assert!(sound.check().is_ok());
        let wrong = |change: &dyn Fn(&mut NewPromotion)| {
            let mut changed = sound.clone();
            change(&mut changed);
            changed.check().unwrap_err().to_string()
        };
        assert!(wrong(&|it| it.name = " ".to_owned()).starts_with("name:"));
        assert!(wrong(&|it| it.name = "ё".repeat(101)).starts_with("name:"));
        assert!(wrong(&|it| it.name = "a\u{202e}b".to_owned()).starts_with("name:"));
        assert!(wrong(&|it| it.discount_bp = 10_001).starts_with("discountPercent:"));
        assert!(wrong(&|it| it.discount_bp = -1).starts_with("discountPercent:"));
        assert!(wrong(&|it| it.ends_at = start).starts_with("endDate:"));
        assert!(wrong(&|it| it.max_uses = Some(0)).starts_with("maxUses:"));
        assert!(wrong(&|it| it.max_uses_per_viewer = Some(10_001)).starts_with("maxUsesPerViewer:"));
    }
}
