//! Serving on a socket, and ending well.
//!
//! HTTP/1.1 by hand of hyper: poem's own server first guesses between versions, which costs each connection 8 KiB, lets a
//! client take for ever over the head of its request, and spins when the process is out of file descriptors.

use std::{convert::Infallible, io, net::TcpListener, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Addr, Endpoint, Request, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    patience::{PATIENCE, Patient},
    service,
};

/// A head of a request that is not whole by then ends its connection; so does a connection that nobody uses.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// Pause after a connection that could not be accepted: mostly, file descriptors are out, and remain so for a while.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `draining` is cancelled, then takes no new connection and lets open requests end
/// within `grace`. Endless answers (event streams) must end on the same token, or they use up the grace.
///
/// # Errors
/// The socket cannot be used.
pub async fn serve(app: App, listener: TcpListener, draining: CancellationToken, grace: Duration) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let local = listener.local_addr()?;
    let endpoint = Arc::new(service::endpoint(app));
    let connections = TaskTracker::new();
    let overdue = CancellationToken::new();
    while let Some(accepted) = draining.run_until_cancelled(listener.accept()).await {
        let (socket, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // Events are small, and each one waits for nobody. Fails only when the peer is gone; the first read says so.
        drop(socket.set_nodelay(true));
        let ends = (LocalAddr(Addr::from(local)), RemoteAddr(Addr::from(remote)));
        let stops = (draining.clone(), overdue.clone());
        connections.spawn(connection(Patient::new(socket, PATIENCE), ends, endpoint.clone(), HEAD_WITHIN, stops));
    }
    drop(listener);
    connections.close();
    if timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "open requests are cut: their time is over");
        overdue.cancel();
        connections.wait().await;
    }
    Ok(())
}

/// One connection with all its requests, until it ends; once `draining`, until its present request has ended; once
/// `overdue`, no longer.
async fn connection<S, E>(
    socket: S,
    (local, remote): (LocalAddr, RemoteAddr),
    endpoint: Arc<E>,
    head_within: Duration,
    (draining, overdue): (CancellationToken, CancellationToken),
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
        let endpoint = endpoint.clone();
        // Boxed: the connection keeps room for it, which an event stream would hold long after its answer has begun.
        async move { Ok::<hyper::Response<_>, Infallible>(endpoint.get_response(request).await.into()) }.boxed()
    });
    // Boxed too: a future that is handed on keeps room for itself at every station.
    let mut connection = Box::pin(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_within)
            .serve_connection(TokioIo::new(socket), service),
    );
    // What goes wrong on a connection concerns nobody but the client, who knows.
    select! {
        _ = &mut connection => return,
        () = draining.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    select! {
        _ = &mut connection => {}
        () = overdue.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, endpoint::make_sync};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// A connection to an endpoint that says hello; the client's end, and what stops it.
    fn connected() -> (tokio::io::DuplexStream, CancellationToken) {
        let (near, far) = duplex(4096);
        let endpoint = Arc::new(make_sync(|_| Response::builder().body("hello")).map_to_response());
        let ends = (LocalAddr(Addr::custom("test", "")), RemoteAddr(Addr::custom("test", "")));
        let draining = CancellationToken::new();
        tokio::spawn(connection(
            near,
            ends,
            endpoint,
            Duration::from_millis(100),
            (draining.clone(), CancellationToken::new()),
        ));
        (far, draining)
    }

    async fn rest(mut client: tokio::io::DuplexStream) -> String {
        let mut rest = String::new();
        timeout(Duration::from_secs(10), client.read_to_string(&mut rest)).await.expect("it stays open").unwrap();
        rest
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_request_is_let_go() {
        let (mut client, _draining) = connected();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nslow").await.unwrap();
        assert!(!rest(client).await.contains("hello"));
    }

    #[tokio::test]
    async fn requests_of_one_connection_are_answered_until_it_is_drained() {
        let (mut client, draining) = connected();
        for _ in 0..3 {
            client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = [0; 256];
            let length = client.read(&mut answer).await.unwrap();
            assert!(answer[..length].ends_with(b"hello"));
        }
        draining.cancel();
        assert_eq!(rest(client).await, "");
    }
}
