//! SQL of the audit; the rules' own queries stand with their nouns.

use sqlx::PgConnection;

use super::Checked;

/// How much there is to look at.
pub(super) async fn count(conn: &mut PgConnection) -> Result<Checked, sqlx::Error> {
    sqlx::query_as!(
        Checked,
        r#"select (select count(*) from ledger_operations) as "operations!", (select count(*) from ledger_entries) as "entries!",
                  (select count(*) from wallets) as "wallets!", (select count(*) from activations) as "activations!""#
    )
    .fetch_one(conn)
    .await
}

/// Lets this transaction plan for reading everything (see [`queue::planning`]).
pub(super) async fn read_widely(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select set_config('enable_seqscan', 'on', true) as seqscan, set_config('enable_hashjoin', 'on', true) as hashjoin,
                set_config('enable_mergejoin', 'on', true) as mergejoin"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}
