//! Connections that give up on clients which do not take what they asked for.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// A client that takes nothing for this long, while there is something for it, is gone. The system has taken hundreds of KiB
/// for it by then, which an event stream that rests for a while does not fill.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// What can be given up with all that was not taken yet: closed as usual, the system keeps that for minutes.
pub(crate) trait Abandon {
    fn abandon(&self);
}

impl Abandon for TcpStream {
    fn abandon(&self) {
        // Fails only when the peer is gone already.
        drop(self.set_zero_linger());
    }
}

/// A connection whose writes fail once the peer has taken nothing for a while.
pub(crate) struct Patient<S> {
    inner: S,
    patience: Duration,
    /// Runs while a write waits; made by the first write that has to.
    waiting: Option<Pin<Box<Sleep>>>,
    stuck: bool,
}

impl<S: Abandon> Patient<S> {
    pub(crate) fn new(inner: S, patience: Duration) -> Self {
        Self { inner, patience, waiting: None, stuck: false }
    }

    /// Passes on what the write said, and judges how long it has been waiting.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = false;
            return written;
        }
        let deadline = Instant::now() + self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if !self.stuck {
            self.stuck = true;
            waiting.as_mut().reset(deadline);
        }
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => {
                self.inner.abandon();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Abandon + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Abandon + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        net::TcpListener,
    };

    use super::*;

    impl Abandon for DuplexStream {
        fn abandon(&self) {}
    }

    #[tokio::test]
    async fn what_a_peer_does_not_take_is_given_up_with_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut near = Patient::new(listener.accept().await.unwrap().0, Duration::from_millis(100));
        let stuck = near.write_all(&vec![1; 64 << 20]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        drop(near);
        // It was told at once, instead of getting the rest.
        let end = far.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_peer_that_reads_slowly_is_waited_for_and_one_that_stops_is_not() {
        let (near, mut far) = duplex(64);
        let mut near = Patient::new(near, Duration::from_millis(200));
        let slow = async {
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                far.read_exact(&mut [0; 32]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(near.write_all(&[1; 320]), slow);
        written.unwrap();
        let stuck = near.write_all(&[1; 320]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
    }
}
