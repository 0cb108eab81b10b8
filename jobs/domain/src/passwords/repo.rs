//! SQL of password accounts.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Credentials, NewAccount};

/// The account with this login or, with an `@` in it, this address; both in lower case. None of who is being forgotten:
/// nobody has had it.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, name: &str) -> Result<Option<Credentials>, sqlx::Error> {
    if name.contains('@') {
        sqlx::query_as!(
            Credentials,
            "select id as user_id, login, password_hash, email, is_verified from users
             where email = $1 and erased_at is null",
            name
        )
        .fetch_optional(conn)
        .await
    } else {
        sqlx::query_as!(
            Credentials,
            "select id as user_id, login, password_hash, email, is_verified from users
             where login = $1 and erased_at is null",
            name
        )
        .fetch_optional(conn)
        .await
    }
}

/// The person's account.
///
/// # Errors
/// The database refused.
pub async fn find_of(conn: &mut PgConnection, user: Uuid) -> Result<Option<Credentials>, sqlx::Error> {
    sqlx::query_as!(
        Credentials,
        "select id as user_id, login, password_hash, email, is_verified from users where id = $1",
        user
    )
    .fetch_optional(conn)
    .await
}

/// False when login or address are taken.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    account: &NewAccount,
    hash: &str,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into users (id, login, display_name, email, password_hash) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        id,
        account.login,
        account.display_name,
        account.email,
        hash,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

pub(super) async fn lock_if_same(conn: &mut PgConnection, user: Uuid, hash: &str) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!("select id from users where id = $1 and password_hash = $2 for share", user, hash)
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn replace(conn: &mut PgConnection, user: Uuid, old: &str, new: &str) -> Result<bool, sqlx::Error> {
    let replaced =
        sqlx::query!("update users set password_hash = $3 where id = $1 and password_hash = $2", user, old, new)
            .execute(conn)
            .await?;
    Ok(replaced.rows_affected() > 0)
}

pub(super) async fn set(conn: &mut PgConnection, user: Uuid, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user, hash).execute(conn).await?;
    Ok(())
}
