//! SQL of the boot.

use sqlx::PgPool;

/// Writes the fact unless it is known, and answers with what is known.
pub(super) async fn pin(pool: &PgPool, key: &str, value: &str) -> Result<String, sqlx::Error> {
    sqlx::query!("insert into instance (key, value) values ($1, $2) on conflict (key) do nothing", key, value)
        .execute(pool)
        .await?;
    sqlx::query_scalar!("select value from instance where key = $1", key).fetch_one(pool).await
}

/// Creates the database unless it exists.
pub(super) async fn create_database(admin: &PgPool, name: &str) -> Result<(), sqlx::Error> {
    let exists =
        sqlx::query_scalar!(r#"select exists (select from pg_database where datname = $1) as "exists!""#, name)
            .fetch_one(admin)
            .await?;
    if !exists {
        // An identifier cannot be a parameter; the name is a constant of ours.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(r#"create database "{name}""#))).execute(admin).await?;
    }
    Ok(())
}
