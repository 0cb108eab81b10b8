//! SQL of coins that wait.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Grant, GrantStatus, NewGrant, model::Name};
use crate::identities::Provider;

/// The grants that end in this clause.
macro_rules! grants {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Grant,
            r#"select g.id, g.channel_id, c.slug as channel_slug, g.provider, g.provider_user_id, g.login, g.amount, g.reason,
                      g.status as "status: GrantStatus", g.approval_above, g.created_by, g.approved_by, g.created_at,
                      g.expires_at, g.user_id, g.paid_at
               from pending_grants g join channels c on c.id = g.channel_id "#
                + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await
    };
}

/// Grants that have not ended, the newest first, from before the given one: of one channel, or all.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Grant>, sqlx::Error> {
    let before = before.unwrap_or(Uuid::max());
    // A statement for each index.
    match channel {
        Some(channel) => grants!(
            "where g.channel_id = $1 and g.id < $2 and g.expires_at > app_now() order by g.id desc limit $3",
            conn,
            channel,
            before,
            limit
        ),
        None => {
            grants!("where g.id < $1 and g.expires_at > app_now() order by g.id desc limit $2", conn, before, limit)
        }
    }
}

pub(super) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Grant>, sqlx::Error> {
    Ok(grants!("where g.id = $1", conn, id)?.pop())
}

/// One that has not ended, which nobody else changes until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Grant>, sqlx::Error> {
    Ok(grants!("where g.id = $1 and g.expires_at > app_now() for update of g", conn, id)?.pop())
}

/// What waits for this account, by id or by name, in channels that are there still; nobody else pays it until the end of the
/// transaction. In the order of their ids.
pub(super) async fn lock_waiting(
    conn: &mut PgConnection,
    provider: Provider,
    id: &str,
    login: Option<&str>,
) -> Result<Vec<Grant>, sqlx::Error> {
    grants!(
        "join users owner on owner.id = c.owner_id and owner.erased_at is null
         where g.id in (
             select w.id from pending_grants w where w.provider = $1 and w.provider_user_id = $2 and w.status = 'waiting'
             union all
             select w.id from pending_grants w where w.provider = $1 and w.login = $3 and w.status = 'waiting')
           and g.status = 'waiting' and g.expires_at > app_now()
         order by g.id for update of g",
        conn,
        provider.as_str(),
        id,
        login
    )
}

/// Nobody else gives anybody coins in this admin's name until the end of the transaction.
pub(super) async fn hold_maker(conn: &mut PgConnection, actor: Uuid) -> Result<(), sqlx::Error> {
    let name = format!("grants\n{actor}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(conn).await?;
    Ok(())
}

/// Coins of grants that this admin made in the channel within a day, without another one's agreement, and that were paid to one
/// of these people or wait for one of these accounts.
pub(super) async fn promised_lately(
    conn: &mut PgConnection,
    actor: Uuid,
    channel: Uuid,
    people: &[Uuid],
    names: &[Name],
) -> Result<i64, sqlx::Error> {
    let providers: Vec<String> = names.iter().map(|name| name.provider.as_str().to_owned()).collect();
    let ids: Vec<Option<String>> = names.iter().map(|name| name.id.clone()).collect();
    let logins: Vec<Option<String>> = names.iter().map(|name| name.login.clone()).collect();
    sqlx::query_scalar!(
        r#"select coalesce(sum(g.amount), 0)::bigint as "coins!" from pending_grants g
           where g.created_by = $1 and g.created_at > app_now() - interval '1 day' and g.channel_id = $2
             and g.status <> 'unapproved' and g.approved_by is null and g.approval_above is not null
             and (g.user_id = any($3)
                  or exists (
                      select from unnest($4::text[], $5::text[], $6::text[]) as account (provider, id, login)
                      where account.provider = g.provider
                        and (account.id = g.provider_user_id or account.login = g.login)))"#,
        actor,
        channel,
        people,
        &providers,
        &ids as &[Option<String>],
        &logins as &[Option<String>],
    )
    .fetch_one(conn)
    .await
}

/// Coins of other grants that the grant's admin made in its channel within a day before or after it, without another one's
/// agreement, and that were paid to this person.
pub(super) async fn paid_beside(conn: &mut PgConnection, grant: &Grant, user: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(amount), 0)::bigint as "coins!" from pending_grants
           where user_id = $1 and created_by = $2 and channel_id = $3 and id <> $4
             and created_at > $5::timestamptz - interval '1 day' and created_at < $5::timestamptz + interval '1 day'
             and approved_by is null and approval_above is not null"#,
        user,
        grant.created_by,
        grant.channel_id,
        grant.id,
        grant.created_at,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    actor: Uuid,
    channel: Uuid,
    new: &NewGrant,
    (status, approval_above): (GrantStatus, Option<i64>),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into pending_grants
             (id, channel_id, provider, provider_user_id, login, amount, reason, status, created_by, expires_at, approval_above)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, app_now() + make_interval(days => $10), $11)",
        id,
        channel,
        new.provider.as_str(),
        new.payee.id(),
        new.payee.login(),
        new.amount,
        new.reason.trim(),
        status.as_str(),
        actor,
        new.days,
        approval_above,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn approve(conn: &mut PgConnection, id: Uuid, actor: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update pending_grants set status = 'waiting', approved_by = $2 where id = $1", id, actor)
        .execute(conn)
        .await?;
    Ok(())
}

/// Another admin must agree first, now that it is known whose it is.
pub(super) async fn hold_back(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update pending_grants set status = 'unapproved' where id = $1 and status = 'waiting'", id)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from pending_grants where id = $1", id).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_paid(conn: &mut PgConnection, id: Uuid, user: Uuid) -> Result<(), sqlx::Error> {
    let paid = sqlx::query!(
        "update pending_grants set status = 'paid', user_id = $2, paid_at = app_now() where id = $1 and status = 'waiting'",
        id,
        user,
    );
    let paid = paid.execute(conn).await?.rows_affected();
    if paid == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Removes grants that nobody came for in time; the paid ones stay for their receipts. Says how many, at most `limit`.
///
/// # Errors
/// The database refused.
pub async fn forget_over(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from pending_grants where id in (
             select id from pending_grants where expires_at <= app_now() and status <> 'paid' limit $1)",
        limit
    );
    Ok(gone.execute(conn).await?.rows_affected())
}
