//! What all roles of a process share.

use std::sync::Arc;

use blobs::Blobs;
use domain::{
    access::{Keys, Vault},
    credits::signature::InternalSecret,
};
use queue::{Database, Wakes};
use sqlx::PgPool;

use crate::{
    boot::{self, Files, Instance},
    config::{Config, Secrets},
    lifecycle::Lifecycle,
};

/// A process that has booted: migrated, identified, with its files open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Process {
    pub config: Config,
    pub lifecycle: Lifecycle,
    pub db: Database,
    pub instance: Instance,
    pub blobs: Blobs,
    /// Derived from the master secret.
    pub keys: Keys,
    /// Seals and opens what is secret in the database.
    pub vault: Arc<Vault>,
    announcement: boot::Announcement,
}

impl Process {
    /// Boots on the database behind `pool`.
    ///
    /// # Errors
    /// The schema, the environment or the keys do not fit, or the store belongs to another database.
    pub async fn boot(config: Config, files: Files, pool: PgPool, lifecycle: Lifecycle) -> anyhow::Result<Self> {
        boot::migrate(&pool).await?;
        let instance = Instance::settle(&pool, &config).await?;
        let blobs = boot::open_store(&config.uploads, &instance.database_id.to_string(), files).await?;
        let keys = Keys::derive(instance.keys.master.expose().as_bytes());
        let vault = Arc::new(vault_of(&config.secrets, &keys));
        boot::open_all(&pool, &vault, &config.secrets.lost_data_keys).await?;
        let (wakes, outward) = Wakes::new();
        let db = Database::new(pool, wakes);
        let announcement = boot::Announcement::begin(&db, vault.clone(), &keys, lifecycle.stopped.clone()).await?;
        tokio::spawn(queue::run_exchange(db.clone(), outward, lifecycle.stopped.clone()));
        Ok(Self { config, lifecycle, db, instance, blobs, keys, vault, announcement })
    }

    /// What proves calls between our own processes, in the form in which domain takes it.
    #[must_use]
    pub fn internal_secret(&self) -> InternalSecret {
        InternalSecret::new(self.instance.keys.internal.expose().as_bytes())
    }

    /// What Twitch signs its webhooks with: the setting's, or one that all processes derive.
    #[must_use]
    pub fn eventsub_secret(&self) -> String {
        match &self.config.chat.eventsub_secret {
            Some(secret) => secret.expose().to_owned(),
            None => hex::encode(self.keys.eventsub),
        }
    }

    /// The end, after all roles have ended: no task of ours uses the database any more.
    pub async fn end(&self) {
        self.lifecycle.stopped.cancel();
        self.announcement.end(self.db.pool()).await;
        self.db.pool().close().await;
    }
}

/// The vault of a process with these settings: with a key of its own, the vault still opens what was sealed under the
/// derived one: it was in use until the own one came.
pub(crate) fn vault_of(secrets: &Secrets, keys: &Keys) -> Vault {
    let old = secrets.old_data.as_ref().map(|key| *key.expose());
    match &secrets.data {
        Some(key) => Vault::new(key.expose(), &[old.unwrap_or(keys.data)]),
        None => Vault::new(&keys.data, old.as_slice()),
    }
}
