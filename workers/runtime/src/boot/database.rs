//! Which database a process works on, and the pool of connections to it.

use std::{path::Path, str::FromStr as _, time::Duration};

use anyhow::Context as _;
use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    reach::{self, Patience},
    repo,
};
use crate::config::Config;

/// A connection that was used this short a time ago is not asked whether it still lives.
const PROVEN: Duration = Duration::from_secs(2);

/// A pool, and the private server behind it when this process runs one.
#[derive(Debug)]
pub struct Connected {
    pub pool: PgPool,
    pub embedded: Option<embedded::Embedded>,
}

/// Connects to `DATABASE_URL`, else to the private cluster of the data directory: `embed` starts it (only the role `all`
/// does that), otherwise another process must be running it.
///
/// # Errors
/// No server (after `patience`), or it refuses us; the text says where we looked and what happened there.
pub async fn connect(config: &Config, name: &str, embed: bool, patience: Patience) -> anyhow::Result<Connected> {
    let (options, embedded) = match &config.database.url {
        Some(url) => (
            PgConnectOptions::from_str(url.expose()).map_err(|_| {
                anyhow::anyhow!(
                    "DATABASE_URL is no address of PostgreSQL (postgres://user:password@host:port/database)"
                )
            })?,
            None,
        ),
        None if embed => {
            let server = start_embedded(config.database.data_dir.clone()).await?;
            let options = server.connect_options();
            ensure_database(&options).await?;
            (options, Some(server))
        }
        None => (embedded::attach(&config.database.data_dir)?, None),
    };
    let options = queue::planning(options.application_name(&format!("memalerts {name}")));
    reach::reach(&options, patience).await?;
    let pool = PgPoolOptions::new()
        .max_connections(config.database.pool_size)
        .acquire_timeout(Duration::from_secs(10))
        // A ping before each use is a round trip more for every request; one that has just been used is alive.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > PROVEN {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .context("connect to PostgreSQL")?;
    Ok(Connected { pool, embedded })
}

async fn start_embedded(data_dir: impl AsRef<Path> + Send + 'static) -> anyhow::Result<embedded::Embedded> {
    tokio::task::spawn_blocking(move || embedded::Embedded::start(data_dir.as_ref(), &embedded::Options::default()))
        .await
        .context("start the private PostgreSQL")?
}

/// The house's database within its own cluster.
async fn ensure_database(options: &PgConnectOptions) -> anyhow::Result<()> {
    let Some(name) = options.get_database() else { return Ok(()) };
    let admin = PgPoolOptions::new().max_connections(1).connect_with(options.clone().database("postgres")).await?;
    let created = repo::create_database(&admin, name).await.context("create the database");
    admin.close().await;
    created
}
