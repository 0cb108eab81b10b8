//! Words of statistics.

use domain::stats::{Day, MemeSum, ViewerSum};
use poem_openapi::Object;
use time::Date;
use uuid::Uuid;

/// What a channel has shown on a day.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct DayView {
    /// Of UTC.
    day: Date,
    plays: i64,
    /// That were spent.
    coins: i64,
    /// Different people who had something shown.
    viewers: i64,
}

impl From<Day> for DayView {
    fn from(sum: Day) -> Self {
        Self { day: sum.day, plays: sum.plays, coins: sum.coins, viewers: sum.viewers }
    }
}

/// What a viewer had shown.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct ViewerSumView {
    user_id: Uuid,
    login: String,
    display_name: String,
    plays: i64,
    /// That were spent.
    coins: i64,
}

impl From<ViewerSum> for ViewerSumView {
    fn from(sum: ViewerSum) -> Self {
        Self {
            user_id: sum.user_id,
            login: sum.login,
            display_name: sum.display_name,
            plays: sum.plays,
            coins: sum.coins,
        }
    }
}

/// How often a meme was shown.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct MemeSumView {
    meme_id: Uuid,
    /// As it is called now.
    title: String,
    plays: i64,
    /// That were spent.
    coins: i64,
}

impl From<MemeSum> for MemeSumView {
    fn from(sum: MemeSum) -> Self {
        Self { meme_id: sum.meme_id, title: sum.title, plays: sum.plays, coins: sum.coins }
    }
}
