//! Where ffmpeg and ffprobe are on this machine.

use std::{
    env,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::confine;

/// The program as a path that can be started: a name is looked for along our `PATH`, then in the system's usual folders
/// (the only ones that a confined program knows of). `None`: it is not there, or not executable.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "programs are found on the PATH")]
pub fn find_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return is_program(program).then(|| std::path::absolute(program).ok())?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(env::split_paths(confine::PATH))
        .map(|folder| folder.join(program))
        .find(|file| file.is_absolute() && is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_and_what_is_no_program_is_not() {
        assert!(find_program(Path::new("sh")).is_some_and(|sh| sh.is_absolute()));
        assert_eq!(find_program(Path::new("/bin/sh")), Some("/bin/sh".into()));
        assert_eq!(find_program(Path::new("no-such-program")), None);
        assert_eq!(find_program(Path::new("/etc/passwd")), None, "not executable");
        assert_eq!(find_program(Path::new("/etc")), None, "a folder");
    }
}
