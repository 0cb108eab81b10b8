//! What can be wrong with a promotion.

use super::MAX_PROMOTIONS;

#[derive(Debug, thiserror::Error)]
pub enum PromotionError {
    #[error("the channel has no such promotion")]
    NotFound,
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("a channel has at most {MAX_PROMOTIONS} promotions that have not ended: delete one first")]
    TooMany,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
