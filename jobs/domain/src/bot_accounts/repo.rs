//! SQL of accounts that speak.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Seated, Sender};
use crate::{
    channels::Channel,
    identities::{Provider, Seat},
};

/// Accounts that can write now and are named by this clause, which begins with the tables that lead to them.
macro_rules! senders {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Sender,
            r#"select a.id as account_id, a.provider_user_id as subject, lower(a.login) as "login!" from external_accounts a "#
                + $tail
                + " and a.relink_reason is null and (a.access_token is not null or a.refresh_token is not null)
                    and ($1::text is null or $1 = any(a.scopes)) order by a.linked_at limit 1"
            $(, $argument)*
        )
        .fetch_optional($conn)
        .await
    };
}

pub(super) async fn of_channel(
    conn: &mut PgConnection,
    channel: Uuid,
    provider: Provider,
    scope: Option<&str>,
) -> Result<Option<Sender>, sqlx::Error> {
    senders!(
        "join channel_bots b on b.account_id = a.id where b.channel_id = $2 and b.provider = $3",
        conn,
        scope,
        channel,
        provider.as_str()
    )
}

pub(super) async fn of_all(
    conn: &mut PgConnection,
    provider: Provider,
    scope: Option<&str>,
) -> Result<Option<Sender>, sqlx::Error> {
    senders!("join default_bots b on b.account_id = a.id where b.provider = $2", conn, scope, provider.as_str())
}

pub(super) async fn of_user(
    conn: &mut PgConnection,
    user: Uuid,
    provider: Provider,
    scope: Option<&str>,
) -> Result<Option<Sender>, sqlx::Error> {
    senders!("where a.user_id = $2 and a.provider = $3", conn, scope, user, provider.as_str())
}

pub(super) async fn of_subject(
    conn: &mut PgConnection,
    subject: &str,
    provider: Provider,
    scope: Option<&str>,
) -> Result<Option<Sender>, sqlx::Error> {
    senders!(
        "where a.provider = $2 and a.issuer = $3 and a.provider_user_id = $4",
        conn,
        scope,
        provider.as_str(),
        provider.issuer(),
        subject
    )
}

pub(super) async fn of_login(
    conn: &mut PgConnection,
    login: &str,
    provider: Provider,
    scope: Option<&str>,
) -> Result<Option<Sender>, sqlx::Error> {
    senders!("where a.provider = $2 and lower(a.login) = lower($3)", conn, scope, provider.as_str(), login)
}

/// Accounts that may moderate in the channel, as far as they were granted all of these scopes: its own bot, the bot for all, its
/// owner's account.
pub(super) async fn moderators(
    conn: &mut PgConnection,
    channel: &Channel,
    provider: Provider,
    scopes: &[String],
    own_bot: bool,
) -> Result<Vec<Sender>, sqlx::Error> {
    sqlx::query_as!(
        Sender,
        r#"select distinct on (a.id) a.id as "account_id!", a.provider_user_id as "subject!", lower(a.login) as "login!"
           from (select account_id as id from channel_bots where channel_id = $1 and provider = $2 and $5
                 union all
                 select account_id from default_bots where provider = $2
                 union all
                 select id from external_accounts where user_id = $3 and provider = $2) able
           join external_accounts a on a.id = able.id
           where a.relink_reason is null and (a.access_token is not null or a.refresh_token is not null)
             and a.scopes @> $4"#,
        channel.id,
        provider.as_str(),
        channel.owner_id,
        scopes,
        own_bot,
    )
    .fetch_all(conn)
    .await
}

/// Who has the seat.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, seat: Seat, provider: Provider) -> Result<Option<Seated>, sqlx::Error> {
    match seat {
        Seat::Default => {
            sqlx::query_as!(
                Seated,
                "select a.id as account_id, a.login, a.display_name, b.updated_at, a.relink_reason
                 from default_bots b join external_accounts a on a.id = b.account_id where b.provider = $1",
                provider.as_str(),
            )
            .fetch_optional(conn)
            .await
        }
        Seat::Channel(channel) => {
            sqlx::query_as!(
                Seated,
                "select a.id as account_id, a.login, a.display_name, b.updated_at, a.relink_reason
                 from channel_bots b join external_accounts a on a.id = b.account_id
                 where b.channel_id = $1 and b.provider = $2",
                channel,
                provider.as_str(),
            )
            .fetch_optional(conn)
            .await
        }
    }
}

pub(super) async fn put(
    conn: &mut PgConnection,
    seat: Seat,
    provider: Provider,
    account: Uuid,
) -> Result<(), sqlx::Error> {
    match seat {
        Seat::Default => {
            sqlx::query!(
                "insert into default_bots (provider, account_id) values ($1, $2)
                 on conflict (provider) do update set account_id = excluded.account_id, updated_at = app_now()",
                provider.as_str(),
                account,
            )
            .execute(conn)
            .await?;
        }
        Seat::Channel(channel) => {
            sqlx::query!(
                "insert into channel_bots (channel_id, provider, account_id) values ($1, $2, $3)
                 on conflict (channel_id, provider) do update set account_id = excluded.account_id, updated_at = app_now()",
                channel,
                provider.as_str(),
                account,
            )
            .execute(conn)
            .await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, seat: Seat, provider: Provider) -> Result<bool, sqlx::Error> {
    let done = match seat {
        Seat::Default => {
            sqlx::query!("delete from default_bots where provider = $1", provider.as_str()).execute(conn).await?
        }
        Seat::Channel(channel) => {
            sqlx::query!("delete from channel_bots where channel_id = $1 and provider = $2", channel, provider.as_str())
                .execute(conn)
                .await?
        }
    };
    Ok(done.rows_affected() > 0)
}

/// Whether the account speaks for all channels, and whether for one of them.
///
/// # Errors
/// The database refused.
pub async fn seats_of(conn: &mut PgConnection, account: Uuid) -> Result<(bool, bool), sqlx::Error> {
    let row = sqlx::query!(
        r#"select exists (select from default_bots where account_id = $1) as "all!",
                  exists (select from channel_bots where account_id = $1) as "one!""#,
        account
    )
    .fetch_one(conn)
    .await?;
    Ok((row.all, row.one))
}

/// Names of accounts that speak in any of these channels, in lower case.
///
/// # Errors
/// The database refused.
pub async fn logins(conn: &mut PgConnection, provider: &str, channels: &[Uuid]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select lower(a.login) as "login!" from channel_bots b join external_accounts a on a.id = b.account_id
           where b.channel_id = any($2) and b.provider = $1
           union
           select lower(a.login) from default_bots b join external_accounts a on a.id = b.account_id where b.provider = $1"#,
        provider,
        channels,
    )
    .fetch_all(conn)
    .await
}
