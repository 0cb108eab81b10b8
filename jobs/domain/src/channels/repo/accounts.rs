//! Where a channel is at home: its account on each platform.

use sqlx::PgConnection;
use uuid::Uuid;

use super::find;
use crate::{
    channels::{Channel, Home},
    identities::Provider,
};

/// Names the channel's account by its login there, of which no more is known.
pub(in crate::channels) async fn set_login(
    conn: &mut PgConnection,
    channel: Uuid,
    platform: Provider,
    login: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into channel_accounts (channel_id, platform, login) values ($1, $2, $3)
         on conflict (channel_id, platform) do update set login = excluded.login",
        channel,
        platform.as_str(),
        login,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Names the channel's account on a platform, by its id and its name there, if it is no other channel's. What was linked
/// before is forgotten.
///
/// # Errors
/// The database refused.
pub async fn name_account(
    conn: &mut PgConnection,
    channel: Uuid,
    platform: Provider,
    account: &str,
    login: &str,
) -> Result<bool, sqlx::Error> {
    let named = sqlx::query!(
        "insert into channel_accounts (channel_id, platform, account, login)
         select $1, $2, $3, $4
         where not exists (select from channel_accounts o where o.platform = $2 and o.account = $3 and o.channel_id <> $1)
         on conflict (channel_id, platform) do update set account = excluded.account, login = excluded.login",
        channel,
        platform.as_str(),
        account,
        login,
    )
    .execute(conn)
    .await?;
    Ok(named.rows_affected() == 1)
}

/// Id and name of the account on the platform that is the owner's own: the one that the channel has, or the first that was
/// linked here and is not there to speak as a bot.
///
/// # Errors
/// The database refused.
pub async fn own_account(
    conn: &mut PgConnection,
    channel: Uuid,
    platform: Provider,
) -> Result<Option<(String, String)>, sqlx::Error> {
    let own = sqlx::query!(
        r#"select a.provider_user_id, lower(a.login) as "login!"
           from channels c
           join external_accounts a on a.user_id = c.owner_id
           left join channel_accounts h on h.channel_id = c.id and h.platform = a.provider
           where c.id = $1 and a.provider = $2
             and (a.provider_user_id = h.account
                  -- Who streams and speaks with the same account.
                  or lower(a.login) = c.slug
                  or not exists (select from default_bots b where b.account_id = a.id)
                     and not exists (select from channel_bots b where b.account_id = a.id))
           order by coalesce(a.provider_user_id = h.account, false) desc, a.linked_at, a.id
           limit 1"#,
        channel,
        platform.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(own.map(|own| (own.provider_user_id, own.login)))
}

/// The channels of others that name this account there name none any more: they were linked by somebody who had it before.
pub(in crate::channels) async fn take_from_others(
    conn: &mut PgConnection,
    owner: Uuid,
    platform: Provider,
    account: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from channel_accounts h using channels c
         where h.platform = $1 and h.account = $2 and c.id = h.channel_id and c.owner_id <> $3",
        platform.as_str(),
        account,
        owner,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The owner's channel that names this account (any, where none is given) on the platform names none any more; which one that is.
///
/// # Errors
/// The database refused.
pub async fn unname_account(
    conn: &mut PgConnection,
    owner: Uuid,
    platform: Provider,
    account: Option<&str>,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "delete from channel_accounts h using channels c
         where h.platform = $1 and ($2::text is null or h.account = $2) and c.id = h.channel_id and c.owner_id = $3 returning c.id",
        platform.as_str(),
        account,
        owner,
    )
    .fetch_optional(conn)
    .await
}

/// [`name_account`] of a channel of which only the name there is known: the platform has told its id.
///
/// # Errors
/// The database refused.
pub async fn learn_account(
    conn: &mut PgConnection,
    channel: Uuid,
    platform: Provider,
    account: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update channel_accounts h set account = $3
         where h.channel_id = $1 and h.platform = $2 and h.account is null
           and not exists (select from channel_accounts o where o.platform = $2 and o.account = $3)",
        channel,
        platform.as_str(),
        account,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The channel's account on the platform.
///
/// # Errors
/// The database refused.
pub async fn home(conn: &mut PgConnection, channel: Uuid, platform: Provider) -> Result<Option<Home>, sqlx::Error> {
    sqlx::query_as!(
        Home,
        "select account, login from channel_accounts where channel_id = $1 and platform = $2",
        channel,
        platform.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// The channel of this account (its id there).
///
/// # Errors
/// The database refused.
pub async fn find_by_account(
    conn: &mut PgConnection,
    platform: Provider,
    account: &str,
) -> Result<Option<Channel>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select channel_id from channel_accounts where platform = $1 and account = $2",
        platform.as_str(),
        account,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        Some(id) => find(conn, id).await,
        None => Ok(None),
    }
}
