//! What a process looks at before it serves.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{COLUMNS, Count, Stranger, repo};
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

/// Says that this process lives, which keys it has and the fingerprint of its secret
/// ([`Keys::fingerprint`](crate::access::Keys::fingerprint)), unless others live whose keys or secrets do not fit: those are
/// named then.
///
/// # Errors
/// The database refused.
pub async fn announce(
    tx: &mut Tx,
    id: Uuid,
    process: &str,
    vault: &Vault,
    secret: &str,
) -> Result<Vec<Stranger>, sqlx::Error> {
    repo::take_turn(&mut *tx).await?;
    let strangers = repo::strangers(&mut *tx, id, vault, secret).await?;
    if strangers.is_empty() {
        repo::announce(&mut *tx, id, process, vault, secret).await?;
    }
    Ok(strangers)
}
