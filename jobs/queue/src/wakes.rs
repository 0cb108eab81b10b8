//! Wake-ups: told in-process at once and to other processes by one coalesced NOTIFY. A hint only; polling proves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, broadcast, mpsc};

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A pool has work.
    Pool(Arc<str>),
    /// An event stream (`channel:<slug>`, `user:<id>`) has grown.
    Stream(Arc<str>),
}

/// The wake-up exchange of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wakes {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Mutex<HashMap<Arc<str>, Arc<Notify>>>,
    streams: broadcast::Sender<Arc<str>>,
    schedules: Notify,
    /// What other processes must hear; drained by the notifier.
    outward: mpsc::UnboundedSender<Topic>,
}

impl Wakes {
    /// The exchange, and the end that the notifier drains.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Topic>) {
        let (outward, drained) = mpsc::unbounded_channel();
        let inner =
            Inner { pools: Mutex::default(), streams: broadcast::channel(4096).0, schedules: Notify::new(), outward };
        (Self { inner: Arc::new(inner) }, drained)
    }

    /// Rings when the pool may have work; a ring while nobody waits is kept (one permit).
    #[must_use]
    pub fn pool(&self, name: &str) -> Arc<Notify> {
        let mut pools = self.inner.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = pools.get(name) {
            return bell.clone();
        }
        pools.entry(name.into()).or_default().clone()
    }

    /// Keys of event streams that grew. The empty key means that any of them may have grown (the process was deaf for a
    /// while); a lagging receiver must look at all its streams again, too.
    #[must_use]
    pub fn streams(&self) -> broadcast::Receiver<Arc<str>> {
        self.inner.streams.subscribe()
    }

    /// Tells this process only (what came from another process).
    pub fn ring(&self, topic: &Topic) {
        match topic {
            Topic::Pool(name) => self.pool(name).notify_one(),
            // No receiver: nobody in this process listens, which is fine.
            Topic::Stream(key) => drop(self.inner.streams.send(key.clone())),
        }
    }

    /// Everybody in this process looks: what happened elsewhere meanwhile is not known.
    pub(crate) fn ring_all(&self) {
        for bell in self.inner.pools.lock().unwrap_or_else(PoisonError::into_inner).values() {
            bell.notify_one();
        }
        self.inner.schedules.notify_one();
        drop(self.inner.streams.send("".into()));
    }

    /// Rings when periodic jobs may have come due out of turn.
    pub(crate) fn schedules(&self) -> &Notify {
        &self.inner.schedules
    }

    /// Tells this process now and the others soon. Called after commit.
    pub fn publish(&self, topic: Topic) {
        self.ring(&topic);
        // A closed receiver means that the process is stopping; polling proves.
        drop(self.inner.outward.send(topic));
    }
}
