//! The migrations are compiled into the binary: a new file must compile it anew. The commit names the build.

use std::{path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
    // A path that does not exist would count as changed for ever (a work tree, an unpacked archive).
    if Path::new("../../.git/logs/HEAD").exists() {
        println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    }
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok();
    let commit =
        commit.filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    println!("cargo::rustc-env=MEMALERTS_BUILD={}", commit.as_deref().map_or("unknown", str::trim));
}
