//! SQL of chat sessions.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::Held;
use crate::outbox::Provider;

/// Begins or extends the holder's lease; `account` is the login with which it reads, if it has one.
///
/// # Errors
/// The database refused: the lease runs on as it was.
pub async fn renew(
    conn: &mut PgConnection,
    holder: Uuid,
    platform: Provider,
    account: Option<&str>,
    lease: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_workers (id, platform, lease_until, account)
         values ($1, $2, app_now() + make_interval(secs => $3), $4)
         on conflict (id) do update set lease_until = excluded.lease_until, account = excluded.account",
        holder,
        platform.as_str(),
        lease.as_secs_f64(),
        account,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the holder has now.
///
/// # Errors
/// The database refused.
pub async fn held(conn: &mut PgConnection, holder: Uuid) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        r#"select s.channel_id, h.login as "login!", s.epoch
           from chat_sessions s join channel_accounts h on h.channel_id = s.channel_id and h.platform = s.platform
           where s.holder = $1 and h.login is not null"#,
        holder,
    )
    .fetch_all(conn)
    .await
}

/// Takes up to `room` chats that are wanted and free; `only_orphans`: of those whose holder died, which needs no look at
/// everything that is wanted. Returns how many.
///
/// # Errors
/// The database refused.
pub async fn take(
    conn: &mut PgConnection,
    holder: Uuid,
    platform: Provider,
    room: i64,
    only_orphans: bool,
) -> Result<u64, sqlx::Error> {
    let taken = sqlx::query!(
        "insert into chat_sessions as old (platform, channel_id, holder)
         select b.provider, b.channel_id, $1
         from bot_integrations b
         join channel_accounts h on h.channel_id = b.channel_id and h.platform = b.provider and h.login is not null
         left join chat_sessions s on s.platform = b.provider and s.channel_id = b.channel_id
         left join chat_workers w on w.id = s.holder and w.lease_until > app_now()
         where b.provider = $2 and b.enabled and w.id is null and (s.holder is not null or not $4)
         order by b.channel_id
         limit $3
         on conflict (platform, channel_id) do update
         set holder = excluded.holder, epoch = old.epoch + 1, taken_at = app_now()
         -- Looked at again under the row's lock: another process may have been first.
         where not exists (select 1 from chat_workers w where w.id = old.holder and w.lease_until > app_now())",
        holder,
        platform.as_str(),
        room,
        only_orphans,
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected())
}

/// Gives up chats of the holder that are not wanted any more; returns how many.
///
/// # Errors
/// The database refused.
pub async fn unwanted(conn: &mut PgConnection, holder: Uuid, platform: Provider) -> Result<u64, sqlx::Error> {
    let given_up = sqlx::query!(
        "update chat_sessions s set holder = null
         where s.holder = $1 and s.platform = $2
           and not exists (
               select 1 from bot_integrations b
               where b.channel_id = s.channel_id and b.provider = s.platform and b.enabled
           )",
        holder,
        platform.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(given_up.rows_affected())
}

/// The holder stops: its chats are free at once. Also forgets holders that have been dead for a day.
///
/// # Errors
/// The database refused.
pub async fn release_all(conn: &mut PgConnection, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update chat_sessions set holder = null where holder = $1", holder).execute(&mut *conn).await?;
    sqlx::query!("delete from chat_workers where id = $1 or lease_until < app_now() - interval '1 day'", holder)
        .execute(conn)
        .await?;
    Ok(())
}
