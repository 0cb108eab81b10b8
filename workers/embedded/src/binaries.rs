//! Where `postgres` and `initdb` are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub dir: PathBuf,
    /// Major version, e.g. `17`.
    pub major: String,
}

#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    #[error(
        "no PostgreSQL programs (postgres, initdb) on the PATH or in /usr/lib/postgresql/*/bin: install them (Debian: `apt install \
         postgresql`; or `make run`, which offers to), or set DATABASE_URL to a server"
    )]
    None,
    #[error(
        "the data was made by PostgreSQL {made_by}, but only {found} is installed: install PostgreSQL {made_by}, or move the \
         data over (pg_dump with the old version, restore with the new one), or choose another MEMALERTS_DATA_DIR"
    )]
    OtherMajor { made_by: String, found: String },
}

impl Binaries {
    /// The installation that fits data of the given major version, or the newest one when there is no data yet.
    ///
    /// # Errors
    /// [`NotFound`], worded for people.
    pub fn find(made_by: Option<&str>) -> Result<Self, NotFound> {
        let found: Vec<Self> = candidates().into_iter().filter_map(|dir| Self::at(&dir)).collect();
        let Some(made_by) = made_by else {
            // The first on the PATH wins over the list of Debian, which is sorted newest first.
            return found.into_iter().next().ok_or(NotFound::None);
        };
        if found.is_empty() {
            return Err(NotFound::None);
        }
        let majors: Vec<&str> = found.iter().map(|binaries| binaries.major.as_str()).collect();
        let error = NotFound::OtherMajor { made_by: made_by.to_owned(), found: majors.join(", ") };
        found.into_iter().find(|binaries| binaries.major == made_by).ok_or(error)
    }

    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    #[must_use]
    pub fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    fn at(dir: &Path) -> Option<Self> {
        if !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let major = major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { dir: dir.to_owned(), major })
    }
}

/// The major version in e.g. `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`.
fn major(text: &str) -> Option<String> {
    let version = text.split(") ").nth(1)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    dirs.retain(|dir| dir.join("postgres").is_file());
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort_unstable_by(|a, b| b.cmp(a));
    dirs.extend(debian.into_iter().map(|(_, dir)| dir));
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_releases_and_betas() {
        assert_eq!(major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)").as_deref(), Some("15"));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n").as_deref(), Some("18"));
        assert_eq!(major("something else"), None);
    }
}
