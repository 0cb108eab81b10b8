//! A copy of everything, from the wish to its end.

use std::time::Duration;

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Export, ExportPerson, ExportStatus, PrivacyError, repo};
use crate::media::{self, NewFile};

/// How long an archive waits for its person.
const KEPT: Duration = Duration::from_hours(7 * 24);
/// Between two exports of a person.
const PAUSE: Duration = Duration::from_hours(24);

/// Orders an export. One that is being made or waits for its person is that one.
///
/// # Errors
/// [`PrivacyError::TooOften`].
pub async fn request(tx: &mut Tx, user: Uuid) -> Result<Export, PrivacyError> {
    repo::lock_user(&mut *tx, user).await?;
    if let Some(last) = repo::last(&mut *tx, user, PAUSE).await? {
        return match last.status {
            ExportStatus::Pending | ExportStatus::Ready => Ok(last),
            ExportStatus::Downloaded => {
                // A second more, which the words leave out.
                let at = last.created_at + PAUSE + Duration::from_secs(1);
                let wait = Duration::try_from(at - repo::now(&mut *tx).await?).unwrap_or_default();
                Err(PrivacyError::TooOften { at, wait })
            }
            ExportStatus::Expired | ExportStatus::Failed => ordered(tx, user).await,
        };
    }
    ordered(tx, user).await
}

async fn ordered(tx: &mut Tx, user: Uuid) -> Result<Export, PrivacyError> {
    let export = repo::insert(&mut *tx, Uuid::now_v7(), user).await?;
    queue::enqueue(tx, &ExportPerson { export: export.id, user }).await?;
    Ok(export)
}

/// The archive is written. The caller holds its hash and has published it. False when nobody waits for it any more.
///
/// # Errors
/// The database refused.
pub async fn ready(conn: &mut PgConnection, export: Uuid, file: NewFile<'_>) -> Result<bool, PrivacyError> {
    if !repo::is_pending(&mut *conn, export).await? {
        return Ok(false);
    }
    media::add_reference(&mut *conn, file).await?;
    repo::set_ready(conn, export, file.hash, file.size, KEPT).await?;
    Ok(true)
}

/// Gives the person's archive out: its hash and its size. From the first time on it stays for an hour, for whoever's connection
/// broke.
///
/// # Errors
/// [`PrivacyError::NoExport`], [`PrivacyError::NotReady`].
pub async fn take(tx: &mut Tx, user: Uuid, export: Uuid) -> Result<(String, i64), PrivacyError> {
    let found = repo::lock(&mut *tx, user, export).await?.ok_or(PrivacyError::NoExport)?;
    match (found.status, found.file_hash, found.size) {
        (ExportStatus::Ready, Some(hash), Some(size)) => {
            repo::set_downloaded(&mut *tx, export).await?;
            Ok((hash, size))
        }
        (ExportStatus::Downloaded, Some(hash), Some(size)) => Ok((hash, size)),
        (status, ..) => Err(PrivacyError::NotReady(status)),
    }
}

/// Ends an export that [`super::forget_expired`] names; true when its archive was the last of its bytes. The caller holds
/// the hash.
///
/// # Errors
/// The database refused.
pub async fn expire(tx: &mut Tx, export: Uuid, hash: &str) -> Result<bool, PrivacyError> {
    // Two at once: the second one finds nothing to give back.
    if !repo::forget_file(&mut *tx, export, hash).await? {
        return Ok(false);
    }
    Ok(media::release(&mut *tx, hash).await?)
}
