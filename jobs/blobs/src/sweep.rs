//! What crashes left behind.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::{Hash, Object, local::Local};

/// Removes files in the making that nobody has written to for `age`.
pub(crate) fn staging(dir: &Path, age: Duration) -> io::Result<u64> {
    let mut removed = 0;
    for entry in read_dir(dir)? {
        let entry = entry?;
        if is_older(&entry, age)? {
            match fs::remove_file(entry.path()) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(removed)
}

/// Objects of one first byte. Files with other names are not ours and stay.
pub(crate) fn objects_of_shard(local: &Local, shard: u8) -> io::Result<Vec<Object>> {
    let mut objects = Vec::new();
    for dir in read_dir(&local.shard_dir(shard))? {
        for entry in read_dir(&dir?.path())? {
            let entry = entry?;
            let Some(hash) = entry.file_name().to_str().and_then(|name| name.parse::<Hash>().ok()) else { continue };
            match entry.metadata() {
                Ok(metadata) => {
                    objects.push(Object { hash, size: metadata.len(), age: passed_since(metadata.modified()?) });
                }
                // Gone by now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(objects)
}

/// The entries; none when there is no such directory.
fn read_dir(dir: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Box::new(std::iter::empty()))
        }
        Err(error) => Err(error),
    }
}

/// A file that is gone by now is not old.
fn is_older(entry: &fs::DirEntry, age: Duration) -> io::Result<bool> {
    let modified = match entry.metadata() {
        Ok(metadata) => metadata.modified()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(passed_since(modified) >= age)
}

/// A time in the future (a clock was set back, or is another machine's) is now.
pub(crate) fn passed_since(modified: SystemTime) -> Duration {
    SystemTime::now().duration_since(modified).unwrap_or_default()
}
