//! Which screens this process serves: told to the database when they come and go, and every ten seconds between.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::playback::{self, PlaybackError, SCREEN_STALE, ScreenKind};
use queue::Database;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A quarter of the time after which a screen is taken for gone.
const RENEW: Duration = Duration::from_secs(10);
/// A refresh of the page is no departure.
const LINGER: Duration = Duration::from_secs(2);

/// A window that shows a channel's overlay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Chosen by the page; the same after a refresh.
    pub(crate) id: Uuid,
    pub(crate) channel_id: Uuid,
    pub(crate) kind: ScreenKind,
}

impl Screen {
    /// The page chooses the id, so it names a screen within its channel only.
    const fn name(&self) -> (Uuid, Uuid) {
        (self.channel_id, self.id)
    }
}

/// The screens of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Screens {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Database,
    here: Mutex<HashMap<(Uuid, Uuid), Here>>,
}

#[derive(Debug)]
struct Here {
    screen: Screen,
    /// Open streams; two tabs may share an id.
    streams: usize,
    /// Without a stream it stays until then.
    until: Instant,
}

/// Keeps a screen present; drop it when the stream ends.
#[derive(Debug)]
pub(crate) struct Present {
    screens: Screens,
    name: (Uuid, Uuid),
}

impl Screens {
    /// No screens yet, and the task that renews and sees off, until `shutdown`. A process that stops says no farewell for
    /// its screens: they connect to another one, or to its successor, within seconds.
    pub(crate) fn new(db: Database, shutdown: CancellationToken) -> Self {
        let screens = Self { inner: Arc::new(Inner { db, here: Mutex::default() }) };
        tokio::spawn(screens.clone().keep(shutdown));
        screens
    }

    /// A stream to the screen has been opened.
    pub(crate) async fn enter(&self, screen: Screen) -> Result<Present, PlaybackError> {
        let new = self.note(screen, 1, LINGER);
        let present = Present { screens: self.clone(), name: screen.name() };
        if new {
            self.arrive(screen).await?;
        }
        Ok(present)
    }

    /// The screen has polled: it is present until it has not done so for long.
    pub(crate) async fn touch(&self, screen: Screen) -> Result<(), PlaybackError> {
        if self.note(screen, 0, SCREEN_STALE) { self.arrive(screen).await } else { Ok(()) }
    }

    /// True when the screen was not here before, or showed something else.
    fn note(&self, screen: Screen, streams: usize, stay: Duration) -> bool {
        let until = Instant::now() + stay;
        let mut here = self.lock();
        if let Some(known) = here.get_mut(&screen.name()) {
            let moved = known.screen.kind != screen.kind;
            *known = Here { screen, streams: known.streams + streams, until: known.until.max(until) };
            return moved;
        }
        here.insert(screen.name(), Here { screen, streams, until });
        true
    }

    async fn arrive(&self, screen: Screen) -> Result<(), PlaybackError> {
        let mut tx = self.inner.db.begin().await?;
        playback::arrive(&mut tx, screen.channel_id, screen.id, screen.kind).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn keep(self, shutdown: CancellationToken) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = second.tick() => {}
            }
            let mut done = self.see_off().await;
            if done.is_ok() && renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                done = self.renew().await;
            }
            if let Err(error) = done {
                tracing::warn!(cause = %error, "screens could not be renewed; trying again");
            }
        }
    }

    /// Tells of screens that have gone.
    async fn see_off(&self) -> Result<(), PlaybackError> {
        let now = Instant::now();
        let gone: Vec<Screen> = {
            let mut here = self.lock();
            here.extract_if(|_, it| it.streams == 0 && it.until <= now).map(|(_, it)| it.screen).collect()
        };
        for screen in gone {
            let mut tx = self.inner.db.begin().await?;
            playback::leave(&mut tx, screen.channel_id, screen.id).await?;
            tx.commit().await?;
            // It came back meanwhile: its row must not be missing until the next renewal.
            let back = self.lock().get(&screen.name()).map(|it| it.screen);
            if let Some(screen) = back {
                self.arrive(screen).await?;
            }
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), PlaybackError> {
        let mut here: HashMap<_, Screen> = self.lock().iter().map(|(name, it)| (*name, it.screen)).collect();
        if here.is_empty() {
            return Ok(());
        }
        let mut names: Vec<_> = here.keys().copied().collect();
        // Two processes that renew the same screens must not wait for each other crosswise.
        names.sort_unstable();
        let mut conn = self.inner.db.pool().acquire().await?;
        let known = playback::renew(&mut conn, &names).await?;
        drop(conn);
        here.retain(|name, _| !known.contains(name));
        for screen in here.into_values() {
            self.arrive(screen).await?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, Uuid), Here>> {
        self.inner.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        if let Some(here) = self.screens.lock().get_mut(&self.name) {
            here.streams = here.streams.saturating_sub(1);
            here.until = here.until.max(Instant::now() + LINGER);
        }
    }
}
