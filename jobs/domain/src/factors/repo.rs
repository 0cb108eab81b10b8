//! SQL of second factors.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// What there is beside the password.
pub struct Asked {
    /// When codes began to be asked for.
    pub since: OffsetDateTime,
    /// That are not used up.
    pub recovery_codes: i64,
}

pub(super) struct Held {
    pub(super) secret: Vec<u8>,
    pub(super) confirmed: bool,
    pub(super) last_step: i64,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// Whether the person is asked for codes.
///
/// # Errors
/// The database refused.
pub async fn is_asked(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    let confirmed = sqlx::query_scalar!(
        r#"select confirmed_at is not null as "confirmed!" from second_factors where user_id = $1"#,
        user
    )
    .fetch_optional(conn)
    .await?;
    Ok(confirmed.unwrap_or(false))
}

/// What is asked for; none when nothing is.
///
/// # Errors
/// The database refused.
pub async fn asked(conn: &mut PgConnection, user: Uuid) -> Result<Option<Asked>, sqlx::Error> {
    sqlx::query_as!(
        Asked,
        r#"select confirmed_at as "since!",
             (select count(*) from recovery_codes r where r.user_id = f.user_id and used_at is null) as "recovery_codes!"
           from second_factors f where user_id = $1 and confirmed_at is not null"#,
        user
    )
    .fetch_optional(conn)
    .await
}

/// False when there is a confirmed one.
pub(super) async fn insert(conn: &mut PgConnection, user: Uuid, secret: &[u8]) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into second_factors (user_id, secret) values ($1, $2)
         on conflict (user_id) do update set secret = excluded.secret, last_step = 0, created_at = app_now()
         where second_factors.confirmed_at is null",
        user,
        secret,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

pub(super) async fn lock(conn: &mut PgConnection, user: Uuid) -> Result<Option<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        r#"select secret, confirmed_at is not null as "confirmed!", last_step,
             extract(epoch from app_now())::bigint as "now!"
           from second_factors where user_id = $1 for update"#,
        user
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn set_confirmed(conn: &mut PgConnection, user: Uuid, step: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("update second_factors set confirmed_at = app_now(), last_step = $2 where user_id = $1", user, step)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn set_last_step(conn: &mut PgConnection, user: Uuid, step: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("update second_factors set last_step = $2 where user_id = $1", user, step).execute(conn).await?;
    Ok(())
}

pub(super) async fn insert_recovery_codes(
    conn: &mut PgConnection,
    user: Uuid,
    hashes: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into recovery_codes (user_id, hash) select $1, hash from unnest($2::bytea[]) hash",
        user,
        hashes
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete_recovery_codes(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from recovery_codes where user_id = $1", user).execute(conn).await?;
    Ok(())
}

pub(super) async fn use_recovery_code(
    conn: &mut PgConnection,
    user: Uuid,
    hash: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "update recovery_codes set used_at = app_now() where user_id = $1 and hash = $2 and used_at is null",
        user,
        hash.as_slice(),
    )
    .execute(conn)
    .await?;
    Ok(used.rows_affected() > 0)
}

pub(super) async fn delete(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query!("delete from second_factors where user_id = $1 and confirmed_at is not null", user)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected() > 0)
}
