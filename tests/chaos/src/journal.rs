//! What clients know, in a file that the system cannot reach: synced to the disk before a request goes out, and after its
//! answer came. Whether something was lost is judged by this, not by our tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub(crate) enum Entry {
    Sent { key: Uuid, viewer: Uuid, meme: Uuid },
    Acked { key: Uuid, status: u16, body: String },
    Said { id: Uuid },
    Uploaded { id: Uuid },
}

/// What clients know of one key.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    /// Status and hash of the body of each answer that counts, in their order.
    pub(crate) answers: Vec<(u16, String)>,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    known: BTreeMap<Uuid, Known>,
    said: BTreeSet<Uuid>,
    uploaded: BTreeSet<Uuid>,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).context("open the journal")?;
        Ok(Self {
            inner: Arc::new(Mutex::new(Inner {
                file,
                known: BTreeMap::new(),
                said: BTreeSet::new(),
                uploaded: BTreeSet::new(),
            })),
        })
    }

    /// Before the request goes out.
    pub(crate) fn sent(&self, key: Uuid, viewer: Uuid, meme: Uuid) -> anyhow::Result<()> {
        self.write(&Entry::Sent { key, viewer, meme })
    }

    /// After an answer that counts: a grant or a refusal. `429` and `5xx` promise nothing.
    pub(crate) fn acked(&self, key: Uuid, status: u16, body: &[u8]) -> anyhow::Result<()> {
        self.write(&Entry::Acked { key, status, body: hex::encode(Sha256::digest(body)) })
    }

    /// The system has taken a message that it is to say.
    pub(crate) fn said(&self, id: Uuid) -> anyhow::Result<()> {
        self.write(&Entry::Said { id })
    }

    /// The system has taken a file that is to become a meme.
    pub(crate) fn uploaded(&self, id: Uuid) -> anyhow::Result<()> {
        self.write(&Entry::Uploaded { id })
    }

    /// All uploads that it has taken.
    pub(crate) fn uploads(&self) -> Vec<Uuid> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).uploaded.iter().copied().collect()
    }

    /// All messages that it has taken.
    pub(crate) fn messages(&self) -> Vec<Uuid> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).said.iter().copied().collect()
    }

    /// What is known of each key.
    pub(crate) fn known(&self) -> BTreeMap<Uuid, Known> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).known.clone()
    }

    fn write(&self, entry: &Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.write_all(&line)?;
        inner.file.sync_data()?;
        match entry {
            Entry::Sent { key, .. } => drop(inner.known.entry(*key).or_default()),
            Entry::Said { id } => {
                inner.said.insert(*id);
            }
            Entry::Uploaded { id } => {
                inner.uploaded.insert(*id);
            }
            Entry::Acked { key, status, body } => {
                inner.known.entry(*key).or_default().answers.push((*status, body.clone()));
            }
        }
        Ok(())
    }
}
