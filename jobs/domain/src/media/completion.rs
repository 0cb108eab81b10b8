//! Older assets get what is found out about newer ones when they are made: loudness, pictures, looks.

use queue::Tx;
use sqlx::PgConnection;

use super::{Asset, CompleteAsset, Look, Loudness, MediaError, repo};

pub use super::repo::completion::{incomplete, order_again};

/// Assets of one step: a machine that is small has worked them off before the next.
pub const AT_ONCE: i64 = 20;

/// Orders the completion of the newest assets that nobody has looked at since all of it is found out; how many.
///
/// # Errors
/// The database refused.
pub async fn order_some(tx: &mut Tx) -> Result<usize, MediaError> {
    let assets = repo::completion::take(&mut *tx, AT_ONCE).await?;
    for asset in &assets {
        queue::enqueue(&mut *tx, &CompleteAsset { asset: *asset }).await?;
    }
    Ok(assets.len())
}

/// Whether anything about the asset is still to be found out; a look counts only for what can be seen.
///
/// # Errors
/// The database refused.
pub async fn lacks(conn: &mut PgConnection, asset: &Asset) -> Result<Lacks, sqlx::Error> {
    use super::MediaType::{Audio, Video};
    Ok(Lacks {
        loudness: matches!(asset.kind, Video | Audio) && asset.loudness().is_none(),
        look: asset.kind != Audio && repo::looks::find_look(conn, &asset.file_hash).await?.is_none(),
        previews: asset.previews().is_empty(),
    })
}

/// What nobody has found out about an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacks {
    pub loudness: bool,
    pub look: bool,
    pub previews: bool,
}

/// Keeps what was found out; of a file that is gone by now, nothing. The caller holds the file's hash.
///
/// # Errors
/// The database refused.
pub async fn complete(
    tx: &mut Tx,
    asset: &Asset,
    loudness: Option<Loudness>,
    look: Option<&Look>,
) -> Result<(), MediaError> {
    if let Some(loudness) = loudness {
        repo::completion::keep_loudness(&mut *tx, asset, loudness).await?;
    }
    if let Some(look) = look
        && repo::is_referenced(&mut *tx, &asset.file_hash).await?
    {
        repo::looks::keep_look(&mut *tx, &asset.file_hash, look).await?;
    }
    Ok(())
}
