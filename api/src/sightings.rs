//! From where tokens are used: kept in mind as requests come, and written down once a minute, off their path.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    mails::MailError,
    tokens::{self, Sighting},
};
use poem::Request;
use queue::Database;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::budgets::ClientAddress;

/// A token that goes on being used from the same network is written down so often.
const AGAIN: Duration = Duration::from_secs(60);
/// What is kept in mind, at most; what comes beyond it is seen later.
const MOST: usize = 50_000;

/// Where this process sees tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sightings {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Database,
    /// Mails are sent from here.
    by_mail: bool,
    here: Mutex<HashMap<Sighting, Seen>>,
}

#[derive(Debug)]
struct Seen {
    /// When a request came last.
    at: Instant,
    written: Option<Instant>,
    /// Open streams: as long as there is one, the token is being used.
    streams: usize,
}

impl Seen {
    fn is_due(&self, now: Instant) -> bool {
        self.written
            .is_none_or(|written| now.duration_since(written) >= AGAIN && (self.streams > 0 || self.at > written))
    }

    fn is_over(&self, now: Instant) -> bool {
        self.streams == 0
            && self.written.is_some_and(|written| written >= self.at && now.duration_since(written) >= AGAIN)
    }
}

/// Keeps a token seen; drop it when the stream ends.
#[derive(Debug)]
pub(crate) struct Staying {
    sightings: Sightings,
    /// None when nobody knows from where it comes.
    here: Option<Sighting>,
}

impl Sightings {
    /// Nothing seen yet, and the task that writes, until `shutdown`; `by_mail`: mails are sent from here.
    pub(crate) fn new(db: Database, by_mail: bool, shutdown: CancellationToken) -> Self {
        let sightings = Self { inner: Arc::new(Inner { db, by_mail, here: Mutex::default() }) };
        tokio::spawn(sightings.clone().keep_writing(shutdown));
        sightings
    }

    /// The token was used by this request.
    pub(crate) fn note(&self, token: Uuid, request: &Request) {
        self.enter(token, request, 0);
    }

    /// The token was used by this request, and is for as long as its stream is open.
    pub(crate) fn stay(&self, token: Uuid, request: &Request) -> Staying {
        Staying { sightings: self.clone(), here: self.enter(token, request, 1) }
    }

    /// Another token has this id from now on: where the former one was used says nothing of it.
    pub(crate) fn forget(&self, token: Uuid) {
        self.lock().retain(|sighting, _| sighting.token != token);
    }

    fn enter(&self, token: Uuid, request: &Request, streams: usize) -> Option<Sighting> {
        let network = request.data::<ClientAddress>()?.network();
        let (sighting, now) = (Sighting { token, network }, Instant::now());
        let mut here = self.lock();
        if let Some(seen) = here.get_mut(&sighting) {
            seen.at = now;
            seen.streams += streams;
        } else if here.len() < MOST {
            here.insert(sighting.clone(), Seen { at: now, written: None, streams });
        } else {
            return None;
        }
        Some(sighting)
    }

    async fn keep_writing(self, shutdown: CancellationToken) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = second.tick() => {}
            }
            if let Err(error) = self.write().await {
                tracing::warn!(cause = %error, "where tokens are used could not be written down; trying again");
            }
        }
    }

    async fn write(&self) -> Result<(), MailError> {
        let now = Instant::now();
        let mut due: Vec<Sighting> = {
            let mut here = self.lock();
            here.retain(|_, seen| !seen.is_over(now));
            here.iter().filter(|(_, seen)| seen.is_due(now)).map(|(sighting, _)| sighting.clone()).collect()
        };
        if due.is_empty() {
            return Ok(());
        }
        // Processes that write the same tokens must not wait for each other crosswise.
        due.sort_unstable();
        let mut tx = self.inner.db.begin().await?;
        tokens::sight(&mut tx, &due, self.inner.by_mail).await?;
        tx.commit().await?;
        let mut here = self.lock();
        for sighting in due {
            if let Some(seen) = here.get_mut(&sighting) {
                seen.written = Some(now);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sighting, Seen>> {
        self.inner.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        let Some(here) = &self.here else { return };
        if let Some(seen) = self.sightings.lock().get_mut(here) {
            seen.at = Instant::now();
            seen.streams = seen.streams.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_being_used_is_written_again_each_minute_and_what_was_left_is_forgotten() {
        let begun = Instant::now();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let mut seen = Seen { at: begun, written: None, streams: 0 };
        assert!(seen.is_due(begun) && !seen.is_over(after(100)), "it is not written yet");
        seen.written = Some(after(1));
        assert!(!seen.is_due(after(100)) && seen.is_over(after(100)), "nothing came since");
        seen.at = after(2);
        assert!(!seen.is_due(after(60)) && seen.is_due(after(61)), "once a minute");
        assert!(!seen.is_over(after(100)), "the last request is not written yet");
        let open = Seen { at: begun, written: Some(after(1)), streams: 1 };
        assert!(open.is_due(after(61)) && !open.is_over(after(1000)), "an open stream is a use");
    }
}
