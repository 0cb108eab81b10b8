//! Wake-ups: told in-process at once and to other processes by one coalesced NOTIFY. A hint only; polling proves.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::{Notify, broadcast, mpsc};

use crate::hand_over::Desk;

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A pool has work.
    Pool(Arc<str>),
    /// A pool will have work at that time. Who would look by then anyway has nothing to do.
    Later(Arc<str>, Instant),
    /// An event stream (`channel:<slug>`, `user:<id>`) has grown.
    Stream(Arc<str>),
    /// Something that processes keep in mind has changed; which thing is the program's word.
    Matter(Arc<str>),
}

/// An event stream has grown.
#[derive(Debug, Clone)]
pub struct Grown {
    /// The stream's key; empty when any of them may have grown (the process was deaf for a while).
    pub key: Arc<str>,
    /// What it has grown by, when a transaction of this process knows: whatever it gave to [`Tx::tell`](crate::Tx::tell).
    pub news: Option<Arc<dyn Any + Send + Sync>>,
}

/// The bell of one pool: keeps the earliest time for which it was rung until somebody hears it.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<Option<Instant>>,
    notify: Notify,
}

impl Bell {
    /// There is work now.
    pub fn ring(&self) {
        self.ring_for(Instant::now());
    }

    /// There will be work at that time.
    pub fn ring_for(&self, at: Instant) {
        let mut rung = self.lock();
        *rung = Some(rung.map_or(at, |earlier| earlier.min(at)));
        drop(rung);
        self.notify.notify_one();
    }

    /// Waits for a ring, and says when there is work. One listener at a time.
    pub async fn heard(&self) -> Instant {
        loop {
            self.notify.notified().await;
            // None: taken by [`Bell::take`] meanwhile.
            if let Some(at) = self.take() {
                return at;
            }
        }
    }

    /// What was rung and nobody has heard yet.
    pub(crate) fn take(&self) -> Option<Instant> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wake-up exchange of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wakes {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Mutex<HashMap<Arc<str>, Arc<Bell>>>,
    matters: Mutex<HashMap<Arc<str>, Arc<Bell>>>,
    streams: broadcast::Sender<Grown>,
    schedules: Notify,
    /// The pools that run in this process.
    desks: Mutex<HashMap<&'static str, Arc<Desk>>>,
    /// What other processes must hear; drained by the notifier.
    outward: mpsc::UnboundedSender<Topic>,
}

impl Wakes {
    /// The exchange, and the end that the notifier drains.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Topic>) {
        let (outward, drained) = mpsc::unbounded_channel();
        let inner = Inner {
            pools: Mutex::default(),
            matters: Mutex::default(),
            streams: broadcast::channel(4096).0,
            schedules: Notify::new(),
            desks: Mutex::default(),
            outward,
        };
        (Self { inner: Arc::new(inner) }, drained)
    }

    /// Rings when the pool may have work.
    #[must_use]
    pub fn pool(&self, name: &str) -> Arc<Bell> {
        bell(&self.inner.pools, name)
    }

    /// Rings when the matter may have changed. It has one listener in a process.
    #[must_use]
    pub fn matter(&self, name: &str) -> Arc<Bell> {
        bell(&self.inner.matters, name)
    }

    /// Event streams that grew. A lagging receiver must look at all its streams again.
    #[must_use]
    pub fn streams(&self) -> broadcast::Receiver<Grown> {
        self.inner.streams.subscribe()
    }

    /// Tells this process only (what came from another process).
    pub fn ring(&self, topic: &Topic) {
        match topic {
            Topic::Pool(name) => self.pool(name).ring(),
            Topic::Later(name, at) => self.pool(name).ring_for(*at),
            Topic::Stream(key) => self.grown(key.clone(), None),
            Topic::Matter(name) => self.matter(name).ring(),
        }
    }

    /// Everybody in this process looks: what happened elsewhere meanwhile is not known.
    pub(crate) fn ring_all(&self) {
        for bells in [&self.inner.pools, &self.inner.matters] {
            bells.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|bell| bell.ring());
        }
        self.inner.schedules.notify_one();
        self.grown("".into(), None);
    }

    fn grown(&self, key: Arc<str>, news: Option<Arc<dyn Any + Send + Sync>>) {
        // No receiver: nobody in this process listens, which is fine.
        drop(self.inner.streams.send(Grown { key, news }));
    }

    /// Rings when periodic jobs may have come due out of turn.
    pub(crate) fn schedules(&self) -> &Notify {
        &self.inner.schedules
    }

    /// Tells this process what the stream has grown by, and the others soon that it has grown. Called after commit.
    pub(crate) fn tell(&self, key: Arc<str>, news: Arc<dyn Any + Send + Sync>) {
        self.grown(key.clone(), Some(news));
        drop(self.inner.outward.send(Topic::Stream(key)));
    }

    /// From now on jobs may be handed to this pool.
    pub(crate) fn open(&self, pool: &'static str, desk: Desk) {
        self.desks().insert(pool, Arc::new(desk));
    }

    /// From now on they are not.
    pub(crate) fn close(&self, pool: &'static str) {
        self.desks().remove(pool);
    }

    pub(crate) fn desk(&self, pool: &'static str) -> Option<Arc<Desk>> {
        self.desks().get(pool).cloned()
    }

    fn desks(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Arc<Desk>>> {
        self.inner.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells this process now and the others soon. Called after commit.
    pub fn publish(&self, topic: Topic) {
        self.ring(&topic);
        // A closed receiver means that the process is stopping; polling proves.
        drop(self.inner.outward.send(topic));
    }
}

fn bell(bells: &Mutex<HashMap<Arc<str>, Arc<Bell>>>, name: &str) -> Arc<Bell> {
    let mut bells = bells.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bell) = bells.get(name) {
        return bell.clone();
    }
    bells.entry(name.into()).or_default().clone()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_bell_tells_the_earliest_time_for_which_it_was_rung() {
        let (bell, now) = (Bell::default(), Instant::now());
        let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(60));
        bell.ring_for(soon);
        bell.ring_for(late);
        assert_eq!(bell.heard().await, soon);
        bell.ring_for(late);
        assert_eq!(bell.take(), Some(late));
        bell.ring();
        assert!(bell.heard().await < soon, "what was taken is not told again");
    }
}
