//! SQL of statistics.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::{Day, MemeSum, Span, ViewerSum};

/// The day in UTC, by the database's clock.
///
/// # Errors
/// The database refused.
pub async fn today(conn: &mut PgConnection) -> Result<Date, sqlx::Error> {
    sqlx::query_scalar!(r#"select (app_now() at time zone 'UTC')::date as "today!""#).fetch_one(conn).await
}

/// Adds up to `limit` plays that have been shown and are not in the statistics yet; how many there were.
///
/// # Errors
/// The database refused.
pub async fn roll_up(conn: &mut PgConnection, limit: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with due as materialized (
               select id from activations where status = 'done' and source = 'meme' and not is_rolled_up
               order by ended_at, id limit $1 for no key update skip locked
           ), play as (
               update activations a set is_rolled_up = true from due where a.id = due.id
               returning a.channel_id, a.user_id, a.meme_id, a.final_price, (a.ended_at at time zone 'utc')::date as day
           ), by_day as (
               insert into channel_days (channel_id, day, plays, coins)
               select channel_id, day, count(*), sum(final_price) from play group by channel_id, day order by channel_id, day
               on conflict (channel_id, day) do update
               set plays = channel_days.plays + excluded.plays, coins = channel_days.coins + excluded.coins
           ), by_viewer as (
               insert into channel_viewer_days (channel_id, day, user_id, plays, coins)
               select channel_id, day, user_id, count(*), sum(final_price) from play group by channel_id, day, user_id
               order by channel_id, day, user_id
               on conflict (channel_id, day, user_id) do update
               set plays = channel_viewer_days.plays + excluded.plays, coins = channel_viewer_days.coins + excluded.coins
           ), by_meme as (
               insert into channel_meme_days (channel_id, day, meme_id, plays, coins)
               select channel_id, day, meme_id, count(*), sum(final_price) from play group by channel_id, day, meme_id
               order by channel_id, day, meme_id
               on conflict (channel_id, day, meme_id) do update
               set plays = channel_meme_days.plays + excluded.plays, coins = channel_meme_days.coins + excluded.coins
           ), in_all as (
               insert into meme_plays (meme_id, channel_id, plays)
               select meme_id, channel_id, count(*) from play group by meme_id, channel_id order by meme_id
               on conflict (meme_id) do update set plays = meme_plays.plays + excluded.plays
           )
           select count(*) as "count!" from play"#,
        limit,
    )
    .fetch_one(conn)
    .await
}

/// The channel's days of the span on which something was shown, the earliest first.
///
/// # Errors
/// The database refused.
pub async fn days(conn: &mut PgConnection, channel_id: Uuid, span: Span) -> Result<Vec<Day>, sqlx::Error> {
    sqlx::query_as!(
        Day,
        r#"select d.day, d.plays, d.coins,
                  (select count(*) from channel_viewer_days v where v.channel_id = d.channel_id and v.day = d.day) as "viewers!"
           from channel_days d where d.channel_id = $1 and d.day >= $2 and d.day <= $3
           order by d.day"#,
        channel_id,
        span.from,
        span.to,
    )
    .fetch_all(conn)
    .await
}

/// Who had the most shown on the channel in the span.
///
/// # Errors
/// The database refused.
pub async fn viewers(
    conn: &mut PgConnection,
    channel_id: Uuid,
    span: Span,
    limit: i64,
) -> Result<Vec<ViewerSum>, sqlx::Error> {
    sqlx::query_as!(
        ViewerSum,
        r#"select best.user_id, u.login, u.display_name, best.plays as "plays!", best.coins as "coins!"
           from (select user_id, sum(plays)::bigint as plays, sum(coins)::bigint as coins from channel_viewer_days
                 where channel_id = $1 and day >= $2 and day <= $3
                 group by user_id order by sum(plays) desc, sum(coins) desc, user_id limit $4) best
           join users u on u.id = best.user_id
           order by best.plays desc, best.coins desc, best.user_id"#,
        channel_id,
        span.from,
        span.to,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What was shown most on the channel in the span; with `all` also what is not on offer any more.
///
/// # Errors
/// The database refused.
pub async fn memes(
    conn: &mut PgConnection,
    channel_id: Uuid,
    span: Span,
    all: bool,
    limit: i64,
) -> Result<Vec<MemeSum>, sqlx::Error> {
    sqlx::query_as!(
        MemeSum,
        r#"select sums.meme_id, m.title, sums.plays as "plays!", sums.coins as "coins!"
           from (select meme_id, sum(plays)::bigint as plays, sum(coins)::bigint as coins from channel_meme_days
                 where channel_id = $1 and day >= $2 and day <= $3
                 group by meme_id) sums
           join memes m on m.id = sums.meme_id and (m.status = 'approved' or $5)
           order by sums.plays desc, sums.coins desc, sums.meme_id limit $4"#,
        channel_id,
        span.from,
        span.to,
        limit,
        all,
    )
    .fetch_all(conn)
    .await
}
