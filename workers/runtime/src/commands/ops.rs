//! What commands need that look at the work.

use queue::{Database, Wakes, admin::By};

use crate::{boot, config::Config};

/// The database alone: whoever looks at the work needs no files and changes no schema.
pub(super) async fn database(name: &str) -> anyhow::Result<Database> {
    let connected = boot::connect(&Config::from_env()?, name, false, boot::Patience::None).await?;
    let (wakes, _) = Wakes::new();
    Ok(Database::new(connected.pool, wakes))
}

/// Other processes look at once instead of at their next poll; then the connections are given back.
pub(super) async fn end(db: &Database) {
    if let Err(error) = queue::wake_everybody(db.pool()).await {
        tracing::debug!(%error, "the pools will see it at their next poll");
    }
    db.pool().close().await;
}

/// Who sits at the command line, for the audit log.
pub(super) fn by() -> By {
    let id = nix::unistd::getuid();
    let name = nix::unistd::User::from_uid(id).ok().flatten().map_or_else(|| id.to_string(), |user| user.name);
    By { actor: format!("os:{name}"), request: None }
}
