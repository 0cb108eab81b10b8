//! What channels have shown.

use domain::stats::{self, Span};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query, payload::Json};
use sqlx::PgConnection;
use time::{Date, Duration};
use uuid::Uuid;

use super::{Group, channels::open_by_id};
use crate::{
    app::App,
    auth::Moderator,
    paging::Page,
    problem::{ErrorCode, Problem},
    views::stats::{DayView, MemeSumView, ViewerSumView},
};

pub(crate) struct Stats;

/// Days of a span that is asked for without its first one.
const MONTH: i64 = 30;
/// Days of the longest span.
const LONGEST: i64 = 366;

#[OpenApi]
impl Stats {
    /// My channel's plays by day
    ///
    /// Of what was shown, a minute ago at most; what was refunded is not in it. Days without a play are left out.
    #[oai(path = "/streamer/stats/days", method = "get", operation_id = "listStatsByDay", tag = "Group::Streamer")]
    async fn days(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The first day, of UTC; 29 days before the last one when absent.
        from: Query<Option<Date>>,
        /// The last day; today when absent.
        to: Query<Option<Date>>,
    ) -> Result<Json<Vec<DayView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let span = span(&mut conn, from.0, to.0).await?;
        let days = stats::days(&mut conn, streamer.channel.id, span).await?;
        Ok(Json(days.into_iter().map(Into::into).collect()))
    }

    /// My channel's plays by viewer
    ///
    /// Those who had the most shown first; what was refunded is not in it.
    #[oai(
        path = "/streamer/stats/viewers",
        method = "get",
        operation_id = "listStatsByViewer",
        tag = "Group::Streamer"
    )]
    async fn viewers(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The first day, of UTC; 29 days before the last one when absent.
        from: Query<Option<Date>>,
        /// The last day; today when absent.
        to: Query<Option<Date>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<Vec<ViewerSumView>>, Problem> {
        let limit = Page::new(limit.0, None)?.limit;
        let mut conn = app.db.pool().acquire().await?;
        let span = span(&mut conn, from.0, to.0).await?;
        let viewers = stats::viewers(&mut conn, streamer.channel.id, span, limit).await?;
        Ok(Json(viewers.into_iter().map(Into::into).collect()))
    }

    /// My channel's plays by meme
    ///
    /// What was shown most first, also what is deleted meanwhile; what was refunded is not in it.
    #[oai(path = "/streamer/stats/memes", method = "get", operation_id = "listStatsByMeme", tag = "Group::Streamer")]
    async fn memes(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The first day, of UTC; 29 days before the last one when absent.
        from: Query<Option<Date>>,
        /// The last day; today when absent.
        to: Query<Option<Date>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<Vec<MemeSumView>>, Problem> {
        let limit = Page::new(limit.0, None)?.limit;
        let mut conn = app.db.pool().acquire().await?;
        let span = span(&mut conn, from.0, to.0).await?;
        let memes = stats::memes(&mut conn, streamer.channel.id, span, true, limit).await?;
        Ok(Json(memes.into_iter().map(Into::into).collect()))
    }

    /// A channel's memes by plays
    ///
    /// What was shown most first, of those that can be played.
    #[oai(path = "/memes/stats", method = "get", operation_id = "listMemeStats", tag = "Group::Memes")]
    async fn of_channel(
        &self,
        app: Data<&App>,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// The first day, of UTC; 29 days before the last one when absent.
        from: Query<Option<Date>>,
        /// The last day; today when absent.
        to: Query<Option<Date>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<Vec<MemeSumView>>, Problem> {
        let limit = Page::new(limit.0, None)?.limit;
        let mut conn = app.db.pool().acquire().await?;
        let span = span(&mut conn, from.0, to.0).await?;
        let channel = open_by_id(&mut conn, channel_id.0).await?;
        let memes = stats::memes(&mut conn, channel.id, span, false, limit).await?;
        Ok(Json(memes.into_iter().map(Into::into).collect()))
    }
}

async fn span(conn: &mut PgConnection, from: Option<Date>, to: Option<Date>) -> Result<Span, Problem> {
    let wrong = |detail: String| Problem::bad_request(ErrorCode::ValidationError, detail);
    let to = match to {
        Some(day) => day,
        None => stats::today(conn).await?,
    };
    let first = to.checked_sub(Duration::days(MONTH - 1)).unwrap_or(Date::MIN);
    let from = from.unwrap_or(first);
    let days = (to - from).whole_days();
    if !(0..LONGEST).contains(&days) {
        return Err(wrong(format!("from: 0 to {} days before `to`", LONGEST - 1)));
    }
    Ok(Span { from, to })
}
