//! Subscribers of event streams by the thousand, read as cheaply as that can be done: the crowd shares the cores with
//! what it listens to. And some who stop reading.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::{http::Connection, samples::Samples};

/// How an event of the bench says its number; it stands at the beginning of the data.
const NUMBER: &[u8] = br#"data: {"number":"#;
/// Within so many bytes of an event the number is found: id, name and number.
const HEAD: usize = 160;
/// Streams that are opened at once.
const OPENERS: usize = 32;

/// What the recorder of events and the crowd share.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By channel and number: when the event's transaction began to commit.
    committed: Vec<Vec<Instant>>,
    /// Not in the breaks between rounds.
    counting: bool,
    heard: Heard,
    /// Events that were not the next one of their channel.
    astray: usize,
    /// Everybody reads into this; one thread.
    buffer: Vec<u8>,
}

/// What a round brought.
#[derive(Default)]
pub(crate) struct Heard {
    /// From the commit to the subscriber's socket.
    pub(crate) latency: Samples,
    /// The same for those whose channel has subscribers that do not read.
    pub(crate) beside_slow: Samples,
}

impl Board {
    pub(crate) fn new(channels: usize) -> Arc<Self> {
        let state = State { committed: vec![Vec::new(); channels], buffer: vec![0; 256 * 1024], ..State::default() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// The channels' next events are about to be committed.
    pub(crate) fn commits(&self, channels: impl IntoIterator<Item = usize>) {
        let now = Instant::now();
        let mut state = self.lock();
        for channel in channels {
            state.committed[channel].push(now);
        }
    }

    pub(crate) fn begin_round(&self) {
        let mut state = self.lock();
        state.heard = Heard::default();
        state.counting = true;
    }

    pub(crate) fn end_round(&self) -> Heard {
        let mut state = self.lock();
        state.counting = false;
        std::mem::take(&mut state.heard)
    }

    /// Events that somebody missed, or got twice.
    pub(crate) fn astray(&self) -> usize {
        self.lock().astray
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who reads everything, one after another.
pub(crate) struct Subscriber {
    /// Place of its channel on the board.
    pub(crate) channel: usize,
    pub(crate) path: String,
}

/// Opens all streams, and begins to read them.
pub(crate) async fn open(
    address: SocketAddr,
    board: &Arc<Board>,
    subscribers: Vec<Subscriber>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut opening = JoinSet::new();
    let mut crowd = JoinSet::new();
    for subscriber in subscribers {
        if opening.len() >= OPENERS {
            let reader: Reader = opening.join_next().await.context("nobody opens")???;
            crowd.spawn(reader.read());
        }
        let board = board.clone();
        opening.spawn(async move {
            let request =
                format!("GET {} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n", subscriber.path);
            let events = Connection::open(address).await?.stream(request.as_bytes()).await?;
            let (stream, rest) = events.into_parts();
            anyhow::Ok(Reader { channel: subscriber.channel, board, stream, next: 0, rest, skip: 0 })
        });
    }
    while let Some(reader) = opening.join_next().await {
        crowd.spawn(reader??.read());
    }
    Ok(crowd)
}

struct Reader {
    channel: usize,
    board: Arc<Board>,
    stream: TcpStream,
    /// Number of the event that must come next.
    next: usize,
    /// The beginning of a chunk that has not come whole.
    rest: Vec<u8>,
    /// Bytes of the present chunk that are of no interest.
    skip: usize,
}

impl Reader {
    async fn read(mut self) -> anyhow::Result<()> {
        let board = self.board.clone();
        loop {
            self.stream.readable().await?;
            let now = Instant::now();
            let mut state = board.lock();
            let State { buffer, .. } = &mut *state;
            let read = match self.stream.try_read(buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            };
            ensure!(read > 0, "an event stream ended");
            let buffer = std::mem::take(&mut state.buffer);
            let taken = self.take(&buffer[..read], now, &mut state);
            state.buffer = buffer;
            taken?;
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant, state: &mut State) -> anyhow::Result<()> {
        let mut joined = std::mem::take(&mut self.rest);
        let mut left = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined[..]
        };
        loop {
            let skipped = self.skip.min(left.len());
            self.skip -= skipped;
            left = &left[skipped..];
            let Some(line) = find(left, b"\r\n") else { break };
            let size = std::str::from_utf8(&left[..line])?.trim();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("no size of a chunk: {size:?}"))?;
            let chunk = &left[line + 2..];
            if chunk.len() < size.min(HEAD) {
                break;
            }
            if let Some(at) = find(&chunk[..size.min(HEAD)], NUMBER) {
                let digits = &chunk[at + NUMBER.len()..];
                let digits = digits.iter().map_while(|byte| char::from(*byte).to_digit(10));
                let number = digits.fold(0, |number, digit| number * 10 + digit as usize);
                self.heard(number, now, state);
            }
            left = chunk;
            self.skip = size + 2;
        }
        self.rest = left.to_vec();
        Ok(())
    }

    fn heard(&mut self, number: usize, now: Instant, state: &mut State) {
        state.astray += usize::from(number != self.next);
        self.next = number + 1;
        if state.counting
            && let Some(committed) = state.committed[self.channel].get(number)
        {
            let latency = now.saturating_duration_since(*committed);
            state.heard.latency.add(latency);
            if self.channel == super::hub::LOUD {
                state.heard.beside_slow.add(latency);
            }
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Subscribers that ask and then do not read.
pub(crate) struct Stuck(Vec<TcpStream>);

impl Stuck {
    pub(crate) async fn open(address: SocketAddr, path: &str, count: usize) -> anyhow::Result<Self> {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let socket = TcpSocket::new_v4()?;
            // What the system keeps for them is not the server's business.
            socket.set_recv_buffer_size(4096)?;
            let mut stream = socket.connect(address).await?;
            stream
                .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes())
                .await?;
            streams.push(stream);
        }
        Ok(Self(streams))
    }

    /// They read what there is for them, to its end; how many were told that they were too slow.
    pub(crate) async fn told_why(self) -> anyhow::Result<usize> {
        let mut readers = JoinSet::new();
        for mut stream in self.0 {
            readers.spawn(async move {
                let mut end = Vec::new();
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(Ok(read)) = timeout(Duration::from_secs(10), stream.read(&mut buffer)).await
                    && read > 0
                {
                    end.extend_from_slice(&buffer[..read]);
                    end.drain(..end.len().saturating_sub(300));
                }
                find(&end, b"event: closed\ndata: {\"reason\":\"slow\"}").is_some()
            });
        }
        Ok(readers.join_all().await.into_iter().filter(|told| *told).count())
    }
}
