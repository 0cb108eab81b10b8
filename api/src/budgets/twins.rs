//! Requests of the same person under the same key that arrive while the first one is being worked on.
//!
//! The first one uses the budget up; the twin waits for it here and is then a repeated request, not one too many. Of twins at
//! two processes, the one that is refused looks again for a moment, in which the other one claims its key, and then waits for
//! whoever has claimed it ([`answered_elsewhere`]).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::requests;
use queue::Database;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::desk::Account;
use crate::problem::Problem;

/// Pauses between looks: a request claims its key as soon as it knows who asks for what, which takes milliseconds.
const LOOKS_MS: [u64; 4] = [50, 100, 200, 400];

/// Who asks, and the client's key.
type Name = (Account, String);
type Open = Mutex<HashMap<Name, watch::Receiver<()>>>;

/// The keyed requests that this process is working on.
#[derive(Debug, Default)]
pub(super) struct Twins(Arc<Open>);

/// The first of a name, as long as it is worked on.
#[derive(Debug)]
pub(super) struct First {
    open: Arc<Open>,
    name: Name,
    _ends: watch::Sender<()>,
}

impl Twins {
    /// The first of this name, or the way to wait for it.
    pub(super) fn enter(&self, account: Account, key: &str) -> Result<First, Wait> {
        let name = (account, key.to_owned());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = open.get(&name) {
            return Err(Wait(first.clone()));
        }
        let (ends, first) = watch::channel(());
        open.insert(name.clone(), first);
        Ok(First { open: self.0.clone(), name, _ends: ends })
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// The way to wait for the first one.
#[derive(Debug)]
pub(super) struct Wait(watch::Receiver<()>);

impl Wait {
    /// Until the first one has been answered or given up, no longer than `patience`.
    pub(super) async fn wait(mut self, patience: Duration) {
        // Nothing is ever sent: the end of the channel is the end of the first one. Who runs out of patience finds no
        // answer, and hears that.
        drop(timeout(patience, self.0.changed()).await);
    }
}

/// Whether another process answers the request of this name, or has answered it by now; comes with that answer.
///
/// # Errors
/// 409 when it takes longer than anybody waits; the database refused.
pub(super) async fn answered_elsewhere(
    db: &Database,
    person: Uuid,
    operation: &'static str,
    key: &str,
) -> Result<bool, Problem> {
    for pause in LOOKS_MS {
        sleep(Duration::from_millis(pause)).await;
        let mut conn = db.pool().acquire().await?;
        if requests::is_known(&mut conn, person, operation, key).await? {
            return Ok(true);
        }
    }
    let mut tx = db.begin().await?;
    let claimed = requests::is_claimed(&mut tx, person, operation, key).await?;
    tx.rollback().await?;
    Ok(claimed)
}
