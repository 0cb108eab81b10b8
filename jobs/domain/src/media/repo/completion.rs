//! SQL of assets that lack something.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::media::{Asset, Loudness, NOTHING};

/// Some assets whose completion was never ordered, the newest first; from now on it is.
pub(in super::super) async fn take(conn: &mut PgConnection, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "update meme_assets set completed_at = app_now()
         where id in (select id from meme_assets where completed_at is null order by id desc limit $1 for update skip locked)
         returning id",
        limit,
    )
    .fetch_all(conn)
    .await
}

/// How many assets wait for their completion to be ordered; 1000000 at most.
///
/// # Errors
/// The database refused.
pub async fn incomplete(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from meme_assets where completed_at is null limit 1000000) counted"#
    )
    .fetch_one(conn)
    .await
}

/// The completion of all assets without pictures, and of what can be heard and has no loudness, is ordered once more; of how
/// many.
///
/// # Errors
/// The database refused.
pub async fn order_again(tx: &mut Tx) -> Result<u64, sqlx::Error> {
    sqlx::query!("select set_config('enable_seqscan', 'on', true) as seqscan, set_config('enable_hashjoin', 'on', true) as hashjoin")
        .fetch_one(&mut **tx)
        .await?;
    let done = sqlx::query!(
        "update meme_assets a set completed_at = null
         where completed_at is not null and deleted_at is null and file_hash <> $1
           and (poster_hash is null or (type in ('video', 'audio') and gain_db is null)
                or (type <> 'audio' and not exists (select from looks where looks.file_hash = a.file_hash)))",
        NOTHING,
    );
    Ok(done.execute(&mut **tx).await?.rows_affected())
}

/// For all assets that show the file as this.
pub(in super::super) async fn keep_loudness(
    conn: &mut PgConnection,
    asset: &Asset,
    loudness: Loudness,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update meme_assets set loudness_lufs = $3, true_peak_dbtp = $4, gain_db = $5
         where file_hash = $1 and type = $2 and gain_db is null",
        asset.file_hash,
        asset.kind.as_str(),
        loudness.lufs,
        loudness.true_peak,
        loudness.gain_db,
    )
    .execute(conn)
    .await?;
    Ok(())
}
