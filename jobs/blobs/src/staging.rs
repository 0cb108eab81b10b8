//! Files in the making.

use std::{
    fs::Permissions,
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufWriter},
};
use uuid::Uuid;

use crate::Hash;

/// Bytes per write to the disk.
const BUFFER: usize = 256 * 1024;

/// Why bytes were not taken.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// There was at least one byte more than allowed.
    #[error("more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("storage: {0}")]
    Io(#[from] io::Error),
}

/// A file being written: hashed and counted on the way. Dropped unsealed, it is removed.
#[derive(Debug)]
pub struct Staging {
    /// None: it has no name.
    path: Option<TemporaryPath>,
    file: BufWriter<File>,
    hasher: Sha256,
    size: u64,
    limit: u64,
}

/// A whole file, safe on disk, that has no public name yet. Dropped unpublished, it is removed.
#[derive(Debug)]
pub struct Staged {
    pub(crate) place: Place,
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
}

/// Where a whole file is.
#[derive(Debug)]
pub(crate) enum Place {
    /// On the disk that it will be published on.
    Named(TemporaryPath),
    /// On this machine's disk, without a name, until it is sent to the bucket.
    Nameless(std::fs::File),
    /// Still there, and in the bucket, too.
    Sent(std::fs::File),
}

/// An empty file that another program will write. It has no name: it is gone with the last process that has it open,
/// also when that is killed.
#[derive(Debug)]
pub struct Scratch {
    file: std::fs::File,
}

impl Staging {
    pub(crate) async fn create(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await?;
        Ok(Self::of(Some(TemporaryPath::new(path)), file, limit))
    }

    /// One that will be copied elsewhere: whoever is killed leaves nothing.
    pub(crate) async fn create_nameless(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).await?;
        drop(TemporaryPath::new(path));
        Ok(Self::of(None, file, limit))
    }

    fn of(path: Option<TemporaryPath>, file: File, limit: u64) -> Self {
        Self { path, file: BufWriter::with_capacity(BUFFER, file), hasher: Sha256::new(), size: 0, limit }
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`StageError::TooLarge`] at the first byte over the limit, before anything of this chunk is written.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), StageError> {
        let size = self.size.saturating_add(chunk.len() as u64);
        if size > self.limit {
            return Err(StageError::TooLarge { limit: self.limit });
        }
        self.hasher.update(chunk);
        self.file.write_all(chunk).await?;
        self.size = size;
        Ok(())
    }

    /// Takes all that the reader has.
    ///
    /// # Errors
    /// As [`Staging::write`]; also when the reader fails.
    pub async fn copy(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<(), StageError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = reader.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            self.write(&buffer[..read]).await?;
        }
    }

    /// Ends the file and waits until it is safe on disk. Published bytes never change; other accounts may be handed them to
    /// read, as the programs that look at uploads are.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn seal(self) -> Result<Staged, StageError> {
        self.end(0o444).await
    }

    /// The same of what is one person's: no other account reads it.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn seal_private(self) -> Result<Staged, StageError> {
        self.end(0o400).await
    }

    async fn end(mut self, mode: u32) -> Result<Staged, StageError> {
        self.file.flush().await?;
        let file = self.file.into_inner();
        file.set_permissions(Permissions::from_mode(mode)).await?;
        let place = match self.path {
            Some(path) => {
                file.sync_all().await?;
                Place::Named(path)
            }
            // Not before the bucket has it is it safe; until then a power cut may take it.
            None => Place::Nameless(file.into_std().await),
        };
        let digest: [u8; 32] = self.hasher.finalize().into();
        Ok(Staged { place, hash: Hash::from(digest), size: self.size })
    }
}

impl Staged {
    /// The bytes, for whoever only reads; opened by way of our own handle, at a position of its own.
    pub(crate) fn reopen(&self) -> io::Result<std::fs::File> {
        match &self.place {
            Place::Named(path) => std::fs::File::open(path.get()),
            Place::Nameless(file) | Place::Sent(file) => std::fs::File::open(behind(file)),
        }
    }
}

impl Scratch {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        std::fs::remove_file(path)?;
        Ok(Self { file })
    }

    /// Opens the file, to be given to the program that writes it.
    ///
    /// # Errors
    /// The disk refused.
    pub fn open_for_writing(&self) -> io::Result<std::fs::File> {
        std::fs::OpenOptions::new().read(true).write(true).open(self.path())
    }

    /// Opens what was written.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn open_for_reading(&self) -> io::Result<File> {
        File::open(self.path()).await
    }

    /// Opened by way of our own handle, each with a position of its own.
    fn path(&self) -> PathBuf {
        behind(&self.file)
    }
}

/// A name for a file that has none.
fn behind(file: &std::fs::File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// A new name for a file in the making.
pub(crate) fn fresh_path(dir: &Path) -> PathBuf {
    dir.join(Uuid::new_v4().simple().to_string())
}

/// Nobody else's: exports of all that is known of a person lie there, too.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// A name that goes away with its owner unless it is kept. A crash leaves it to the sweep.
#[derive(Debug)]
pub(crate) struct TemporaryPath(Option<PathBuf>);

impl TemporaryPath {
    fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    pub(crate) fn get(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// The name now belongs to somebody else.
    pub(crate) fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for TemporaryPath {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a staging file stays until the sweep");
        }
    }
}
