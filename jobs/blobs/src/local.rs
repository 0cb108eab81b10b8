//! The store on local disk: its layout, its marker, and the rename that publishes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Hash, MARKER, OpenError, STAGING, Staged,
    staging::{Place, fresh_path, make_dir},
};

/// An opened directory.
#[derive(Debug)]
pub(crate) struct Local {
    root: PathBuf,
}

impl Local {
    pub(crate) fn open(dir: &Path, database_id: &str) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Io { dir: dir.to_owned(), error };
        make_dir(&dir.join(STAGING)).map_err(unusable)?;
        // Absolute, so that a later change of the working directory moves nothing.
        let local = Self { root: fs::canonicalize(dir).map_err(unusable)? };
        let found = local.mark(database_id).map_err(unusable)?;
        if found != database_id {
            return Err(OpenError::AnotherDatabase { dir: local.root, found, expected: database_id.to_owned() });
        }
        Ok(local)
    }

    /// Writes the marker unless there is one; returns what it says. The marker appears whole or not at all, also when two
    /// processes start at once: a hard link refuses to replace.
    fn mark(&self, database_id: &str) -> io::Result<String> {
        let marker = self.root.join(MARKER);
        if !marker.exists() {
            let draft = self.staging_path();
            fs::write(&draft, database_id)?;
            fs::File::open(&draft)?.sync_all()?;
            let linked = fs::hard_link(&draft, &marker);
            fs::remove_file(&draft)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => sync_dir(&self.root)?,
            }
        }
        Ok(fs::read_to_string(marker)?.trim().to_owned())
    }

    /// A new name for a file in the making.
    pub(crate) fn staging_path(&self) -> PathBuf {
        fresh_path(&self.staging_dir())
    }

    pub(crate) fn staging_dir(&self) -> PathBuf {
        self.root.join(STAGING)
    }

    pub(crate) fn object_path(&self, hash: &Hash) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(&name[2..4]).join(&name)
    }

    /// The directory of all objects whose hash begins with this byte.
    pub(crate) fn shard_dir(&self, first: u8) -> PathBuf {
        self.root.join(format!("{first:02x}"))
    }

    /// Renames over an object that is there already: its age starts anew, so that a sweep which is just looking at it
    /// leaves it alone.
    pub(crate) fn publish(&self, staged: Staged) -> io::Result<Hash> {
        let Place::Named(mut path) = staged.place else {
            return Err(io::Error::other("staged for another store"));
        };
        let hash = staged.hash;
        let target = self.object_path(&hash);
        fail::fail_point!("blobs::rename::before");
        if let Some(dir) = target.parent() {
            make_dir(dir)?;
        }
        fs::rename(path.get(), &target)?;
        path.keep();
        fail::fail_point!("blobs::rename::after");
        // The name must survive a power cut before a row refers to it, and so must directories that are new.
        let dirs = target.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.root));
        for dir in dirs {
            sync_dir(dir)?;
        }
        Ok(hash)
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
