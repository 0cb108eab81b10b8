//! Why a rotation does not go on.

use super::Holder;
use crate::access::KeyId;

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Another process may have it: one that was started with the new settings.
    #[error("the rotation is to key {wanted}, but this process seals under {present}")]
    OtherKey { wanted: String, present: KeyId },
    /// What they seal while it runs would be left behind, and those that were given the key that it goes to open nothing of
    /// it.
    #[error("{} live process(es) seal under another key than {wanted}", others.len())]
    OtherHolders { wanted: KeyId, others: Vec<Holder> },
    /// Somebody goes on sealing under another key.
    #[error("after {passes} passes {left} values are under another key: a process runs with the settings of before")]
    Restless { passes: u16, left: i64 },
    #[error("the next step: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
