//! SQL of the audit of files: what the rows say, and what refers to them.

use sqlx::PgConnection;

/// A file by its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// SHA-256, lower-case hex.
    pub(super) hash: String,
    /// Bytes.
    pub(super) size: i64,
    /// How often the row says that it is needed.
    pub(super) counted: i32,
    /// How often something refers to it.
    pub(super) references: i32,
}

/// All of them, by their hashes in ascending order. To be asked in a transaction of its own: it is planned for reading
/// everything.
pub(super) async fn rows(conn: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query!(
        "select set_config('enable_seqscan', 'on', true) as seqscan, set_config('enable_hashjoin', 'on', true) as hashjoin,
                set_config('enable_mergejoin', 'on', true) as mergejoin"
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_as!(
        Row,
        r#"with needed as (
               select hash, count(*)::int as times from (
                   select file_hash as hash from meme_assets
                   union all select source_hash from meme_assets where source_hash is not null
                   union all select poster_hash from meme_assets where poster_hash is not null
                   union all select preview_hash from meme_assets where preview_hash is not null
                   union all select source_hash from meme_submissions
                             where upload_state in ('received', 'probing', 'transcoding') and source_size > 0
                   union all select file_hash from exports where file_hash is not null
                   -- What was rejected while it was worked on is given back by a job.
                   union all select payload ->> 'source' from jobs where kind = 'give-back-files') as reference
               where hash is not null
               group by hash)
           select f.hash, f.size, f.reference_count as counted, coalesce(n.times, 0) as "references!"
           from file_hashes f left join needed n on n.hash = f.hash
           order by f.hash"#
    )
    .fetch_all(conn)
    .await
}

/// The one of this file, as it is now.
pub(super) async fn row(conn: &mut PgConnection, hash: &str) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select f.hash, f.size, f.reference_count as counted,
                  ((select count(*) from meme_assets where file_hash = $1)
                   + (select count(*) from meme_assets where source_hash = $1)
                   + (select count(*) from meme_assets where poster_hash = $1)
                   + (select count(*) from meme_assets where preview_hash = $1)
                   + (select count(*) from meme_submissions
                      where source_hash = $1 and upload_state in ('received', 'probing', 'transcoding')
                        and source_size > 0)
                   + (select count(*) from exports where file_hash = $1)
                   + (select count(*) from jobs where kind = 'give-back-files' and payload ->> 'source' = $1))::int
                  as "references!"
           from file_hashes f where f.hash = $1"#,
        hash,
    )
    .fetch_optional(conn)
    .await
}

/// Writes down how often the file is needed. The caller holds its hash and has counted.
pub(super) async fn mend_count(conn: &mut PgConnection, row: &Row) -> Result<(), sqlx::Error> {
    sqlx::query!("update file_hashes set reference_count = $2 where hash = $1", row.hash, row.references)
        .execute(conn)
        .await?;
    Ok(())
}
