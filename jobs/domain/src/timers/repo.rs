//! SQL of timers.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{NewTimer, Timer};
use crate::outbox::Provider;

/// A timer that is due, under its row lock.
pub(super) struct Due {
    pub(super) id: Uuid,
    pub(super) channel_id: Uuid,
    pub(super) messages: Vec<String>,
    pub(super) place: i32,
    pub(super) interval_seconds: i32,
    pub(super) min_lines: i32,
    pub(super) only_when_live: bool,
    pub(super) next_at: OffsetDateTime,
    pub(super) after_line: i64,
    /// The channel's.
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) live: bool,
    /// Seconds that its stream has run.
    pub(super) runs: i64,
}

macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Timer,
            "select id, channel_id, name, messages, interval_seconds, min_lines, only_when_live, enabled, next_at, last_said_at,
                    created_at, updated_at
             from chat_timers " + $tail
            $(, $argument)*
        )
    };
}

/// The channel's timers, the oldest first, and how many there are.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Timer>, i64), sqlx::Error> {
    let total = count(&mut *conn, channel).await?;
    let timers = select!("where channel_id = $1 order by created_at, id limit $2 offset $3", channel, limit, offset);
    Ok((timers.fetch_all(conn).await?, total))
}

/// The channel's timer with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<Timer>, sqlx::Error> {
    select!("where id = $2 and channel_id = $1", channel, id).fetch_optional(conn).await
}

pub(super) async fn count(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from chat_timers where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from chat_timers where id = $1 for no key update", id).fetch_optional(conn).await?;
    Ok(())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    new: &NewTimer,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_timers
             (id, channel_id, name, messages, interval_seconds, min_lines, only_when_live, enabled, next_at, after_line)
         values ($1, $2, $3, $4, $5::int4, $6, $7, $8, app_now() + make_interval(secs => $5::int4),
                 coalesce((select max(m.id) from chat_messages m where m.channel_id = $2), 0))",
        id,
        channel,
        new.name,
        &new.messages,
        new.interval_seconds,
        new.min_lines,
        new.only_when_live,
        new.enabled,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut PgConnection, id: Uuid, new: &NewTimer, anew: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chat_timers
         set name = $2, messages = $3, interval_seconds = $4::int4, min_lines = $5, only_when_live = $6, enabled = $7,
             next_at = case when $8 then app_now() + make_interval(secs => $4::int4) else next_at end, updated_at = app_now()
         where id = $1",
        id,
        new.name,
        &new.messages,
        new.interval_seconds,
        new.min_lines,
        new.only_when_live,
        new.enabled,
        anew,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from chat_timers where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Locks timers that are due, the longest due first; those that somebody else has locked are passed over.
pub(super) async fn take_due(conn: &mut PgConnection, limit: i64) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        r#"select t.id, t.channel_id, t.messages, t.place, t.interval_seconds, t.min_lines, t.only_when_live, t.next_at,
                  t.after_line, c.slug, c.name, c.live_since is not null as "live!",
                  coalesce(extract(epoch from coalesce(c.stream_stopped_at, app_now()) - c.stream_began_at), 0)::int8
                      as "runs!"
           from chat_timers t join channels c on c.id = t.channel_id
           where t.enabled and t.next_at <= app_now()
           order by t.next_at
           limit $1
           for no key update of t skip locked"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Platforms on which the channel's bot is on.
pub(super) async fn providers(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Provider>, sqlx::Error> {
    let words = sqlx::query_scalar!("select provider from bot_integrations where channel_id = $1 and enabled", channel)
        .fetch_all(conn)
        .await?;
    // The table's check keeps every other word out.
    Ok(words.iter().filter_map(|word| word.parse().ok()).collect())
}

/// Lines of others in the channel's chats behind this one that nobody took away, no more than `most`.
pub(super) async fn lines(
    conn: &mut PgConnection,
    channel: Uuid,
    after: i64,
    own: &[String],
    most: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from chat_messages_standing
               where channel_id = $1 and id > $2 and author_login <> all($3) limit $4
           ) lines"#,
        channel,
        after,
        own,
        most,
    )
    .fetch_one(conn)
    .await
}

/// The timer is looked at again after this long.
pub(super) async fn put_off(conn: &mut PgConnection, id: Uuid, by: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chat_timers set next_at = app_now() + make_interval(secs => $2) where id = $1",
        id,
        by.as_seconds_f64(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The timer has spoken: the next message is due after the interval, counted from when this one was due, unless that is over.
pub(super) async fn said(conn: &mut PgConnection, id: Uuid, interval: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chat_timers t
         set place = (place + 1) % cardinality(messages), last_said_at = app_now(),
             next_at = case when next_at + make_interval(secs => $2) > app_now()
                            then next_at + make_interval(secs => $2) else app_now() + make_interval(secs => $2) end,
             after_line = coalesce((select max(m.id) from chat_messages m where m.channel_id = t.channel_id), after_line)
         where id = $1",
        id,
        interval.as_seconds_f64(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
