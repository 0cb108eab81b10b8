//! Content-addressed files: staged while they are hashed, published under their hash, read in ranges, swept when orphaned.
//! In a directory of this machine or in a bucket of S3.
//!
//! The README beside this crate tells the layout of both and what a crash leaves at each point.

mod bucket;
mod hash;
mod local;
mod open_error;
mod staging;
mod sweep;

use std::{path::Path, sync::Arc, time::Duration};

pub use bucket::Settings as BucketSettings;
pub use hash::{Hash, InvalidHash};
pub use open_error::OpenError;
pub use staging::{Scratch, StageError, Staged, Staging};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::either::Either;

use crate::{bucket::Bucket, local::Local};

/// Name of what says which database the store belongs to.
const MARKER: &str = ".memalerts-database";
/// Name of the folder of files in the making.
const STAGING: &str = "staging";

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
    /// A bucket, and a directory of this machine for files in the making.
    Bucket(Arc<Bucket>),
}

/// Published bytes, open for reading.
#[derive(Debug)]
pub struct Blob {
    source: Source,
    /// Bytes.
    pub size: u64,
}

#[derive(Debug)]
enum Source {
    File(tokio::fs::File),
    Object(Arc<Bucket>, bucket::Found),
}

/// Published bytes, as the store lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
    /// How long ago they were published last.
    pub age: Duration,
}

impl Blobs {
    /// Opens the directory (and makes it), which belongs to the database with this id from then on.
    ///
    /// # Errors
    /// [`OpenError::AnotherDatabase`] when it is marked as another's; otherwise the directory cannot be made or written.
    pub fn local(dir: &Path, database_id: &str) -> Result<Self, OpenError> {
        Ok(Self { store: Store::Local(Arc::new(Local::open(dir, database_id)?)) })
    }

    /// Makes ready to use a bucket; `dir` is where files are while they are made. Asks the bucket for nothing yet.
    ///
    /// # Errors
    /// The settings make no address, or the directory cannot be made.
    pub fn bucket(settings: &BucketSettings, dir: &Path) -> Result<Self, OpenError> {
        Ok(Self { store: Store::Bucket(Arc::new(Bucket::new(settings, dir)?)) })
    }

    /// Sees that the bucket can be used, and that it belongs to the database with this id, as it does from then on.
    ///
    /// # Errors
    /// It belongs to another one, it cannot be reached, or it does not let us read, write and delete.
    pub async fn claim(&self, database_id: &str) -> Result<(), OpenError> {
        match &self.store {
            Store::Local(_) => Ok(()),
            Store::Bucket(bucket) => bucket.claim(database_id).await,
        }
    }

    /// Begins a file of at most `limit` bytes.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn stage(&self, limit: u64) -> Result<Staging, StageError> {
        Ok(match &self.store {
            Store::Local(local) => Staging::create(local.staging_path(), limit).await?,
            Store::Bucket(bucket) => Staging::create_nameless(bucket.staging_path(), limit).await?,
        })
    }

    /// Makes an empty file without a name for another program to write.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn scratch(&self) -> std::io::Result<Scratch> {
        let path = match &self.store {
            Store::Local(local) => local.staging_path(),
            Store::Bucket(bucket) => bucket.staging_path(),
        };
        blocking(move || Scratch::create(&path)).await
    }

    /// Bytes that can still be written where files are made.
    ///
    /// # Errors
    /// The disk does not say.
    pub async fn room(&self) -> std::io::Result<u64> {
        let dir = match &self.store {
            Store::Local(local) => local.staging_dir(),
            Store::Bucket(bucket) => bucket.staging_dir().to_owned(),
        };
        blocking(move || {
            let disk = nix::sys::statvfs::statvfs(&dir)?;
            Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
        })
        .await
    }

    /// Sends the bytes to where they will be published, if that takes long: whoever holds a transaction while it publishes
    /// calls this before. A file that is sent and never published is an orphan like any other.
    ///
    /// # Errors
    /// The store refused, every time.
    pub async fn send(&self, staged: Staged) -> std::io::Result<Staged> {
        match &self.store {
            Store::Local(_) => Ok(staged),
            Store::Bucket(bucket) => bucket.send(staged).await,
        }
    }

    /// Gives the bytes their name. Idempotent: the same bytes twice are one file. When this returns, the file survives a
    /// power cut.
    ///
    /// # Errors
    /// The store refused; the staged bytes are gone then.
    pub async fn publish(&self, staged: Staged) -> std::io::Result<Hash> {
        match &self.store {
            Store::Local(local) => {
                let local = local.clone();
                blocking(move || local.publish(staged)).await
            }
            Store::Bucket(bucket) => bucket.publish(staged).await,
        }
    }

    /// Opens published bytes; none when there are none by this name.
    ///
    /// # Errors
    /// The store refused.
    pub async fn open(&self, hash: &Hash) -> std::io::Result<Option<Blob>> {
        if let Store::Bucket(bucket) = &self.store {
            let found = bucket.find(hash).await?;
            return Ok(found.map(|found| Blob { size: found.size, source: Source::Object(bucket.clone(), found) }));
        }
        let Some(file) = self.open_file(hash).await? else { return Ok(None) };
        let size = file.metadata()?.len();
        Ok(Some(Blob { source: Source::File(tokio::fs::File::from_std(file)), size }))
    }

    /// The same as a plain file of this machine, to hand to another program. From a bucket it is copied, and is what its
    /// name says.
    ///
    /// # Errors
    /// The store refused, or its bytes are not those of this name.
    pub async fn open_file(&self, hash: &Hash) -> std::io::Result<Option<std::fs::File>> {
        let local = match &self.store {
            Store::Local(local) => local,
            Store::Bucket(bucket) => return bucket.fetch(hash).await,
        };
        let path = local.object_path(hash);
        blocking(move || match std::fs::File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// An address at which anybody gets the bytes, as this type, for so long; none where the store has no addresses.
    ///
    /// # Errors
    /// It cannot be signed.
    pub async fn address(&self, hash: &Hash, mime_type: &str, life: Duration) -> std::io::Result<Option<String>> {
        match &self.store {
            Store::Local(_) => Ok(None),
            Store::Bucket(bucket) => bucket.address(hash, mime_type, life).await.map(Some),
        }
    }

    /// Removes published bytes. False: there were none.
    ///
    /// # Errors
    /// The store refused.
    pub async fn delete(&self, hash: &Hash) -> std::io::Result<bool> {
        let local = match &self.store {
            Store::Local(local) => local,
            Store::Bucket(bucket) => return bucket.delete(hash).await,
        };
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
        let dir = match &self.store {
            Store::Local(local) => local.staging_dir(),
            Store::Bucket(bucket) => bucket.staging_dir().to_owned(),
        };
        blocking(move || sweep::staging(&dir, age)).await
    }

    /// Objects whose hash begins with the byte `shard`; whoever wants all goes through all 256.
    ///
    /// # Errors
    /// The store refused.
    pub async fn objects(&self, shard: u8) -> std::io::Result<Vec<Object>> {
        match &self.store {
            Store::Local(local) => {
                let local = local.clone();
                blocking(move || sweep::objects_of_shard(&local, shard)).await
            }
            Store::Bucket(bucket) => bucket.objects(shard).await,
        }
    }

    /// Those of them that were published at least `age` ago. Whoever removes what nothing refers to looks at these only: the
    /// age leaves those alone whose row is about to be committed.
    ///
    /// # Errors
    /// The store refused.
    pub async fn old_objects(&self, shard: u8, age: Duration) -> std::io::Result<Vec<Hash>> {
        let objects = self.objects(shard).await?;
        Ok(objects.into_iter().filter(|object| object.age >= age).map(|object| object.hash).collect())
    }
}

impl Blob {
    /// Reads `length` bytes from `start`, which are there: `start + length` is at most the size. A reader that ends early has
    /// failed.
    ///
    /// # Errors
    /// The store refused.
    pub async fn into_range(self, start: u64, length: u64) -> std::io::Result<impl AsyncRead + Send + use<>> {
        match self.source {
            Source::File(mut file) => {
                file.seek(std::io::SeekFrom::Start(start)).await?;
                Ok(Either::Left(file.take(length)))
            }
            Source::Object(bucket, found) => Ok(Either::Right(bucket.read(&found, start, length).await?)),
        }
    }
}

/// Runs file work off the async threads. A panic inside is reported as an I/O error.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
