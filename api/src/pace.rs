//! Bodies that come too slowly are ended: whoever sends a byte now and then would have a place for as long as they like.
//!
//! Only the time in which we wait for the sender counts, so that a disk or a lock of ours is never their fault.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use poem::{Body, http::StatusCode};
use tokio::time::{Instant, Sleep};

use crate::problem::{ErrorCode, Problem};

/// So long we wait for a body, or for the next part of an upload.
const WITHIN: Duration = Duration::from_secs(15);
/// Bytes of a part of an upload: 1 KiB a second.
const PART: u64 = 15 * 1024;

/// How fast a body must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// All of it in time.
    Whole,
    /// As large as it may be, a part in time after the other.
    Parts,
}

/// Whether a body was ended because its sender was too slow.
pub(crate) struct Late(Arc<AtomicBool>);

impl Late {
    /// What the sender of such a body is told.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let detail = "the body comes too slowly: it is awaited for 15 s, and an upload comes with 1 KiB a second";
        let problem = || Problem::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, detail);
        self.0.load(Ordering::Relaxed).then(problem)
    }
}

/// The body, which ends with an error once it is too slow.
pub(crate) fn held_to(pace: Pace, body: Body) -> (Late, Body) {
    held_within(WITHIN, pace, body)
}

fn held_within(within: Duration, pace: Pace, body: Body) -> (Late, Body) {
    let late = Arc::new(AtomicBool::new(false));
    let paced = Paced {
        chunks: Box::pin(body.into_bytes_stream()),
        pace,
        within,
        left: within,
        of_part: 0,
        waiting: None,
        late: late.clone(),
    };
    (Late(late), Body::from_bytes_stream(paced))
}

struct Paced {
    chunks: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    pace: Pace,
    within: Duration,
    /// What is left of the time.
    left: Duration,
    /// Bytes that have come of the present part.
    of_part: u64,
    /// Since when we wait for the sender, and until when we will. A body that comes along with its head needs none.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    late: Arc<AtomicBool>,
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Poll::Ready(next) = this.chunks.as_mut().poll_next(cx) else {
            let left = this.left;
            let (_, end) = this.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
            ready!(end.as_mut().poll(cx));
            this.late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
        };
        if let Some((since, _)) = this.waiting.take() {
            this.left = this.left.saturating_sub(since.elapsed());
        }
        if let (Pace::Parts, Some(Ok(chunk))) = (this.pace, &next) {
            this.of_part += chunk.len() as u64;
            if this.of_part >= PART {
                (this.of_part, this.left) = (0, this.within);
            }
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use tokio::time::sleep;

    use super::*;

    const SOON: Duration = Duration::from_millis(500);

    /// A body of `count` chunks of `bytes` each, one each `every`.
    fn dripping(count: usize, bytes: usize, every: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::iter(0..count).then(move |_| async move {
            sleep(every).await;
            Ok(Bytes::from(vec![0; bytes]))
        })
    }

    /// Bytes until the end, how long it took, and whether the sender was too slow.
    async fn taken(
        pace: Pace,
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> (usize, Duration, bool) {
        let begun = Instant::now();
        let (late, body) = held_within(SOON, pace, Body::from_bytes_stream(chunks));
        let mut chunks = Box::pin(body.into_bytes_stream());
        let mut got = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            got += chunk.len();
        }
        (got, begun.elapsed(), late.problem().is_some())
    }

    #[tokio::test]
    async fn a_body_is_there_in_time_or_ended_however_it_drips() {
        let (got, _, late) = taken(Pace::Whole, dripping(4, 1, SOON / 50)).await;
        assert_eq!((got, late), (4, false));
        let (got, time, late) = taken(Pace::Whole, dripping(10_000, 65_536, SOON / 50)).await;
        assert!(late && got < 60 * 65_536 && time >= SOON, "{got} bytes in {time:?}");
    }

    #[tokio::test]
    async fn an_upload_may_take_long_but_not_for_nothing() {
        let part = usize::try_from(PART).unwrap();
        let (got, time, late) = taken(Pace::Parts, dripping(30, part, SOON / 20)).await;
        assert!(got == 30 * part && !late && time > SOON, "{got} bytes in {time:?}");
        // What came before makes up for nothing.
        let fast_then_slow = dripping(20, part, Duration::ZERO).chain(dripping(10_000, 1, SOON / 50));
        let (got, _, late) = taken(Pace::Parts, fast_then_slow).await;
        assert!(late && got < 20 * part + 60, "{got} bytes");
    }

    #[tokio::test]
    async fn our_own_time_is_not_the_senders() {
        let body = Body::from_bytes_stream(dripping(3, 1, SOON / 50));
        let (late, body) = held_within(SOON, Pace::Whole, body);
        let mut chunks = Box::pin(body.into_bytes_stream());
        let mut got = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            got += chunk.len();
            sleep(SOON).await;
        }
        assert_eq!((got, late.problem().is_some()), (3, false));
    }
}
