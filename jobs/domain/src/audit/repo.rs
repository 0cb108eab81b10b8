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
