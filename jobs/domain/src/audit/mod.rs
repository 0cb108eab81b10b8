//! The audit of all money: whether the ledger keeps its rules, and whether it tells the same story as the activations.
//!
//! Nobody waits for it and nothing is changed by it. It is run every night by the pool `dispatch`, by hand with
//! `memalerts audit`, and at the end of every story.

mod jobs;
mod model;
mod repo;

use queue::Database;

pub use jobs::AuditMoney;
pub use model::{Audit, Checked};

use crate::{activations, events, wallets};

/// Audits everything, as it was at one moment: what is posted meanwhile is for the next time.
///
/// # Errors
/// The database refused.
pub async fn money(db: &Database) -> Result<Audit, sqlx::Error> {
    let mut tx = events::snapshot(db).await?;
    repo::read_widely(&mut tx).await?;
    let checked = repo::count(&mut tx).await?;
    let mut breaches = wallets::audit(&mut tx).await?;
    breaches.extend(activations::audit(&mut tx).await?);
    tx.rollback().await?;
    Ok(Audit { checked, breaches })
}
