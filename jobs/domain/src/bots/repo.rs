//! SQL of bots.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Integration, model::Command};
use crate::outbox::Provider;

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

/// Returns whether the switch was touched for the first time. Writing the same value again changes nothing.
pub(super) async fn set_enabled(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    enabled: bool,
) -> Result<(bool, Integration), sqlx::Error> {
    let row = sqlx::query!(
        r#"insert into bot_integrations as old (channel_id, provider, enabled) values ($1, $2, $3)
           on conflict (channel_id, provider) do update
           set updated_at = case when old.enabled = excluded.enabled then old.updated_at else app_now() end,
               enabled = excluded.enabled
           returning (xmax = 0) as "first!", updated_at"#,
        channel_id,
        provider.as_str(),
        enabled,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.first, Integration { provider, enabled, updated_at: Some(row.updated_at) }))
}

pub(super) async fn insert_command(
    conn: &mut PgConnection,
    id: Uuid,
    channel_id: Uuid,
    trigger: &str,
    normalized: &str,
    response: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
         values ($1, $2, $3, $4, $5)
         on conflict (channel_id, trigger_normalized) do nothing",
        id,
        channel_id,
        trigger,
        normalized,
        response,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn enabled_commands(conn: &mut PgConnection, channels: &[Uuid]) -> Result<Vec<Command>, sqlx::Error> {
    sqlx::query_as!(
        Command,
        "select m.channel_id, c.slug, m.trigger_normalized as trigger, m.response
         from chat_commands m join channels c on c.id = m.channel_id
         where m.channel_id = any($1) and m.enabled",
        channels,
    )
    .fetch_all(conn)
    .await
}
