//! Whether the folders that the settings name can be used on this machine.

use std::{fs, io, path::Path, process};

use super::Config;

/// One line each for those where nothing could be written now.
pub(super) fn unusable(config: &Config) -> Vec<String> {
    let data = config.database.url.is_none().then_some(("MEMALERTS_DATA_DIR", &config.database.data_dir));
    let folders = data.into_iter().chain([("UPLOAD_DIR", &config.uploads.dir)]);
    folders.filter_map(|(name, folder)| try_out(folder).err().map(|error| complaint(name, folder, &error))).collect()
}

fn complaint(name: &str, folder: &Path, error: &io::Error) -> String {
    format!("{name}: nothing can be written to {} as this user: {error}", folder.display())
}

/// Makes something in the folder, or in the nearest one above it that there is, and takes it away again: permissions alone do
/// not tell (of file systems that are read-only, or none to write to).
fn try_out(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(folder);
    let trial = there.join(format!(".memalerts-check-{}", process::id()));
    fs::create_dir(&trial)?;
    fs::remove_dir(&trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_tried_out_where_it_would_be_made_and_nothing_is_left_there() {
        let folder = std::env::temp_dir().join(format!("memalerts-places-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        try_out(&folder.join("a/b")).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::write(folder.join("file"), "").unwrap();
        try_out(&folder.join("file/a")).unwrap_err();
        try_out(Path::new("/proc/memalerts/a")).unwrap_err();
        fs::remove_dir_all(folder).unwrap();
    }
}
