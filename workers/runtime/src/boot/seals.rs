//! The keys that seal secrets at rest: whether a process has those that it needs, and which one it seals under.

use anyhow::{Context as _, bail};
use domain::{
    access::{KeyId, Vault},
    keys,
};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A process's word, renewed until it is stopped, that it lives and under which key it seals.
#[derive(Debug, Clone, Copy)]
pub struct Announcement {
    id: Uuid,
}

/// Makes sure that whatever is sealed can be opened; nobody would notice before a person's token is needed.
///
/// # Errors
/// What cannot, by table and key.
pub(crate) async fn open_all(pool: &PgPool, vault: &Vault, lost: &[KeyId]) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let closed = keys::closed(&mut conn, vault, lost).await.context("look under which keys values are sealed")?;
    if closed.is_empty() {
        return Ok(());
    }
    let lines = closed.iter().map(|keys::Count { column, key, values }| {
        format!("\n  - {}.{}: {values} under key {key}", column.table, column.name)
    });
    bail!(
        "this database has sealed values that no key of this process opens:{}\ngive the key back as MEMALERTS_DATA_KEY_OLD (one that was \
         derived: with the MEMALERTS_SECRET of that time, and MEMALERTS_DATA_KEY_OLD not set); if it is lost for good, name it in \
         MEMALERTS_LOST_DATA_KEYS",
        lines.collect::<String>()
    )
}

impl Announcement {
    /// Says it, and goes on saying it.
    ///
    /// # Errors
    /// The database refused.
    pub async fn begin(pool: &PgPool, vault: &Vault, stopped: CancellationToken) -> anyhow::Result<Self> {
        let announcement = Self { id: Uuid::now_v7() };
        let (process, key) = (process(pool), vault.present());
        keys::announce(&mut *pool.acquire().await?, announcement.id, &process, key)
            .await
            .context("tell which key seals")?;
        let pool = pool.clone();
        tokio::spawn(async move {
            let again = async || keys::announce(&mut *pool.acquire().await?, announcement.id, &process, key).await;
            while stopped.run_until_cancelled(tokio::time::sleep(keys::ANNOUNCED_EVERY)).await.is_some() {
                if let Err(error) = again().await {
                    tracing::warn!(%error, "could not tell which key seals; trying again");
                }
            }
        });
        Ok(announcement)
    }

    /// The process seals nothing any more. Without this its word is good for some seconds, and a rotation waits for no more.
    pub async fn end(self, pool: &PgPool) {
        let withdrawn = async { keys::withdraw(&mut *pool.acquire().await?, self.id).await };
        if let Err(error) = withdrawn.await {
            tracing::debug!(%error, "could not tell that this process seals nothing any more");
        }
    }
}

/// Where to look for this process.
fn process(pool: &PgPool) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let options = pool.connect_options();
    let role = options.get_application_name().unwrap_or("memalerts");
    format!("{role} on {}, process {}", host.trim(), std::process::id())
}
