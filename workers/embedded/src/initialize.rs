//! A new cluster, made whole or not at all.

use std::{fs, io, path::Path};

use anyhow::{Context as _, bail};

use super::{Binaries, Layout, NAME, account::Account, launcher};

/// The major version that made the cluster; `None` when there is no cluster.
pub(super) fn version_of(pg: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(pg.join("PG_VERSION")) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read the version of the cluster in {}", pg.display())),
    }
}

/// Makes the cluster if there is none. It is built beside its place and moved there at the end, so that a kill in
/// between leaves no half cluster behind.
pub(super) fn ensure(layout: &Layout, binaries: &Binaries, account: &Account) -> anyhow::Result<()> {
    if version_of(&layout.pg)?.is_some() {
        return Ok(());
    }
    if fs::read_dir(&layout.pg).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty, yet not a PostgreSQL cluster: move it away", layout.pg.display());
    }
    let building = layout.data_dir.join("pg.new");
    drop(fs::remove_dir_all(&building));
    account.own(&building)?;
    let output = launcher::command(*account, &binaries.initdb(), false)
        .arg("--pgdata")
        .arg(&building)
        .args(["--username", NAME, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"])
        .current_dir(&building)
        .output()
        .context("run initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // An empty folder in its place is fine to move over.
    fs::rename(&building, &layout.pg).context("move the new cluster into place")
}
