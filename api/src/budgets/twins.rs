//! Requests of the same person under the same key that arrive while the first one is being worked on.
//!
//! The first one uses the budget up; the twin waits for it here and is then a repeated request, not one too many. Of twins
//! at two processes, the one that finds no answer yet is told to come again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::desk::Account;

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
