//! What a process looks at before it serves.

use sqlx::PgConnection;

use super::{COLUMNS, Count, repo};
use crate::access::{KeyId, Vault};

/// Values that are under none of the vault's keys, nor under one of those that are lost and known to be. Nothing is counted
/// where there are none: then it takes a millisecond, however much is sealed.
///
/// # Errors
/// The database refused.
pub async fn closed(conn: &mut PgConnection, vault: &Vault, lost: &[KeyId]) -> Result<Vec<Count>, sqlx::Error> {
    let mut closed = Vec::new();
    for column in COLUMNS {
        for key in repo::keys_of(&mut *conn, column).await? {
            if !lost.contains(&key) && vault.key_ids().all(|known| known != key) {
                closed.push(Count { column, key, values: repo::count_under(&mut *conn, column, key).await? });
            }
        }
    }
    Ok(closed)
}
