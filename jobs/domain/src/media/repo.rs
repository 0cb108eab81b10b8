//! SQL of files and assets.

pub(super) mod completion;
pub(super) mod looks;

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Asset, File, MediaError, MediaType, NewAsset, NewFile, Previews};

/// Serialises all who publish or remove these bytes, until the caller's transaction ends. Comes before the first look at
/// the row, also when there is no row yet. Whoever needs two hashes takes them in ascending order.
///
/// # Errors
/// The database refused.
pub async fn hold(conn: &mut PgConnection, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('file:' || $1::text, 0))", hash).execute(conn).await?;
    Ok(())
}

/// Counts one more reference to the bytes; their first makes the row. Call [`hold`] before, publish the file after, then
/// commit.
///
/// # Errors
/// The database refused.
pub async fn add_reference(conn: &mut PgConnection, file: NewFile<'_>) -> Result<i32, MediaError> {
    let count = sqlx::query_scalar!(
        "insert into file_hashes (hash, size, mime_type, reference_count) values ($1, $2, $3, 1)
         on conflict (hash) do update set reference_count = file_hashes.reference_count + 1
         returning reference_count",
        file.hash,
        file.size,
        file.mime_type,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Gives one reference back. True: it was the last, the row is gone, and the caller removes the file after its commit, in
/// a transaction that holds the hash and finds it unreferenced (a crash in between leaves the file to the sweep; the other
/// way round it would leave a row without its file). Call [`hold`] before.
///
/// # Errors
/// [`MediaError::NotReferenced`] when there was none.
pub async fn release(conn: &mut PgConnection, hash: &str) -> Result<bool, MediaError> {
    let left = sqlx::query_scalar!(
        "update file_hashes set reference_count = reference_count - 1
         where hash = $1 and reference_count > 0
         returning reference_count",
        hash,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| MediaError::NotReferenced(hash.to_owned()))?;
    if left > 0 {
        return Ok(false);
    }
    sqlx::query!("delete from file_hashes where hash = $1 and reference_count = 0", hash).execute(conn).await?;
    Ok(true)
}

/// Whether anything needs the bytes.
///
/// # Errors
/// The database refused.
pub async fn is_referenced(conn: &mut PgConnection, hash: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from file_hashes where hash = $1) as "found!""#, hash)
        .fetch_one(conn)
        .await
}

/// Those of the hashes that something needs.
///
/// # Errors
/// The database refused.
pub async fn referenced(conn: &mut PgConnection, hashes: &[String]) -> Result<HashSet<String>, sqlx::Error> {
    let found =
        sqlx::query_scalar!("select hash from file_hashes where hash = any($1)", hashes).fetch_all(conn).await?;
    Ok(found.into_iter().collect())
}

/// A stored file.
///
/// # Errors
/// [`MediaError::FileNotFound`], or the database refused.
pub async fn get_file(conn: &mut PgConnection, hash: &str) -> Result<File, MediaError> {
    sqlx::query_as!(
        File,
        "select hash, size, mime_type, reference_count, created_at from file_hashes where hash = $1",
        hash,
    )
    .fetch_optional(conn)
    .await?
    .ok_or_else(|| MediaError::FileNotFound(hash.to_owned()))
}

/// A file that may be served to anybody: a rendition of ours that the house has not hidden, never bytes as somebody sent them.
///
/// # Errors
/// The database refused.
pub async fn find_servable(conn: &mut PgConnection, hash: &str) -> Result<Option<File>, sqlx::Error> {
    sqlx::query_as!(
        File,
        "select hash, size, mime_type, reference_count, created_at from file_hashes
         where hash = $1 and (exists (select from meme_assets where file_hash = $1)
                              or exists (select from meme_assets where poster_hash = $1)
                              or exists (select from meme_assets where preview_hash = $1))
           and not exists (select from meme_assets where file_hash = $1 and hidden_at is not null)
           and not exists (select from meme_assets where poster_hash = $1 and hidden_at is not null)
           and not exists (select from meme_assets where preview_hash = $1 and hidden_at is not null)",
        hash,
    )
    .fetch_optional(conn)
    .await
}

/// Creates an asset.
///
/// # Errors
/// The database refused, for example because a file's row is missing.
pub async fn create_asset(conn: &mut PgConnection, new: NewAsset<'_>) -> Result<Asset, MediaError> {
    let asset = sqlx::query_as!(
        Asset,
        r#"insert into meme_assets (id, type, file_hash, source_hash, duration_ms, width, height, loudness_lufs,
                                    true_peak_dbtp, gain_db)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           returning id, type as "kind: MediaType", file_hash, source_hash, duration_ms, width, height, poster_hash,
                     preview_hash, loudness_lufs, true_peak_dbtp, gain_db"#,
        Uuid::now_v7(),
        new.kind.as_str(),
        new.file_hash,
        new.source_hash,
        new.duration_ms,
        new.width,
        new.height,
        new.loudness.map(|loudness| loudness.lufs),
        new.loudness.map(|loudness| loudness.true_peak),
        new.loudness.map(|loudness| loudness.gain_db),
    )
    .fetch_one(conn)
    .await?;
    Ok(asset)
}

/// An asset that was made of the same uploaded bytes, for the same use: its rendition can be shared.
///
/// # Errors
/// The database refused.
pub async fn find_asset_of_source(
    conn: &mut PgConnection,
    source_hash: &str,
    kind: MediaType,
) -> Result<Option<Asset>, sqlx::Error> {
    sqlx::query_as!(
        Asset,
        r#"select id, type as "kind: MediaType", file_hash, source_hash, duration_ms, width, height, poster_hash,
                  preview_hash, loudness_lufs, true_peak_dbtp, gain_db
           from meme_assets where source_hash = $1 and type = $2
           order by created_at, id limit 1"#,
        source_hash,
        kind.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// An asset.
///
/// # Errors
/// The database refused.
pub async fn find_asset(conn: &mut PgConnection, id: Uuid) -> Result<Option<Asset>, sqlx::Error> {
    sqlx::query_as!(
        Asset,
        r#"select id, type as "kind: MediaType", file_hash, source_hash, duration_ms, width, height, poster_hash,
                  preview_hash, loudness_lufs, true_peak_dbtp, gain_db
           from meme_assets where id = $1"#,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Pictures of any asset that shows this file as this.
///
/// # Errors
/// The database refused.
pub async fn find_previews_of_file(
    conn: &mut PgConnection,
    file_hash: &str,
    kind: MediaType,
) -> Result<Option<Previews>, sqlx::Error> {
    sqlx::query_as!(
        Previews,
        "select poster_hash, preview_hash from meme_assets
         where file_hash = $1 and type = $2 and poster_hash is not null
         order by created_at, id limit 1",
        file_hash,
        kind.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// Gives the asset its pictures, whose references the caller has counted; not where it has some, or shows something else by
/// now: then they are not its own.
///
/// # Errors
/// The database refused.
pub async fn set_previews(conn: &mut PgConnection, asset: &Asset, previews: &Previews) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update meme_assets set poster_hash = $3, preview_hash = $4
         where id = $1 and file_hash = $2 and poster_hash is null and preview_hash is null",
        asset.id,
        asset.file_hash,
        previews.poster_hash,
        previews.preview_hash,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes an asset that nothing refers to, if its files are these still; whether they were. Its references to them are the
/// caller's to give back.
///
/// # Errors
/// The database refused, also where something refers to it.
pub async fn remove_asset(conn: &mut PgConnection, asset: &Asset) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "delete from meme_assets
         where id = $1 and file_hash = $2 and source_hash is not distinct from $3
           and poster_hash is not distinct from $4 and preview_hash is not distinct from $5",
        asset.id,
        asset.file_hash,
        asset.source_hash,
        asset.poster_hash,
        asset.preview_hash,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the house has taken the asset's file out of sight.
///
/// # Errors
/// The database refused.
pub async fn is_hidden(conn: &mut PgConnection, asset: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from meme_assets twin
                          where twin.file_hash = (select file_hash from meme_assets where id = $1)
                            and twin.hidden_at is not null) as "hidden!""#,
        asset,
    )
    .fetch_one(conn)
    .await
}

/// Takes an asset that nothing shows yet out of sight because of a block of all channels; it is back with the block's end, or
/// when the house shows it. A file that is shown elsewhere the house has not minded.
///
/// # Errors
/// The database refused.
pub async fn hide_new(conn: &mut PgConnection, asset: Uuid, block: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update meme_assets a set hidden_at = app_now(), hidden_by = $2
         where a.id = $1 and a.hidden_at is null
           and not exists (select from meme_assets twin
                           where twin.file_hash = a.file_hash and twin.id <> a.id and twin.hidden_at is null)",
        asset,
        block,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// From now on the asset shows the file `nothing`, if its files are these still; whether they were. Its references to them are
/// the caller's to give back.
///
/// # Errors
/// The database refused.
pub async fn empty_asset(conn: &mut PgConnection, asset: &Asset, nothing: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update meme_assets set file_hash = $6, source_hash = null, poster_hash = null, preview_hash = null
         where id = $1 and file_hash = $2 and source_hash is not distinct from $3
           and poster_hash is not distinct from $4 and preview_hash is not distinct from $5",
        asset.id,
        asset.file_hash,
        asset.source_hash,
        asset.poster_hash,
        asset.preview_hash,
        nothing,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
