//! SQL of what files look like.

use sqlx::PgConnection;

use crate::media::Look;

/// Keeps what a file looks like, whose row there is; what is known stays.
///
/// # Errors
/// The database refused.
pub async fn keep_look(conn: &mut PgConnection, file_hash: &str, look: &Look) -> Result<(), sqlx::Error> {
    let kept = sqlx::query!(
        "insert into looks (file_hash, frames) values ($1, $2) on conflict (file_hash) do nothing",
        file_hash,
        look.frames(),
    );
    if kept.execute(&mut *conn).await?.rows_affected() == 1 {
        sqlx::query!(
            "insert into look_parts (part, file_hash) select part, $2 from unnest($1::integer[]) as part",
            &look.parts(),
            file_hash,
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// What a file looks like, if that is known.
///
/// # Errors
/// The database refused.
pub async fn find_look(conn: &mut PgConnection, file_hash: &str) -> Result<Option<Look>, sqlx::Error> {
    let frames = sqlx::query_scalar!("select frames from looks where file_hash = $1", file_hash);
    Ok(frames.fetch_optional(conn).await?.and_then(Look::new))
}
