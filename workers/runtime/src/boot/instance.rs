//! What a database knows about itself: who it is, which environment it belongs to, and secrets that dev made.

use anyhow::{Context as _, bail};
use sqlx::PgPool;
use uuid::Uuid;

use super::repo;
use crate::config::{Config, Environment, Secret};

/// The identity of the database.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Marks the upload directory, so that two databases never share one.
    pub database_id: Uuid,
    pub keys: Keys,
}

/// The secrets of the process, whether given or made.
#[derive(Debug, Clone)]
pub struct Keys {
    pub master: Secret,
    pub internal: Secret,
}

impl Instance {
    /// Reads the identity; the first process that ever boots on the database writes it.
    ///
    /// # Errors
    /// The database belongs to another environment, or refused.
    pub async fn settle(pool: &PgPool, config: &Config) -> anyhow::Result<Self> {
        let pinned =
            repo::pin(pool, "environment", config.environment.as_str()).await.context("pin the environment")?;
        if pinned != config.environment.as_str() {
            bail!(
                "this database belongs to the environment {pinned}, but MEMALERTS_ENV is {}: start with MEMALERTS_ENV={pinned}, or \
                 use another database (DATABASE_URL or MEMALERTS_DATA_DIR)",
                config.environment
            );
        }
        let id = repo::pin(pool, "database_id", &Uuid::new_v4().to_string()).await.context("read the database's id")?;
        Ok(Self {
            database_id: id.parse().context("the database's id is not a UUID")?,
            keys: Keys {
                master: key(pool, config.environment, config.secrets.master.as_ref(), "dev_secret").await?,
                internal: key(pool, config.environment, config.secrets.internal.as_ref(), "dev_internal_secret")
                    .await?,
            },
        })
    }
}

/// The secret that was given, else (in dev only) one that is made once and kept in the database.
async fn key(pool: &PgPool, environment: Environment, given: Option<&Secret>, name: &str) -> anyhow::Result<Secret> {
    match given {
        Some(secret) => Ok(secret.clone()),
        None if environment.is_dev() => {
            let made = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            Ok(Secret::new(repo::pin(pool, name, &made).await.with_context(|| format!("keep the {name}"))?))
        }
        // The configuration refuses to load without it.
        None => bail!("a secret is missing"),
    }
}
