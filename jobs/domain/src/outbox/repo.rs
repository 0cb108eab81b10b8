//! SQL of the outbox.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{OutboxMessage, Provider, Source, Status, UnknownProvider, budget::Place};

/// A message under its row lock.
pub(super) struct Due {
    pub(super) channel_id: Uuid,
    pub(super) provider: Provider,
    pub(super) status: Status,
    pub(super) message: String,
    pub(super) expired: bool,
    /// The platform's name of the channel.
    pub(super) channel: Option<String>,
    pub(super) last_error: Option<String>,
    pub(super) source: Source,
}

/// None: there is a message about the same already.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel_id: Uuid,
    provider: Provider,
    source: Source,
    message: &str,
    about: Option<&str>,
) -> Result<Option<OutboxMessage>, sqlx::Error> {
    let row = sqlx::query!(
        "insert into outbox_messages (id, channel_id, provider, source, message, dedupe_key, expires_at)
         values ($1, $2, $3, $4, $5, $6, app_now() + make_interval(secs => $7))
         on conflict (channel_id, provider, dedupe_key) where dedupe_key is not null do nothing
         returning created_at, updated_at",
        id,
        channel_id,
        provider.as_str(),
        source.as_str(),
        message,
        about,
        source.time_to_live().as_seconds_f64(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| OutboxMessage {
        id,
        channel_id,
        provider,
        message: message.to_owned(),
        status: Status::Pending,
        attempts: 0,
        last_error: None,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// The message, if it is this channel's and went to this provider.
///
/// # Errors
/// The database refused.
pub async fn find(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    id: Uuid,
) -> Result<Option<OutboxMessage>, sqlx::Error> {
    let row = sqlx::query!(
        "select message, status, attempts, last_error, created_at, updated_at
         from outbox_messages where id = $1 and channel_id = $2 and provider = $3",
        id,
        channel_id,
        provider.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| OutboxMessage {
        id,
        channel_id,
        provider,
        message: row.message,
        status: Status::from_column(&row.status),
        attempts: row.attempts,
        last_error: row.last_error,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// Messages of the channel that wait for their turn; those from one source, or all.
///
/// # Errors
/// The database refused.
pub async fn pending(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    source: Option<Source>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from outbox_messages
           where channel_id = $1 and provider = $2 and status = 'pending' and ($3::text is null or source = $3)"#,
        channel_id,
        provider.as_str(),
        source.map(Source::as_str),
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn lock_due(conn: &mut PgConnection, id: Uuid) -> Result<Option<Due>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select m.channel_id, m.provider, m.status, m.source, m.message, m.last_error, m.expires_at <= app_now() as "expired!",
                  (select login from channel_accounts h where h.channel_id = m.channel_id and h.platform = m.provider) as channel
           from outbox_messages m
           where m.id = $1 for no key update of m"#,
        id,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Due {
        channel_id: row.channel_id,
        provider: row.provider.parse().map_err(|error: UnknownProvider| sqlx::Error::Decode(Box::new(error)))?,
        status: Status::from_column(&row.status),
        message: row.message,
        expired: row.expired,
        channel: row.channel,
        last_error: row.last_error,
        source: Source::from_column(&row.source),
    }))
}

/// Whether something that matters more waits in the same chat.
pub(super) async fn is_ahead_of_more(conn: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
               select from outbox_messages m
               join outbox_messages other
                 on other.channel_id = m.channel_id and other.provider = m.provider and other.status = 'pending'
               where m.id = $1
                 and array_position(array['say', 'command', 'greeting', 'timer'], other.source)
                     < array_position(array['say', 'command', 'greeting', 'timer'], m.source)
           ) as "exists!""#,
        id,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn set_processing(conn: &mut PgConnection, id: Uuid, account: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update outbox_messages
         set status = 'processing', account = $2, attempts = attempts + 1, processing_at = app_now(), updated_at = app_now()
         where id = $1",
        id,
        account,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Only from `processing`: a read-back may have settled it already.
pub(super) async fn set_sent(
    conn: &mut PgConnection,
    id: Uuid,
    provider_message_id: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update outbox_messages
         set status = 'sent', sent_at = app_now(), updated_at = app_now(), last_error = null, provider_message_id = $2
         where id = $1 and status in ('processing', 'unknown')",
        id,
        provider_message_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_pending(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update outbox_messages set status = 'pending', last_error = $2, updated_at = app_now()
         where id = $1 and status = 'processing'",
        id,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_failed(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update outbox_messages
         set status = 'failed', last_error = $2, failed_at = app_now(), updated_at = app_now()
         where id = $1 and status in ('pending', 'processing')",
        id,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn settle_lost(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<Status, sqlx::Error> {
    let status = sqlx::query_scalar!(
        "update outbox_messages
         set status = case when read_back_at is null then 'unknown' else 'sent' end,
             last_error = case when read_back_at is null then $2 end,
             sent_at = read_back_at,
             updated_at = app_now()
         where id = $1 and status = 'processing'
         returning status",
        id,
        reason,
    )
    .fetch_optional(conn)
    .await?;
    Ok(status.map_or(Status::Unknown, |status| Status::from_column(&status)))
}

pub(super) async fn set_read_back(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    account: &str,
    text: &str,
) -> Result<bool, sqlx::Error> {
    let read = sqlx::query!(
        // The marks are those of `Text`: what the row holds and what the chat shows differ by them only, and what a way that
        // counts bytes says in several lines, of which the last one tells that all of it is there.
        "update outbox_messages
         set read_back_at = app_now(), updated_at = app_now(),
             status = case when status = 'unknown' then 'sent' else status end,
             sent_at = case when status = 'unknown' then app_now() else sent_at end,
             last_error = case when status = 'unknown' then null else last_error end
         where id = (
             select id from outbox_messages
             where channel_id = $1 and provider = $2 and read_back_at is null and processing_at is not null
               and status in ('processing', 'unknown', 'sent')
               and (account is null or lower(account) = $4)
               and (trim(both from ltrim(message, e'\\u200B')) = $3
                    or octet_length(message) > 500 and $3 <> '' and right(trim(both from message), char_length($3)) = $3)
               and processing_at > app_now() - interval '10 minutes'
             order by processing_at
             limit 1
             for no key update
         )",
        channel_id,
        provider.as_str(),
        text,
        account,
    )
    .execute(conn)
    .await?;
    Ok(read.rows_affected() > 0)
}

/// Accounts (logins, in lower case) that have lately written into these channels what nobody has read there yet.
///
/// # Errors
/// The database refused.
pub async fn speakers(
    conn: &mut PgConnection,
    provider: Provider,
    channels: &[Uuid],
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select distinct lower(account) as "account!" from outbox_messages
           where channel_id = any($1) and provider = $2 and read_back_at is null
             and processing_at > app_now() - interval '10 minutes' and account is not null"#,
        channels,
        provider.as_str(),
    )
    .fetch_all(conn)
    .await
}

pub(super) async fn end_stale(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    // A minute beyond the message's own time: its job, if it lives, has ended it by then.
    let ended = sqlx::query!(
        "update outbox_messages
         set status = case when status = 'pending' then 'failed' when read_back_at is null then 'unknown' else 'sent' end,
             last_error = case when status = 'pending' then 'stale: not sent in time' else 'the sender was lost' end,
             failed_at = case when status = 'pending' then app_now() end,
             sent_at = case when status = 'processing' then read_back_at end,
             updated_at = app_now()
         where status in ('pending', 'processing') and expires_at < app_now() - interval '1 minute'",
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

/// Days for which the streamer may ask what became of a message.
const KEPT: i32 = 30;

/// Removes up to `limit` messages that are older than that; how many went. None of them waits: a message lives for minutes.
///
/// # Errors
/// The database refused.
pub async fn trim(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from outbox_messages
         where ctid = any (array(
             select ctid from outbox_messages where created_at < app_now() - make_interval(days => $1) limit $2
         ))",
        KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Whether there was something left; then it is taken.
pub(super) async fn take_budget(
    conn: &mut PgConnection,
    account: &str,
    action: &str,
    count: i32,
    window: f64,
) -> Result<bool, sqlx::Error> {
    sqlx::query!(
        "insert into account_budgets (account, action) values ($1, $2) on conflict do nothing",
        account,
        action
    )
    .execute(&mut *conn)
    .await?;
    let taken = sqlx::query!(
        "update account_budgets
         set recent = array(
                 select moment from unnest(recent) moment where moment > app_now() - make_interval(secs => $4)
             ) || app_now()
         where account = $1 and action = $2
           and (
               select count(*) from unnest(recent) moment where moment > app_now() - make_interval(secs => $4)
           ) < $3",
        account,
        action,
        i64::from(count),
        window,
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Seconds until the oldest action leaves the window.
pub(super) async fn budget_wait(
    conn: &mut PgConnection,
    account: &str,
    action: &str,
    window: f64,
) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(extract(epoch from min(moment) + make_interval(secs => $3) - app_now()), 0)::float8 as "wait!"
           from account_budgets, unnest(recent) moment
           where account = $1 and action = $2 and moment > app_now() - make_interval(secs => $3)"#,
        account,
        action,
        window,
    )
    .fetch_one(conn)
    .await
}

/// Whether the account has said nothing in the chat for that long; then its turn is taken.
pub(super) async fn take_turn(
    conn: &mut PgConnection,
    place: Place,
    account: &str,
    spacing: f64,
) -> Result<bool, sqlx::Error> {
    // A moment that is far ahead is of a clock that was set back: nobody waits for it.
    let taken = sqlx::query!(
        "insert into channel_budgets as old (channel_id, provider, account) values ($1, $2, $3)
         on conflict (channel_id, provider, account) do update set said_at = excluded.said_at
         where old.said_at <= excluded.said_at - make_interval(secs => $4) or old.said_at > excluded.said_at + interval '1 minute'",
        place.channel_id,
        place.provider.as_str(),
        account,
        spacing,
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Seconds until the account's next turn in the chat.
pub(super) async fn turn_wait(
    conn: &mut PgConnection,
    place: Place,
    account: &str,
    spacing: f64,
) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(extract(epoch from max(said_at) + make_interval(secs => $4) - app_now()), 0)::float8 as "wait!"
           from channel_budgets where channel_id = $1 and provider = $2 and account = $3"#,
        place.channel_id,
        place.provider.as_str(),
        account,
        spacing,
    )
    .fetch_one(conn)
    .await
}
