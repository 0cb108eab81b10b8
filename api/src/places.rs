//! How many connections there is room for, and what becomes of those that come when all places are taken.
//!
//! A process has only so many file descriptors, and a connection that nobody uses holds one for as long as its client likes
//! to keep it. When the last place is gone, connections without a request end, those with one end after its answer, and
//! whoever waits at the door for longer than a moment is told to come again.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

/// Descriptors that connections leave to the database, to files, and to those at the door.
const RESERVED: usize = 128;
/// Who may stand at the door at once; more wait in the socket's backlog.
const AT_THE_DOOR: usize = 64;
/// So long a connection waits for a place.
const MOMENT: Duration = Duration::from_secs(1);

/// The places of one socket. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    door: Arc<Semaphore>,
    moment: Duration,
    /// True once somebody found no place, and until there are places again.
    full: Arc<watch::Sender<bool>>,
}

/// A connection's place, or its stand at the door; given back when dropped.
#[derive(Debug)]
pub(crate) enum Place {
    Taken(OwnedSemaphorePermit),
    /// There is none: refuse, and end.
    None(OwnedSemaphorePermit),
}

impl Places {
    /// As many as these descriptors allow.
    pub(crate) fn among(descriptors: usize) -> Self {
        Self::new(descriptors - RESERVED.min(descriptors / 2), MOMENT)
    }

    fn new(places: usize, moment: Duration) -> Self {
        Self {
            free: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            door: Arc::new(Semaphore::new(AT_THE_DOOR)),
            moment,
            full: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Waits until there is room at the door, so that the socket may be looked at.
    pub(crate) async fn knock(&self) -> Option<OwnedSemaphorePermit> {
        self.door.clone().acquire_owned().await.ok()
    }

    /// A place for who stands at the door.
    pub(crate) async fn enter(&self, stand: OwnedSemaphorePermit) -> Place {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            self.full.send_if_modified(std::mem::take);
            return Place::Taken(place);
        }
        self.full.send_if_modified(|full| !std::mem::replace(full, true));
        match timeout(self.moment, self.free.clone().acquire_owned()).await {
            Ok(Ok(place)) => Place::Taken(place),
            _ => Place::None(stand),
        }
    }

    /// Comes when a connection should make room as soon as it can.
    pub(crate) async fn full(&self) {
        // The sender is ours: it cannot be gone.
        drop(self.full.subscribe().wait_for(|full| *full).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn enter(places: &Places) -> Place {
        let stand = places.knock().await.unwrap();
        places.enter(stand).await
    }

    #[tokio::test]
    async fn who_finds_no_place_is_refused_and_all_are_told() {
        let places = Places::new(1, Duration::from_millis(10));
        let _first = enter(&places).await;
        assert!(matches!(enter(&places).await, Place::None(_)));
        places.full().await;
    }

    #[tokio::test]
    async fn who_finds_no_place_gets_one_that_becomes_free() {
        let places = Places::new(1, Duration::from_secs(60));
        let first = enter(&places).await;
        let (second, ()) = tokio::join!(enter(&places), async { drop(first) });
        assert!(matches!(second, Place::Taken(_)));
    }

    #[tokio::test]
    async fn half_of_few_descriptors_and_most_of_many_are_places() {
        assert_eq!(Places::among(100).free.available_permits(), 50);
        assert_eq!(Places::among(1024).free.available_permits(), 896);
    }
}
