//! Figures.

use time::Date;
use uuid::Uuid;

/// From the first day to the last, both of UTC, and both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Date,
    pub to: Date,
}

/// A day on which something was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub day: Date,
    pub plays: i64,
    /// That were spent.
    pub coins: i64,
    /// Different people who had something shown.
    pub viewers: i64,
}

/// What a viewer had shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerSum {
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub plays: i64,
    pub coins: i64,
}

/// How often a meme was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemeSum {
    pub meme_id: Uuid,
    /// As it is called now.
    pub title: String,
    pub plays: i64,
    pub coins: i64,
}
