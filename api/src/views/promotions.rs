//! Words of promotions.

use domain::promotions::{BASIS_POINTS, Change, NewPromotion, Promotion, PromotionError};
use poem_openapi::{Object, types::MaybeUndefined};
use time::OffsetDateTime;
use uuid::Uuid;

/// A time in which what the channel offers costs less.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct PromotionView {
    id: Uuid,
    channel_id: Uuid,
    name: String,
    /// 0 to 100.
    discount_percent: f64,
    start_date: OffsetDateTime,
    end_date: OffsetDateTime,
    /// Switched on by the streamer.
    is_active: bool,
    /// It cheapens plays now: switched on, begun, not ended and not used up.
    is_running: bool,
    /// Plays that it cheapens in all; absent for any number.
    max_uses: Option<i32>,
    /// Plays of one viewer.
    max_uses_per_viewer: Option<i32>,
    /// Plays that were cheaper by it; what was given back is not among them.
    uses: i64,
    created_at: OffsetDateTime,
}

impl From<Promotion> for PromotionView {
    fn from(promotion: Promotion) -> Self {
        Self {
            id: promotion.id,
            channel_id: promotion.channel_id,
            name: promotion.name,
            discount_percent: percent(promotion.discount_bp),
            start_date: promotion.starts_at,
            end_date: promotion.ends_at,
            is_active: promotion.active,
            is_running: promotion.running,
            max_uses: promotion.max_uses,
            max_uses_per_viewer: promotion.max_uses_per_viewer,
            uses: promotion.uses,
            created_at: promotion.created_at,
        }
    }
}

/// A promotion to be made.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewPromotionView {
    /// 1 to 100 characters.
    name: String,
    /// 0 to 100, with at most two decimals.
    discount_percent: f64,
    start_date: OffsetDateTime,
    /// After `startDate`.
    end_date: OffsetDateTime,
    /// True when absent.
    is_active: Option<bool>,
    /// 1 to 10000 plays in all; any number when absent.
    max_uses: Option<i32>,
    /// 1 to 10000 plays of one viewer; any number when absent.
    max_uses_per_viewer: Option<i32>,
}

impl TryFrom<NewPromotionView> for NewPromotion {
    type Error = PromotionError;

    fn try_from(view: NewPromotionView) -> Result<Self, PromotionError> {
        Ok(Self {
            name: view.name.trim().to_owned(),
            discount_bp: basis_points(view.discount_percent)?,
            starts_at: view.start_date,
            ends_at: view.end_date,
            active: view.is_active.unwrap_or(true),
            max_uses: view.max_uses,
            max_uses_per_viewer: view.max_uses_per_viewer,
        })
    }
}

/// New values for a promotion; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct PromotionPatch {
    /// 1 to 100 characters.
    name: Option<String>,
    /// 0 to 100, with at most two decimals.
    discount_percent: Option<f64>,
    start_date: Option<OffsetDateTime>,
    /// After the start.
    end_date: Option<OffsetDateTime>,
    is_active: Option<bool>,
    /// 1 to 10000; null for any number.
    max_uses: MaybeUndefined<i32>,
    /// 1 to 10000; null for any number.
    max_uses_per_viewer: MaybeUndefined<i32>,
}

impl TryFrom<PromotionPatch> for Change {
    type Error = PromotionError;

    fn try_from(patch: PromotionPatch) -> Result<Self, PromotionError> {
        Ok(Self {
            name: patch.name.map(|name| name.trim().to_owned()),
            discount_bp: patch.discount_percent.map(basis_points).transpose()?,
            starts_at: patch.start_date,
            ends_at: patch.end_date,
            active: patch.is_active,
            max_uses: given(patch.max_uses),
            max_uses_per_viewer: given(patch.max_uses_per_viewer),
        })
    }
}

/// `Some(None)` for null.
pub(crate) fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// Per cent with two decimals at most, exactly.
pub(crate) fn percent(basis_points: i32) -> f64 {
    f64::from(basis_points) / 100.0
}

fn basis_points(percent: f64) -> Result<i32, PromotionError> {
    let points = (percent * 100.0).round();
    // What is written with two decimals is the nearest number to what it says, and so is what we make of it.
    if (0.0..=f64::from(BASIS_POINTS)).contains(&points) && (points / 100.0 - percent).abs() < 1e-9 {
        return Ok(points as i32);
    }
    let problem = "0 to 100, with at most two decimals".to_owned();
    Err(PromotionError::Invalid { field: "discountPercent", problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cent_are_read_exactly_or_not_at_all() {
        for points in 0..=BASIS_POINTS {
            assert_eq!(basis_points(percent(points)).unwrap(), points);
        }
        for wrong in [-0.01, 100.01, 12.345, f64::NAN, f64::INFINITY] {
            assert!(basis_points(wrong).is_err(), "{wrong}");
        }
    }
}
