//! Content-addressed files: staged while they are hashed, published by a rename, read in ranges, swept when orphaned.
//!
//! The README beside this crate tells the layout of the directory and what a crash leaves at each point.

mod hash;
mod local;
mod staging;
mod sweep;

use std::{path::Path, sync::Arc, time::Duration};

pub use hash::{Hash, InvalidHash};
pub use local::OpenError;
pub use staging::{Scratch, StageError, Staged, Staging};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _};

use crate::local::Local;

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Store,
}

/// Where the files are.
#[derive(Debug, Clone)]
enum Store {
    /// A directory of this machine.
    Local(Arc<Local>),
}

/// Published bytes, open for reading.
#[derive(Debug)]
pub struct Blob {
    file: tokio::fs::File,
    /// Bytes.
    pub size: u64,
}

impl Blobs {
    /// Opens the directory (and makes it), which belongs to the database with this id from then on.
    ///
    /// # Errors
    /// [`OpenError::AnotherDatabase`] when it is marked as another's; otherwise the directory cannot be made or written.
    pub fn local(dir: &Path, database_id: &str) -> Result<Self, OpenError> {
        Ok(Self { store: Store::Local(Arc::new(Local::open(dir, database_id)?)) })
    }

    /// Begins a file of at most `limit` bytes.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn stage(&self, limit: u64) -> Result<Staging, StageError> {
        let Store::Local(local) = &self.store;
        Ok(Staging::create(local.staging_path(), limit).await?)
    }

    /// Makes an empty file without a name for another program to write.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn scratch(&self) -> std::io::Result<Scratch> {
        let Store::Local(local) = &self.store;
        let path = local.staging_path();
        blocking(move || Scratch::create(&path)).await
    }

    /// Gives the bytes their name. Idempotent: the same bytes twice are one file. When this returns, the file survives a
    /// power cut.
    ///
    /// # Errors
    /// The disk refused; the staged bytes are gone then.
    pub async fn publish(&self, staged: Staged) -> std::io::Result<Hash> {
        let Store::Local(local) = &self.store;
        let local = local.clone();
        blocking(move || local.publish(staged)).await
    }

    /// Opens published bytes; none when there are none by this name.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn open(&self, hash: &Hash) -> std::io::Result<Option<Blob>> {
        let Some(file) = self.open_file(hash).await? else { return Ok(None) };
        let size = file.metadata()?.len();
        Ok(Some(Blob { file: tokio::fs::File::from_std(file), size }))
    }

    /// The same as a plain file, to hand to another program.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn open_file(&self, hash: &Hash) -> std::io::Result<Option<std::fs::File>> {
        let Store::Local(local) = &self.store;
        let path = local.object_path(hash);
        blocking(move || match std::fs::File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Removes published bytes. False: there were none.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn delete(&self, hash: &Hash) -> std::io::Result<bool> {
        let Store::Local(local) = &self.store;
        let path = local.object_path(hash);
        blocking(move || match std::fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    /// Removes staging files that nobody has written to for `age`. Returns how many.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn sweep_staging(&self, age: Duration) -> std::io::Result<u64> {
        let Store::Local(local) = &self.store;
        let local = local.clone();
        blocking(move || sweep::staging(&local, age)).await
    }

    /// Objects whose hash begins with the byte `shard` and that were published at least `age` ago. Whoever removes those
    /// that nothing refers to goes through all 256; the age leaves those alone whose row is about to be committed.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn old_objects(&self, shard: u8, age: Duration) -> std::io::Result<Vec<Hash>> {
        let Store::Local(local) = &self.store;
        let local = local.clone();
        blocking(move || sweep::objects_of_shard(&local, shard, age)).await
    }
}

impl Blob {
    /// Reads `length` bytes from `start`.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn into_range(mut self, start: u64, length: u64) -> std::io::Result<impl AsyncRead + Send + use<>> {
        self.file.seek(std::io::SeekFrom::Start(start)).await?;
        Ok(self.file.take(length))
    }
}

/// Runs file work off the async threads. A panic inside is reported as an I/O error.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
