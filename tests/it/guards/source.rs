//! The repository as text.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below `dir` with this extension, as path from the root and content.
pub(super) fn files(dir: &str, extension: &str) -> Vec<(String, String)> {
    let built =
        |path: &Path| path.components().any(|part| part.as_os_str() == "target" || part.as_os_str() == "node_modules");
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root().join(dir))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            path.extension().is_some_and(|found| found == extension) && !built(path.strip_prefix(root()).unwrap())
        })
        .collect();
    files.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The code of the product: no tests, and not the clock that tests move.
pub(super) fn product() -> Vec<(String, String)> {
    let code = ["api/src", "jobs", "workers"].iter().flat_map(|dir| files(dir, "rs"));
    code.filter(|(path, _)| !path.contains("/tests/") && !path.ends_with("/testing.rs")).collect()
}

/// Fails with all violations of one rule.
#[track_caller]
pub(super) fn none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}\n  {}", violations.join("\n  "));
}
