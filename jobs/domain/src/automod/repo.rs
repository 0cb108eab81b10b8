//! SQL of auto-moderation.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Act, Action, Permit, Role, Rule, Settings, Status};
use crate::{chat::ChatMessage, outbox::Provider};

/// Settings that end in this clause, by channel.
macro_rules! settings {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {{
        let rows = sqlx::query!(
            r#"select channel_id, enabled, links_action as "links: Action", allowed_hosts, caps_action as "caps: Action",
                      caps_percent, caps_letters, repeats_action as "repeats: Action", repeats_most,
                      zalgo_action as "zalgo: Action", zalgo_marks, exempt, timeout_seconds, escalate_after,
                      escalate_minutes, permit_seconds, updated_at
               from automod_settings "# + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await?;
        let settings = rows.into_iter().map(|row| {
            let settings = Settings {
                enabled: row.enabled,
                links: row.links,
                allowed_hosts: row.allowed_hosts,
                caps: row.caps,
                caps_percent: row.caps_percent,
                caps_letters: row.caps_letters,
                repeats: row.repeats,
                repeats_most: row.repeats_most,
                zalgo: row.zalgo,
                zalgo_marks: row.zalgo_marks,
                exempt: row.exempt.iter().map(|word| Role::from_column(word)).collect(),
                timeout_seconds: row.timeout_seconds,
                escalate_after: row.escalate_after,
                escalate_minutes: row.escalate_minutes,
                permit_seconds: row.permit_seconds,
                updated_at: Some(row.updated_at),
            };
            (row.channel_id, settings)
        });
        settings.collect::<HashMap<Uuid, Settings>>()
    }};
}

pub(super) async fn find(conn: &mut PgConnection, channel: Uuid) -> Result<Option<Settings>, sqlx::Error> {
    Ok(settings!("where channel_id = $1", conn, channel).remove(&channel))
}

/// Of those of these channels that are moderated.
pub(super) async fn watched(
    conn: &mut PgConnection,
    channels: &[Uuid],
) -> Result<HashMap<Uuid, Settings>, sqlx::Error> {
    Ok(settings!("where channel_id = any($1) and enabled", conn, channels))
}

/// Two who judge in one channel count its offences one after the other, until the end of the transaction. By the order of ids.
pub(super) async fn hold(conn: &mut PgConnection, channels: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select channel_id from automod_settings where channel_id = any($1) order by channel_id for no key update",
        channels
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

pub(super) async fn put(conn: &mut PgConnection, channel: Uuid, new: &Settings) -> Result<(), sqlx::Error> {
    let exempt: Vec<String> = new.exempt.iter().map(|role| role.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into automod_settings
             (channel_id, enabled, links_action, allowed_hosts, caps_action, caps_percent, caps_letters, repeats_action,
              repeats_most, zalgo_action, zalgo_marks, exempt, timeout_seconds, escalate_after, escalate_minutes,
              permit_seconds)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         on conflict (channel_id) do update
         set enabled = excluded.enabled, links_action = excluded.links_action, allowed_hosts = excluded.allowed_hosts,
             caps_action = excluded.caps_action, caps_percent = excluded.caps_percent,
             caps_letters = excluded.caps_letters, repeats_action = excluded.repeats_action,
             repeats_most = excluded.repeats_most, zalgo_action = excluded.zalgo_action,
             zalgo_marks = excluded.zalgo_marks, exempt = excluded.exempt, timeout_seconds = excluded.timeout_seconds,
             escalate_after = excluded.escalate_after, escalate_minutes = excluded.escalate_minutes,
             permit_seconds = excluded.permit_seconds, updated_at = app_now()",
        channel,
        new.enabled,
        new.links.as_str(),
        &new.allowed_hosts,
        new.caps.as_str(),
        new.caps_percent,
        new.caps_letters,
        new.repeats.as_str(),
        new.repeats_most,
        new.zalgo.as_str(),
        new.zalgo_marks,
        &exempt,
        new.timeout_seconds,
        new.escalate_after,
        new.escalate_minutes,
        new.permit_seconds,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How often the author of each of these messages, which are recorded, has said the same among the last 200 lines of the chat, in
/// the minute before it; with the message itself. By channel and content id.
pub(super) async fn said(
    conn: &mut PgConnection,
    platform: Provider,
    messages: &[&ChatMessage],
) -> Result<HashMap<(Uuid, String), i64>, sqlx::Error> {
    let channels: Vec<Uuid> = messages.iter().map(|message| message.channel_id).collect();
    let contents: Vec<String> = messages.iter().map(|message| message.content_id.clone()).collect();
    let rows = sqlx::query!(
        r#"select own.channel_id, own.content_id, count(*) as "said!"
           from unnest($2::uuid[], $3::text[]) wanted (channel_id, content_id)
           join chat_messages own on own.platform = $1 and own.channel_id = wanted.channel_id
                                 and own.content_id = wanted.content_id
           cross join lateral (select platform, author_id, text, sent_at from chat_messages
                               where channel_id = own.channel_id and id <= own.id order by id desc limit 200) line
           where line.platform = own.platform and line.author_id = own.author_id and lower(line.text) = lower(own.text)
             and line.sent_at > own.sent_at - interval '1 minute'
           group by own.channel_id, own.content_id"#,
        platform.as_str(),
        &channels,
        &contents,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.channel_id, row.content_id), row.said)).collect())
}

/// Offences of the author within so many minutes.
pub(super) async fn offences(
    conn: &mut PgConnection,
    platform: Provider,
    message: &ChatMessage,
    minutes: i32,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from automod_acts
           where channel_id = $1 and platform = $2 and author_id = $3 and decided_at > app_now() - make_interval(mins => $4)"#,
        message.channel_id,
        platform.as_str(),
        message.author_id,
        minutes,
    )
    .fetch_one(conn)
    .await
}

/// Whether the message was not judged before.
pub(super) async fn insert_act(
    conn: &mut PgConnection,
    id: Uuid,
    platform: Provider,
    message: &ChatMessage,
    rule: Rule,
    action: Action,
    seconds: Option<i32>,
) -> Result<bool, sqlx::Error> {
    let new = sqlx::query!(
        "insert into automod_acts (id, channel_id, platform, content_id, author_id, author_login, author_name, text, rule, action,
                                   seconds)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (channel_id, platform, content_id) do nothing",
        id,
        message.channel_id,
        platform.as_str(),
        message.content_id,
        message.author_id,
        message.author_login,
        message.author_name,
        message.text,
        rule.as_str(),
        action.as_str(),
        seconds,
    )
    .execute(conn)
    .await?;
    Ok(new.rows_affected() == 1)
}

/// Acts that end in this clause. One whose job has given up has failed.
macro_rules! acts {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Act,
            r#"select id, channel_id, platform, content_id, author_id, author_login, author_name, text, rule as "rule: Rule",
                      action as "action: Action", seconds,
                      case when status = 'pending' and decided_at < app_now() - interval '15 minutes' then 'failed'
                           else status end as "status!: Status",
                      error, done_by, decided_at, done_at
               from automod_acts "#
                + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await
    };
}

/// What was decided in the channel, the newest first, from before the given one.
///
/// # Errors
/// The database refused.
pub async fn acts(
    conn: &mut PgConnection,
    channel: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Act>, sqlx::Error> {
    acts!(
        "where channel_id = $1 and id < $2 order by id desc limit $3",
        conn,
        channel,
        before.unwrap_or(Uuid::max()),
        limit
    )
}

/// What is still to be done; nothing when it is done, or too late.
///
/// # Errors
/// The database refused.
pub async fn to_do(conn: &mut PgConnection, id: Uuid) -> Result<Option<Act>, sqlx::Error> {
    let found = acts!("where id = $1", conn, id)?.pop();
    Ok(found.filter(|act| act.status == Status::Pending))
}

/// This account has done it.
///
/// # Errors
/// The database refused.
pub async fn done(conn: &mut PgConnection, id: Uuid, by: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update automod_acts set status = 'done', done_by = $2, done_at = app_now(), error = null
         where id = $1 and status = 'pending'",
        id,
        by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nobody can do it.
///
/// # Errors
/// The database refused.
pub async fn fail(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update automod_acts set status = 'failed', error = $2 where id = $1 and status = 'pending'",
        id,
        reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It could not be done now.
///
/// # Errors
/// The database refused.
pub async fn put_off(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update automod_acts set error = $2 where id = $1 and status = 'pending'", id, reason)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_permit(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    platform: Provider,
    login: &str,
    seconds: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into automod_permits (id, channel_id, platform, login, expires_at)
         values ($1, $2, $3, $4, app_now() + make_interval(secs => $5::int4))",
        id,
        channel,
        platform.as_str(),
        login,
        seconds,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the person may link now.
pub(super) async fn is_permitted(
    conn: &mut PgConnection,
    channel: Uuid,
    platform: Provider,
    login: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from automod_permits
                          where channel_id = $1 and platform = $2 and login = $3 and expires_at > app_now()) as "there!""#,
        channel,
        platform.as_str(),
        login,
    )
    .fetch_one(conn)
    .await
}

/// Who may link in the channel now, the newest first.
///
/// # Errors
/// The database refused.
pub async fn permits(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Permit>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, platform, login, created_at, expires_at from automod_permits
         where channel_id = $1 and expires_at > app_now() order by id desc",
        channel,
    )
    .fetch_all(conn)
    .await?;
    // The table's check keeps every other word out.
    let permit = |platform: &str| platform.parse().ok();
    let permits = rows.into_iter().filter_map(|row| {
        let provider = permit(&row.platform)?;
        Some(Permit { id: row.id, provider, login: row.login, created_at: row.created_at, expires_at: row.expires_at })
    });
    Ok(permits.collect())
}

pub(super) async fn delete_permit(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query!("delete from automod_permits where id = $1 and channel_id = $2", id, channel);
    Ok(gone.execute(conn).await?.rows_affected() == 1)
}

/// Days for which the streamer may look at what was done.
const KEPT: i32 = 30;

/// Forgets up to `limit` of both what was decided longer ago and permits that are over; the larger count.
///
/// # Errors
/// The database refused.
pub async fn forget(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let acts = sqlx::query!(
        "delete from automod_acts
         where ctid = any (array(
             select ctid from automod_acts where decided_at < app_now() - make_interval(days => $1) limit $2
         ))",
        KEPT,
        limit,
    );
    let acts = acts.execute(&mut *conn).await?.rows_affected();
    let permits = sqlx::query!(
        "delete from automod_permits
         where ctid = any (array(select ctid from automod_permits where expires_at < app_now() limit $1))",
        limit,
    );
    Ok(acts.max(permits.execute(conn).await?.rows_affected()))
}
