//! The body of an upload on its way to the multipart parser, which by itself reads as fast as it can and keeps what it has
//! not understood yet: without a gate, a client would fill our memory with one endless header.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use poem::Body;

/// Bytes that the parser may hold without having understood them.
const AHEAD: u64 = 512 * 1024;
/// What is read of a refused upload, for bytes and time, so that its sender hears the refusal: a connection that is closed
/// on unread bytes is reset, and the answer may be lost with it.
const LINGER_BYTES: u64 = 16 << 20;
const LINGER_TIME: Duration = Duration::from_secs(3);

type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Our end: says what was understood, and cleans up after a refusal. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gate {
    chunks: Arc<Mutex<Option<Chunks>>>,
    /// Bytes let through that nobody has understood yet.
    ahead: Arc<AtomicU64>,
}

impl Gate {
    /// The gate of a body, and what comes through it.
    pub(crate) fn new(body: Body) -> (Self, Body) {
        let chunks: Chunks = Box::pin(body.into_bytes_stream());
        let gate = Self { chunks: Arc::new(Mutex::new(Some(chunks))), ahead: Arc::default() };
        let through = Through { gate: gate.clone(), breathe: false };
        (gate, Body::from_bytes_stream(through))
    }

    /// All that was let through made sense so far.
    pub(crate) fn understood(&self) {
        self.ahead.store(0, Ordering::Relaxed);
    }

    /// Reads on for a little while in the background, for nobody.
    pub(crate) fn linger(&self) {
        let chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut chunks) = chunks else { return };
        tokio::spawn(async move {
            let drain = async {
                let mut left = LINGER_BYTES;
                while let Some(Ok(chunk)) = chunks.next().await {
                    left = left.saturating_sub(chunk.len() as u64);
                    if left == 0 {
                        return;
                    }
                }
            };
            // Either way, the rest is not ours to read.
            drop(tokio::time::timeout(LINGER_TIME, drain).await);
        });
    }
}

/// The parser's end.
struct Through {
    gate: Gate,
    /// Pause once after each chunk: the parser takes chunks until there is none, and only then looks at them.
    breathe: bool,
}

impl Stream for Through {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if std::mem::take(&mut self.breathe) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.gate.ahead.load(Ordering::Relaxed) > AHEAD {
            return Poll::Ready(Some(Err(io::Error::other("what is between its fields is too long"))));
        }
        let next = {
            let mut chunks = self.gate.chunks.lock().unwrap_or_else(PoisonError::into_inner);
            match chunks.as_mut() {
                Some(chunks) => chunks.poll_next_unpin(cx),
                None => Poll::Ready(None),
            }
        };
        if let Poll::Ready(Some(Ok(chunk))) = &next {
            self.gate.ahead.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            self.breathe = true;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn endless() -> Body {
        Body::from_bytes_stream(stream::repeat_with(|| io::Result::Ok(Bytes::from_static(&[0; 1024]))))
    }

    #[tokio::test]
    async fn lets_no_more_through_than_somebody_understands() {
        let (gate, body) = Gate::new(endless());
        let mut through = Box::pin(body.into_bytes_stream());
        for _ in 0..4 {
            let mut got = 0;
            while got < AHEAD {
                got += through.next().await.unwrap().unwrap().len() as u64;
            }
            gate.understood();
        }
        let mut got = 0;
        while let Some(Ok(chunk)) = through.next().await {
            got += chunk.len() as u64;
        }
        assert!(got <= AHEAD + 1024, "{got}");
    }

    #[tokio::test]
    async fn gives_one_chunk_at_a_time_to_whoever_takes_all_there_is() {
        let (_gate, body) = Gate::new(endless());
        let mut through = Box::pin(body.into_bytes_stream());
        let taken = std::future::poll_fn(|cx| {
            let mut taken = 0;
            while let Poll::Ready(Some(Ok(_))) = through.poll_next_unpin(cx) {
                taken += 1;
            }
            Poll::Ready(taken)
        })
        .await;
        assert_eq!(taken, 1);
    }
}
