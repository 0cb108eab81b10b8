//! The files, wherever they are kept.

use anyhow::Context as _;
use blobs::Blobs;

use crate::config::Uploads;

/// Whether the process has to do with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    Used,
    /// A bucket is not asked for anything at the start.
    Unused,
}

/// Opens the store, which belongs to the database with this id.
///
/// # Errors
/// It belongs to another one, or it cannot be used.
pub(crate) async fn open_store(uploads: &Uploads, database_id: &str, files: Files) -> anyhow::Result<Blobs> {
    let Some(bucket) = &uploads.bucket else {
        return Blobs::local(&uploads.dir, database_id)
            .with_context(|| format!("open the upload directory {}", uploads.dir.display()));
    };
    let settings = bucket.settings();
    let blobs = Blobs::bucket(&settings, &uploads.dir)?;
    if files == Files::Used {
        blobs.claim(database_id).await.with_context(|| format!("open the {}", settings.place()))?;
    }
    Ok(blobs)
}
