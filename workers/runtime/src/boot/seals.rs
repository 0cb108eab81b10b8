//! The keys that seal secrets at rest: whether a process has those that it needs, and which one it seals under.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use domain::{
    access::{KeyId, Keys, Vault},
    keys::{self, Strangeness, Stranger},
};
use queue::Database;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How soon the end of a process with other keys is noticed.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// A process's word, renewed until it is stopped, that it lives, under which key it seals, and which secret it has.
#[derive(Debug, Clone, Copy)]
pub struct Announcement {
    id: Uuid,
}

/// What processes beside each other must have in common.
#[derive(Debug)]
struct Own {
    process: String,
    vault: Arc<Vault>,
    /// The fingerprint of `MEMALERTS_SECRET`.
    secret: String,
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
    /// Says it, and goes on saying it. A process with other keys or another secret that died without a word is waited for.
    ///
    /// # Errors
    /// A process with other keys or another secret lives; the database refused.
    pub async fn begin(
        db: &Database,
        vault: Arc<Vault>,
        keys: &Keys,
        stopped: CancellationToken,
    ) -> anyhow::Result<Self> {
        let announcement = Self { id: Uuid::now_v7() };
        let own = Own { process: process(db.pool()), vault, secret: keys.fingerprint() };
        announcement.settle_in(db, &own).await?;
        let db = db.clone();
        tokio::spawn(async move {
            while stopped.run_until_cancelled(tokio::time::sleep(keys::ANNOUNCED_EVERY)).await.is_some() {
                match announcement.announce(&db, &own).await {
                    Ok(strangers) if strangers.is_empty() => {}
                    // Nothing was heard of us for so long that somebody else began.
                    Ok(strangers) => tracing::error!("{}", no_room(&strangers)),
                    Err(error) => tracing::warn!(%error, "could not tell which key seals; trying again"),
                }
            }
        });
        Ok(announcement)
    }

    /// Until those that do not fit are gone, or one of them says that it lives.
    async fn settle_in(self, db: &Database, own: &Own) -> anyhow::Result<()> {
        let mut met: Option<Vec<Stranger>> = None;
        loop {
            let strangers = self.announce(db, own).await.context("tell which key seals")?;
            if strangers.is_empty() {
                return Ok(());
            }
            let met = met.get_or_insert_with(|| {
                tracing::info!("waiting for a word of processes with other keys, or for their end");
                strangers.clone()
            });
            let seen = |now: &Stranger| met.iter().find(|then| then.id == now.id).map(|then| then.seen_at);
            let alive: Vec<_> = strangers.iter().filter(|now| seen(now) != Some(now.seen_at)).cloned().collect();
            anyhow::ensure!(alive.is_empty(), no_room(&alive));
            tokio::time::sleep(LOOKED_EVERY).await;
        }
    }

    async fn announce(self, db: &Database, own: &Own) -> Result<Vec<Stranger>, sqlx::Error> {
        let Own { process, vault, secret } = own;
        let mut tx = db.begin().await?;
        let strangers = keys::announce(&mut tx, self.id, process, vault, secret).await?;
        tx.commit().await?;
        Ok(strangers)
    }

    /// The process seals nothing any more. Without this its word is good for some seconds, and a rotation waits for no more.
    pub async fn end(self, pool: &PgPool) {
        let withdrawn = async { keys::withdraw(&mut *pool.acquire().await?, self.id).await };
        if let Err(error) = withdrawn.await {
            tracing::debug!(%error, "could not tell that this process seals nothing any more");
        }
    }
}

/// Why a process cannot be beside those, and how it could.
fn no_room(strangers: &[Stranger]) -> String {
    const OF_KEYS: &str = "a key is changed in two steps: first every process gets the new one as MEMALERTS_DATA_KEY_OLD, then every \
                           process gets it as MEMALERTS_DATA_KEY, and the former one as MEMALERTS_DATA_KEY_OLD";
    const OF_SECRETS: &str = "MEMALERTS_SECRET is changed at once: stop every process, then start them with the new one; everybody logs \
                              in again, and addresses of overlays are others";
    let lines: String = strangers.iter().map(|stranger| format!("\n  - {stranger}")).collect();
    let has = |secret: bool| strangers.iter().any(|it| (it.why == Strangeness::OtherSecret) == secret);
    let of_keys = if has(false) { format!("\n{OF_KEYS}") } else { String::new() };
    let of_secrets = if has(true) { format!("\n{OF_SECRETS}") } else { String::new() };
    format!(
        "the processes of an instance open what each other seals, and have one secret, but:{lines}{of_keys}{of_secrets}"
    )
}

/// Where to look for this process.
fn process(pool: &PgPool) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let options = pool.connect_options();
    let role = options.get_application_name().unwrap_or("memalerts");
    format!("{role} on {}, process {}", host.trim(), std::process::id())
}
