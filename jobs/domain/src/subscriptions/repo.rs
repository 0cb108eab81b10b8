//! SQL of subscriptions.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Known, List, Wanted};
use crate::identities::Provider;

/// Channels whose bot is on at the platform and whose account there is known, by id, after the given one.
///
/// # Errors
/// The database refused.
pub async fn wanted(conn: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<Wanted>, sqlx::Error> {
    sqlx::query_as!(
        Wanted,
        r#"select b.channel_id, h.account as "account!"
           from bot_integrations b
           join channel_accounts h on h.channel_id = b.channel_id and h.platform = b.provider and h.account is not null
           where b.provider = 'twitch' and b.enabled and b.channel_id > $1
           order by b.channel_id limit $2"#,
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Channels whose bot is on at the platform and of which only the name there is known: id and name, by id, after the given one.
///
/// # Errors
/// The database refused.
pub async fn unnamed(conn: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select b.channel_id, h.login as "login!"
           from bot_integrations b join channel_accounts h on h.channel_id = b.channel_id and h.platform = b.provider
           where b.provider = 'twitch' and b.enabled and b.channel_id > $1 and h.account is null and h.login is not null
           order by b.channel_id limit $2"#,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.login)).collect())
}

/// What came of asking before, of all channels.
///
/// # Errors
/// The database refused.
pub async fn known(conn: &mut PgConnection, provider: Provider) -> Result<Vec<Known>, sqlx::Error> {
    sqlx::query_as!(
        Known,
        r#"select channel_id, type as kind, subscription_id, status, secret_id, checked_at,
                  status in ('forbidden', 'failed', 'authorization_revoked', 'user_removed', 'moderator_removed', 'version_removed')
                      and checked_at > app_now() - interval '1 hour' as "rests!"
           from event_subscriptions where provider = $1"#,
        provider.as_str(),
    )
    .fetch_all(conn)
    .await
}

/// Notes what came of asking.
///
/// # Errors
/// The database refused.
pub async fn note(
    conn: &mut PgConnection,
    provider: Provider,
    channel: Uuid,
    kind: &str,
    subscription: Option<&str>,
    status: &str,
    secret_id: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into event_subscriptions (channel_id, provider, type, subscription_id, status, secret_id)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (channel_id, provider, type) do update
         set subscription_id = excluded.subscription_id, status = excluded.status, secret_id = excluded.secret_id,
             checked_at = app_now()",
        channel,
        provider.as_str(),
        kind,
        subscription,
        status,
        secret_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The platform says that it tells no more by this subscription, and why.
///
/// # Errors
/// The database refused.
pub async fn revoked(
    conn: &mut PgConnection,
    provider: Provider,
    subscription: &str,
    status: &str,
) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query!(
        "update event_subscriptions set subscription_id = null, status = left($3, 100), checked_at = app_now()
         where provider = $1 and subscription_id = $2",
        provider.as_str(),
        subscription,
        status,
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected() > 0)
}

/// Nothing of the channel is wanted any more, or all of it anew.
///
/// # Errors
/// The database refused.
pub async fn forget(conn: &mut PgConnection, provider: Provider, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from event_subscriptions where channel_id = $1 and provider = $2", channel, provider.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Until when the channel's list was compared with what was told; none: never.
///
/// # Errors
/// The database refused.
pub async fn polled(
    conn: &mut PgConnection,
    provider: Provider,
    channel: Uuid,
    list: List,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select until from channel_polls where channel_id = $1 and provider = $2 and what = $3",
        channel,
        provider.as_str(),
        list.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// It was compared until then.
///
/// # Errors
/// The database refused.
pub async fn note_polled(
    conn: &mut PgConnection,
    provider: Provider,
    channel: Uuid,
    list: List,
    until: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into channel_polls as old (channel_id, provider, what, until) values ($1, $2, $3, $4)
         on conflict (channel_id, provider, what) do update set until = greatest(old.until, excluded.until)",
        channel,
        provider.as_str(),
        list.as_str(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}
