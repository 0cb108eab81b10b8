//! The schema: brought to the version that this binary knows, by whoever starts first.

use anyhow::Context as _;
use sqlx::PgPool;

/// Applies the migrations that are missing, under a lock of the database: processes that start together do it once.
///
/// A database that is newer than this binary is accepted: migrations only add what the running release does not read
/// (expand, later contract), so the previous release works on it.
///
/// # Errors
/// The server refused, or an applied migration differs from ours.
pub async fn migrate(pool: &PgPool) -> anyhow::Result<()> {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.set_ignore_missing(true);
    migrator.run(pool).await.context("migrate the database")
}
