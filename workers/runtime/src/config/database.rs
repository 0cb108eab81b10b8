//! Which PostgreSQL, and where the files of this machine live.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use url::Url;

use super::{Reader, Secret};

#[derive(Debug, Clone)]
pub struct Database {
    /// `DATABASE_URL`: a PostgreSQL server to use, `postgres://user:password@host/database`. Unset: `memalerts all`
    /// runs a private one in the data directory, and the other roles attach to it.
    pub url: Option<Secret>,
    /// `DATABASE_POOL_SIZE`: most connections of one process. Default 16.
    pub pool_size: u32,
    /// `MEMALERTS_DATA_DIR`: the private PostgreSQL and the uploads of this machine. Default ./.data; for root
    /// /var/lib/memalerts/<hash of the working directory>, because PostgreSQL runs as another user who must get there.
    pub data_dir: PathBuf,
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let url = reader.secret("DATABASE_URL");
        if let Some(url) = &url
            && !(url.expose().starts_with("postgres://") || url.expose().starts_with("postgresql://"))
        {
            reader.complain("DATABASE_URL must begin with postgres:// (its value is not shown here)");
        }
        match &url {
            Some(url) => reader.show("DATABASE_URL", without_password(url)),
            None => reader.otherwise("DATABASE_URL", "the private PostgreSQL of the data directory"),
        }
        let pool_size = u32::try_from(reader.number("DATABASE_POOL_SIZE", 16, 2, 500)).unwrap_or(16);
        let data_dir = reader.text("MEMALERTS_DATA_DIR").map_or_else(default_data_dir, PathBuf::from);
        // Absolute: a child process, a log line and a socket path must mean the same place.
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        reader.show("MEMALERTS_DATA_DIR", data_dir.display());
        Self { url, pool_size, data_dir }
    }
}

/// For eyes. An address that we cannot take apart may have its password anywhere.
fn without_password(url: &Secret) -> String {
    let Ok(mut address) = Url::parse(url.expose()) else { return url.to_string() };
    // Parameters may hold a password, too.
    address.set_query(None);
    if address.password().is_some() && address.set_password(Some("***")).is_err() {
        return url.to_string();
    }
    address.to_string()
}

fn default_data_dir() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    if nix::unistd::geteuid().is_root() { root_data_dir(&here) } else { here.join(".data") }
}

fn root_data_dir(here: &Path) -> PathBuf {
    // Not a secret and not for ever: it only keeps two checkouts on one machine apart.
    let mut hasher = DefaultHasher::new();
    here.hash(&mut hasher);
    PathBuf::from("/var/lib/memalerts").join(format!("{:016x}", hasher.finish()))
}
