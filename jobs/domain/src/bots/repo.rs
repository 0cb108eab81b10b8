//! SQL of bots.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Diagnostics, Failure, Greetings, Integration, greetings::Door};
use crate::outbox::{Provider, Status};

/// The switches of all platforms, in the panel's order; untouched ones are off.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel_id: Uuid) -> Result<Vec<Integration>, sqlx::Error> {
    let rows =
        sqlx::query!("select provider, enabled, updated_at from bot_integrations where channel_id = $1", channel_id)
            .fetch_all(conn)
            .await?;
    let integration = |provider: Provider| {
        let row = rows.iter().find(|row| row.provider == provider.as_str());
        Integration { provider, enabled: row.is_some_and(|row| row.enabled), updated_at: row.map(|row| row.updated_at) }
    };
    Ok(Provider::ALL.into_iter().map(integration).collect())
}

/// Platforms whose bot is on in the channel.
///
/// # Errors
/// The database refused.
pub async fn enabled(conn: &mut PgConnection, channel_id: Uuid) -> Result<Vec<Provider>, sqlx::Error> {
    let all = list(conn, channel_id).await?;
    Ok(all.into_iter().filter(|integration| integration.enabled).map(|integration| integration.provider).collect())
}

/// How the switch was, unless it is touched for the first time, and how it is. Writing the same value again changes nothing.
pub(super) async fn set_enabled(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    enabled: bool,
) -> Result<(Option<bool>, Integration), sqlx::Error> {
    // Nobody else switches it meanwhile.
    let before = sqlx::query_scalar!(
        "select enabled from bot_integrations where channel_id = $1 and provider = $2 for update",
        channel_id,
        provider.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let row = sqlx::query!(
        r#"insert into bot_integrations as old (channel_id, provider, enabled) values ($1, $2, $3)
           on conflict (channel_id, provider) do update
           set updated_at = case when old.enabled = excluded.enabled then old.updated_at else app_now() end,
               enabled = excluded.enabled
           returning updated_at"#,
        channel_id,
        provider.as_str(),
        enabled,
    )
    .fetch_one(conn)
    .await?;
    Ok((before, Integration { provider, enabled, updated_at: Some(row.updated_at) }))
}

pub(super) async fn greetings(conn: &mut PgConnection, channel: Uuid) -> Result<Option<Greetings>, sqlx::Error> {
    sqlx::query_as!(
        Greetings,
        r#"select coalesce(s.greetings_enabled, false) as "enabled!",
                  coalesce(s.greetings_template, 'Thank you for following, {user}!') as "template!",
                  s.greetings_updated_at as "updated_at?"
           from channels c left join bot_settings s on s.channel_id = c.id
           where c.id = $1"#,
        channel,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn set_greetings(
    conn: &mut PgConnection,
    channel: Uuid,
    enabled: bool,
    template: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into bot_settings (channel_id, greetings_enabled, greetings_template, greetings_updated_at)
         values ($1, $2, $3, app_now())
         on conflict (channel_id) do update
         set greetings_enabled = excluded.greetings_enabled, greetings_template = excluded.greetings_template,
             greetings_updated_at = app_now()",
        channel,
        enabled,
        template,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Where followers are greeted: the channel greets, and its bot is on.
pub(super) async fn door(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
) -> Result<Option<Door>, sqlx::Error> {
    sqlx::query_as!(
        Door,
        "select c.slug, c.name, s.greetings_template as template
         from bot_settings s
         join channels c on c.id = s.channel_id
         join bot_integrations b on b.channel_id = s.channel_id and b.provider = $2 and b.enabled
         where s.channel_id = $1 and s.greetings_enabled",
        channel,
        provider.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// All but the last failure, what is linked here, and what the channel may.
pub(super) async fn diagnose(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
) -> Result<Diagnostics, sqlx::Error> {
    let row = sqlx::query!(
        r#"select coalesce((select enabled from bot_integrations where channel_id = c.id and provider = $2), false)
                      as "enabled!",
                  (select login from channel_accounts h where h.channel_id = c.id and h.platform = $2) as channel_login,
                  reading.processes as "readers!",
                  coalesce(reading.account,
                           (select account from outbox_messages
                            where channel_id = c.id and provider = $2 and read_back_at is null and processing_at is not null
                            order by processing_at desc limit 1)) as account,
                  (select s.taken_at from chat_sessions s
                   join chat_workers w on w.id = s.holder and w.lease_until > app_now()
                   where s.platform = $2 and s.channel_id = c.id) as reads_since,
                  waiting.messages as "waiting!", waiting.oldest as oldest_waiting_at
           from channels c
           cross join lateral (select count(*) as processes, max(account) as account from chat_workers
                               where platform = $2 and lease_until > app_now()) reading
           cross join lateral (select count(*) as messages, min(created_at) as oldest from outbox_messages
                               where channel_id = c.id and provider = $2 and status = 'pending') waiting
           where c.id = $1"#,
        channel,
        provider.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(Diagnostics {
        provider,
        enabled: row.enabled,
        channel_login: row.channel_login,
        readers: row.readers,
        account: row.account,
        reads_since: row.reads_since,
        waiting: row.waiting,
        oldest_waiting_at: row.oldest_waiting_at,
        last_failure: None,
        heard_since: false,
        untold: Vec::new(),
        unmoderated: None,
        custom_bot: false,
    })
}

pub(super) async fn last_failure(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
) -> Result<Option<Failure>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, status, last_error, updated_at from outbox_messages
         where channel_id = $1 and provider = $2 and status in ('failed', 'unknown')
         order by updated_at desc limit 1",
        channel,
        provider.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Failure {
        id: row.id,
        status: if row.status == "failed" { Status::Failed } else { Status::Unknown },
        reason: row.last_error,
        at: row.updated_at,
    }))
}

/// Whether something was said after that.
pub(super) async fn heard_since(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
    at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
               select from outbox_messages
               where channel_id = $1 and provider = $2 and status = 'sent' and sent_at > $3
           ) as "heard!""#,
        channel,
        provider.as_str(),
        at,
    )
    .fetch_one(conn)
    .await
}

/// What the platform does not tell us of the channel, and why, by its word.
pub(super) async fn untold(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select type as kind, status from event_subscriptions
         where channel_id = $1 and provider = $2 and status not in ('enabled', 'pending')
         order by type",
        channel,
        provider.as_str(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.status)).collect())
}

/// Why the last thing that auto-moderation decided was not done, where it is on.
pub(super) async fn unmoderated(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
) -> Result<Option<String>, sqlx::Error> {
    let last = sqlx::query!(
        "select act.platform, act.status, act.error
         from automod_settings s
         cross join lateral (select platform, status, error from automod_acts
                             where channel_id = s.channel_id order by id desc limit 1) act
         where s.channel_id = $1 and s.enabled",
        channel,
    )
    .fetch_optional(conn)
    .await?;
    let undone = last.filter(|act| act.platform == provider.as_str() && act.status == "failed");
    Ok(undone.map(|act| act.error.unwrap_or_else(|| "nobody may".to_owned())))
}
