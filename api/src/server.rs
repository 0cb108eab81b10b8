//! Serving on a socket, and ending well.
//!
//! HTTP/1.1 by hand of hyper: poem's own server first guesses between versions, which costs each connection 8 KiB, lets a
//! client take for ever over the head of its request, and spins when the process is out of file descriptors.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Addr, Endpoint, EndpointExt as _, IntoResponse as _, Request, Response,
    endpoint::make_sync,
    http::{HeaderValue, StatusCode, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    select,
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, Environment},
    headers,
    patience::{PATIENCE, Patient},
    places::{Place, Places},
    problem::{ErrorCode, Problem},
    service,
    telemetry::Telemetry,
};

/// A head of a request that is not whole by then ends its connection; so does a connection that nobody uses.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// Bytes of a head, which has a hundred lines at most; also what is read of a body at once.
const MOST_HEAD: usize = 64 * 1024;
/// The same for a connection that is only to hear that there is no place for it.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// Who connects until this long after the order to stop is still served; and so long a connection that asks nothing just now
/// may still begin a request, whose answer then says that it is the last one: a client that had it sent before it could know
/// of our end would not know what became of it.
const LAST_CALL: Duration = Duration::from_millis(50);
const LAST_WORD: Duration = Duration::from_millis(500);

/// Pause after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `draining` is cancelled, then takes no new connection and lets open requests end
/// within `grace`. Endless answers (event streams) must end on the same token, or they use up the grace. No more
/// connections are held than the process's `descriptors` allow.
///
/// # Errors
/// The socket cannot be used.
pub async fn serve(
    app: App,
    listener: TcpListener,
    draining: CancellationToken,
    grace: Duration,
    descriptors: usize,
) -> io::Result<()> {
    // Until then, sessions that have ended would pass for living ones.
    let ready = app.ended.clone();
    if draining.run_until_cancelled(ready.is_read()).await.is_none() {
        return Ok(());
    }
    let refusal = refusal(app.settings.environment);
    serve_at(service::endpoint(app), refusal, listener, draining, grace, Places::among(descriptors)).await
}

async fn serve_at(
    endpoint: impl Endpoint<Output = Response> + 'static,
    refusal: impl Endpoint<Output = Response> + 'static,
    listener: TcpListener,
    draining: CancellationToken,
    grace: Duration,
    places: Places,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let local = listener.local_addr()?;
    let (endpoint, refusal) = (Arc::new(endpoint), Arc::new(refusal));
    let connections = TaskTracker::new();
    let overdue = CancellationToken::new();
    let next = async || (places.knock().await, listener.accept().await);
    let take = |stand, (socket, remote): (TcpStream, SocketAddr)| {
        // Events are small, and each one waits for nobody. Fails only when the peer is gone; the first read says so.
        drop(socket.set_nodelay(true));
        let ends = (LocalAddr(Addr::from(local)), RemoteAddr(Addr::from(remote)));
        let stops = (draining.clone(), overdue.clone());
        let (endpoint, refusal, places) = (endpoint.clone(), refusal.clone(), places.clone());
        connections.spawn(async move {
            let socket = Patient::new(socket, PATIENCE);
            match places.enter(stand).await {
                Place::Taken(_place) => connection(socket, ends, endpoint, HEAD_WITHIN, stops, &places).await,
                Place::None(_stand) => connection(socket, ends, refusal, REFUSED_WITHIN, stops, &places).await,
            }
        });
    };
    while let Some((stand, accepted)) = draining.run_until_cancelled(next()).await {
        let (Some(stand), Ok(accepted)) = (stand, accepted) else {
            // Mostly, file descriptors are out, and remain so for a while.
            tracing::warn!("a connection could not be accepted");
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        take(stand, accepted);
    }
    // Who stands in the backlog believes to be connected.
    let last_call = sleep(LAST_CALL);
    tokio::pin!(last_call);
    loop {
        select! {
            () = &mut last_call => break,
            (stand, accepted) = next() => {
                let (Some(stand), Ok(accepted)) = (stand, accepted) else { break };
                take(stand, accepted);
            }
        }
    }
    // Who came since the reactor last looked is asked for by hand, until right before the door closes: the system resets
    // whoever stands in the backlog then.
    let listener = listener.into_std()?;
    while let Some(Some(stand)) = places.knock().now_or_never()
        && let Ok((socket, remote)) = listener.accept()
    {
        socket.set_nonblocking(true)?;
        take(stand, (TcpStream::from_std(socket)?, remote));
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

/// What a connection asks.
#[derive(Debug, Default)]
struct Asked {
    something: AtomicBool,
    /// A question has no answer yet.
    open: AtomicBool,
    begun: Notify,
}

impl Asked {
    fn begin(&self) {
        self.something.store(true, Ordering::Release);
        self.open.store(true, Ordering::Release);
        self.begun.notify_waiters();
    }

    fn end(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Comes with the first question, or at once after it.
    async fn once(&self) {
        // Made before the look, it hears of a question that begins right after it.
        let begun = self.begun.notified();
        if !self.something.load(Ordering::Acquire) {
            begun.await;
        }
    }

    /// Comes with the next question, or at once while one is open.
    async fn again(&self) {
        let begun = self.begun.notified();
        if !self.open.load(Ordering::Acquire) {
            begun.await;
        }
    }
}

/// What is said to a connection that there is no place for, whatever it asks.
fn refusal(environment: Environment) -> impl Endpoint<Output = Response> {
    make_sync(|_| {
        let detail = "too many connections at once, try again";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail);
        let mut response = problem.into_response();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    })
    .around(headers::strict(environment))
    .with(Telemetry)
}

/// One connection with all its requests, until it ends; once `draining` or all places are taken, until its present request
/// has ended; once `overdue`, no longer.
async fn connection<S, E>(
    socket: S,
    (local, remote): (LocalAddr, RemoteAddr),
    endpoint: Arc<E>,
    head_within: Duration,
    (draining, overdue): (CancellationToken, CancellationToken),
    places: &Places,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let asked = Arc::new(Asked::default());
    let (asking, ending) = (asked.clone(), draining.clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        asking.begin();
        let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
        let (endpoint, asking, ending) = (endpoint.clone(), asking.clone(), ending.clone());
        // Boxed: the connection keeps room for it, which an event stream would hold long after its answer has begun.
        async move {
            let mut response = endpoint.get_response(request).await;
            asking.end();
            if ending.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
        .boxed()
    });
    // A connection that has not asked anything yet is not the one to go: its client would not know why.
    let make_room = async {
        asked.once().await;
        places.full().await;
    };
    // Boxed too: a future that is handed on keeps room for itself at every station.
    let mut connection = Box::pin(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_within)
            .max_buf_size(MOST_HEAD)
            .serve_connection(TokioIo::new(socket), service),
    );
    // What goes wrong on a connection concerns nobody but the client, who knows.
    let last_word = async {
        select! {
            () = draining.cancelled() => drop(timeout(LAST_WORD, asked.again()).await),
            () = make_room => {}
        }
    };
    select! {
        _ = &mut connection => return,
        () = last_word => connection.as_mut().graceful_shutdown(),
    }
    select! {
        _ = &mut connection => {}
        () = overdue.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// A connection to an endpoint that says hello; the client's end, and what stops it.
    fn connected() -> (tokio::io::DuplexStream, CancellationToken) {
        let (near, far) = duplex(4096);
        let endpoint = Arc::new(make_sync(|_| Response::builder().body("hello")).map_to_response());
        let ends = (LocalAddr(Addr::custom("test", "")), RemoteAddr(Addr::custom("test", "")));
        let draining = CancellationToken::new();
        let stops = (draining.clone(), CancellationToken::new());
        tokio::spawn(async move {
            connection(near, ends, endpoint, Duration::from_millis(100), stops, &Places::among(2)).await;
        });
        (far, draining)
    }

    /// A socket with two places; `/slow` is answered when told so.
    fn crowded() -> (SocketAddr, Arc<Notify>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let go = Arc::new(Notify::new());
        let told = go.clone();
        let endpoint = make(move |request: Request| {
            let go = go.clone();
            async move {
                if request.uri().path() == "/slow" {
                    go.notified().await;
                }
                Response::builder().body("hello")
            }
        });
        let draining = CancellationToken::new();
        tokio::spawn(serve_at(
            endpoint.map_to_response(),
            refusal(Environment::Dev),
            listener,
            draining,
            Duration::ZERO,
            Places::among(4),
        ));
        (address, told)
    }

    async fn ask(address: SocketAddr, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        client
    }

    async fn answer(client: &mut TcpStream) -> String {
        let mut answer = [0; 2048];
        let length = timeout(Duration::from_secs(10), client.read(&mut answer)).await.expect("no answer").unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn connections_that_nobody_uses_make_room_for_those_that_ask() {
        let (address, _) = crowded();
        let mut kept = Vec::new();
        for _ in 0..8 {
            let mut client = ask(address, "/").await;
            let answer = answer(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            kept.push(client);
        }
    }

    #[tokio::test]
    async fn who_finds_all_places_in_use_is_told_to_come_again_and_finds_one_then() {
        let (address, go) = crowded();
        let mut slow = [ask(address, "/slow").await, ask(address, "/slow").await];
        let refused = answer(&mut ask(address, "/").await).await;
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
        for client in &mut slow {
            go.notify_one();
            assert!(answer(client).await.ends_with("hello"));
        }
        assert!(answer(&mut ask(address, "/").await).await.ends_with("hello"));
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

    #[tokio::test]
    async fn a_request_that_was_on_its_way_when_the_process_drained_is_answered_as_the_last_one() {
        let (mut client, draining) = connected();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 256];
        let length = client.read(&mut answer).await.unwrap();
        assert!(answer[..length].ends_with(b"hello"));
        draining.cancel();
        tokio::task::yield_now().await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let last = rest(client).await;
        assert!(last.ends_with("hello") && last.to_lowercase().contains("connection: close"), "{last}");
    }

    #[tokio::test]
    async fn who_was_accepted_last_is_still_answered_when_the_process_drains() {
        let (mut client, draining) = connected();
        draining.cancel();
        tokio::task::yield_now().await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(rest(client).await.ends_with("hello"));
    }
}
