//! As whom PostgreSQL runs, and that this user can reach its folders.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use nix::unistd::{Gid, Uid, User, geteuid};

/// The user of the server process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// We are an ordinary user: the server runs as we do.
    Ours,
    /// We are root: the server becomes this one.
    Other { uid: Uid, gid: Gid },
}

impl Account {
    /// # Errors
    /// We are root and there is neither a user `postgres` nor `nobody`.
    pub(super) fn choose() -> anyhow::Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Ours);
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name).with_context(|| format!("look up the user {name}"))? {
                return Ok(Self::Other { uid: user.uid, gid: user.gid });
            }
        }
        bail!(
            "PostgreSQL must not run as root, and there is neither a user postgres nor nobody: run as an ordinary user, or set DATABASE_URL"
        )
    }

    /// Makes the data directory if need be and checks that the server's user can get there.
    pub(super) fn prepare(self, data_dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(data_dir).with_context(|| format!("make the data directory {}", data_dir.display()))?;
        let Self::Other { uid, .. } = self else { return Ok(()) };
        for dir in data_dir.ancestors() {
            let meta = fs::metadata(dir).with_context(|| format!("look at {}", dir.display()))?;
            if meta.mode() & 0o001 == 0 && meta.uid() != uid.as_raw() {
                bail!(
                    "the data directory {} cannot be used by root: PostgreSQL runs as an unprivileged user, who may not enter {}; \
                     set MEMALERTS_DATA_DIR to a place that everyone can reach, e.g. /var/lib/memalerts",
                    data_dir.display(),
                    dir.display()
                );
            }
        }
        Ok(())
    }

    /// Makes `dir` if need be, gives it to the server's user and closes it for everyone else.
    pub(super) fn own(self, dir: &Path) -> anyhow::Result<()> {
        if !dir.is_dir() {
            DirBuilder::new().mode(0o700).create(dir).with_context(|| format!("make {}", dir.display()))?;
        }
        let owner = match self {
            Self::Ours => geteuid(),
            Self::Other { uid, gid } => {
                nix::unistd::chown(dir, Some(uid), Some(gid))
                    .with_context(|| format!("give {} to PostgreSQL", dir.display()))?;
                uid
            }
        };
        // A folder in /tmp with our name may be someone else's trap.
        if fs::metadata(dir)?.uid() != owner.as_raw() {
            bail!("{} belongs to another user", dir.display());
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).with_context(|| format!("close {}", dir.display()))
    }
}
