//! The fault proxy between processes and PostgreSQL: passes bytes on until it is told to do otherwise.
//!
//! It knows nothing of SQL but where a message begins, and of messages only which of them ends a transaction; that is
//! enough to lose exactly the answer to a commit.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinSet,
};

/// What happens to bytes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Fair,
    /// Every piece, of both directions, comes this much later.
    Slow(Duration),
    /// Connections stay open and carry nothing; new ones are taken and carry nothing either.
    Silent,
    /// Each connection is closed after this many more bytes from the client, in the middle of a message as it may be.
    CutAfter(u64),
    /// The next commit of each connection reaches the server, and its answer never comes: the connection is closed instead.
    LoseCommit,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    counters: Arc<Counters>,
}

/// What was really done to connections, so that a round which met none is known.
#[derive(Debug, Default)]
struct Counters {
    cut: AtomicU64,
    delayed: AtomicU64,
}

impl Proxy {
    /// Listens on a port of its own and passes on to the server's Unix socket.
    pub(crate) async fn start(socket_dir: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the proxy's port")?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Fair);
        let counters = Arc::new(Counters::default());
        tokio::spawn(serve(listener, socket_dir.join(".s.PGSQL.5432"), seen, counters.clone()));
        Ok(Self { address, weather, counters })
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Connections that were cut, and pieces that were held back, since the last call.
    pub(crate) fn took(&self) -> (u64, u64) {
        (self.counters.cut.swap(0, Ordering::Relaxed), self.counters.delayed.swap(0, Ordering::Relaxed))
    }
}

async fn serve(listener: TcpListener, socket: PathBuf, weather: watch::Receiver<Weather>, counters: Arc<Counters>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else { return };
        let (socket, weather, counters) = (socket.clone(), weather.clone(), counters.clone());
        connections.spawn(async move {
            // A server that is away refuses, as it would without us.
            let Ok(server) = UnixStream::connect(&socket).await else { return };
            carry(client, server, weather, &counters).await;
        });
    }
}

/// Carries both directions until one ends or the weather cuts them.
async fn carry(client: TcpStream, server: UnixStream, weather: watch::Receiver<Weather>, counters: &Counters) {
    let _ = client.set_nodelay(true);
    let wire = Arc::new(Wire { state: Mutex::new(State::default()) });
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let cut = {
        let up = pump(from_client, to_server, Side::Client, wire.clone(), weather.clone(), counters);
        let down = pump(from_server, to_client, Side::Server, wire, weather, counters);
        tokio::select! {
            cut = up => cut,
            cut = down => cut,
        }
    };
    if cut {
        counters.cut.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

#[derive(Debug)]
struct Wire {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes from the client since the weather said [`Weather::CutAfter`].
    sent: u64,
    /// A commit went up under [`Weather::LoseCommit`]: nothing comes down any more.
    commit_is_out: bool,
}

/// Passes one direction on. True when the connection is to be reset.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    side: Side,
    wire: Arc<Wire>,
    mut weather: watch::Receiver<Weather>,
    counters: &Counters,
) -> bool {
    let mut buffer = vec![0_u8; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return false };
        let piece = &buffer[..read];
        let now = *weather.borrow_and_update();
        match now {
            Weather::Fair => {}
            Weather::Slow(delay) => {
                counters.delayed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(delay).await;
            }
            Weather::Silent => {
                counters.delayed.fetch_add(1, Ordering::Relaxed);
                // Until the weather changes; a process that has given up meanwhile has closed its end.
                while *weather.borrow_and_update() == Weather::Silent {
                    if weather.changed().await.is_err() {
                        return true;
                    }
                }
            }
            Weather::CutAfter(bytes) if side == Side::Client => {
                let sent = {
                    let mut state = wire.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.sent += read as u64;
                    state.sent
                };
                if sent > bytes {
                    // What was before the cut is still delivered, in the middle of a message as it may be.
                    let kept = usize::try_from((bytes + read as u64).saturating_sub(sent)).unwrap_or(0);
                    let _ = to.write_all(&piece[..kept.min(read)]).await;
                    let _ = to.flush().await;
                    return true;
                }
            }
            Weather::CutAfter(_) => {}
            Weather::LoseCommit => {
                let mut lost = false;
                {
                    let mut state = wire.state.lock().unwrap_or_else(PoisonError::into_inner);
                    match side {
                        Side::Client if is_commit(piece) => state.commit_is_out = true,
                        Side::Server if state.commit_is_out => lost = true,
                        _ => {}
                    }
                }
                if lost {
                    return true;
                }
            }
        }
        if to.write_all(piece).await.is_err() {
            return false;
        }
    }
}

/// A simple query `COMMIT`, as the house's transactions end.
fn is_commit(piece: &[u8]) -> bool {
    piece.windows(7).any(|window| window == b"COMMIT\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_seen_wherever_it_stands_in_a_piece() {
        assert!(is_commit(b"Q\0\0\0\x0bCOMMIT\0S"));
        assert!(!is_commit(b"Q\0\0\0\x0dROLLBACK\0S"));
    }
}
