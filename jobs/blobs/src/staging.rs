//! Files in the making.

use std::{
    fs::Permissions,
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufWriter},
};

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
    path: TemporaryPath,
    file: BufWriter<File>,
    hasher: Sha256,
    size: u64,
    limit: u64,
}

/// A whole file, safe on disk, that has no public name yet. Dropped unpublished, it is removed.
#[derive(Debug)]
pub struct Staged {
    pub(crate) path: TemporaryPath,
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
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
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Self { path: TemporaryPath::new(path), file, hasher: Sha256::new(), size: 0, limit })
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
        let file = self.file.get_ref();
        file.set_permissions(Permissions::from_mode(mode)).await?;
        file.sync_all().await?;
        let digest: [u8; 32] = self.hasher.finalize().into();
        Ok(Staged { path: self.path, hash: Hash::from(digest), size: self.size })
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
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
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
