//! A server that files are fetched from, and listeners that nobody may ever connect to.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use harness::Builder;

/// What is answered at a path.
#[derive(Clone)]
pub(crate) enum Reply {
    File(Vec<u8>),
    Status(u16, &'static str),
    /// The header as it is written.
    Redirect(String),
    /// Bytes without end, and without a length.
    Endless(Vec<u8>),
    /// Of so many bytes the first ones, then the connection ends.
    Torn(Vec<u8>, usize),
    /// Nothing, for a long time.
    Silence,
}

#[derive(Default)]
struct World {
    replies: HashMap<String, Vec<Reply>>,
    asked: Vec<String>,
}

/// Lives as long as the story's process; each connection has a thread of its own, as stories block theirs.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl Host {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Self { address: listener.local_addr().unwrap(), world: Arc::default() };
        let world = host.world.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let world = world.clone();
                thread::spawn(move || answer(connection, &world));
            }
        });
        host
    }

    /// What is answered at this path, one after the other; the last one stays.
    pub(crate) fn at(&self, path: &str, replies: &[Reply]) -> String {
        self.world.lock().unwrap().replies.insert(path.to_owned(), replies.to_vec());
        format!("https://media.test{path}")
    }

    /// Lines of the requests so far, `path host`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.world.lock().unwrap().asked.clone()
    }

    pub(crate) fn env(&self) -> [(&'static str, String); 2] {
        let (hosts, to) = ("media.test,*.cdn.test".to_owned(), self.address);
        [("IMPORT_HOSTS", hosts), ("IMPORT_RESOLVE", format!("media.test={to},a.cdn.test={to}"))]
    }

    pub(crate) fn known_to(&self, builder: Builder) -> Builder {
        self.env().iter().fold(builder, |builder, (name, value)| builder.env(name, value))
    }
}

fn answer(mut connection: TcpStream, world: &Mutex<World>) -> Option<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        let read = connection.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        // TLS is not spoken here.
        request.first().filter(|first| first.is_ascii_uppercase())?;
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let host = request.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned))?;
    let reply = {
        let mut world = world.lock().unwrap();
        world.asked.push(format!("{path} {host}"));
        match world.replies.get_mut(&path) {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies.first().cloned()?,
            None => Reply::Status(404, ""),
        }
    };
    // What it says of the bytes is not listened to.
    let mut begin = |status: u16, more: &str| {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: video/mp4\r\nconnection: close\r\n{more}\r\n");
        connection.write_all(head.as_bytes()).ok()
    };
    match reply {
        Reply::File(bytes) => {
            begin(200, &format!("content-length: {}\r\n", bytes.len()))?;
            connection.write_all(&bytes).ok()?;
        }
        Reply::Status(status, more) => begin(status, &format!("content-length: 0\r\n{more}"))?,
        Reply::Redirect(to) => begin(302, &format!("content-length: 0\r\nlocation: {to}\r\n"))?,
        Reply::Endless(bytes) => {
            begin(200, "")?;
            loop {
                connection.write_all(&bytes).ok()?;
            }
        }
        Reply::Torn(bytes, promised) => {
            begin(200, &format!("content-length: {promised}\r\n"))?;
            connection.write_all(&bytes).ok()?;
        }
        Reply::Silence => thread::sleep(Duration::from_secs(300)),
    }
    Some(())
}

/// Listens on all addresses of this machine and counts who comes from here.
pub(super) struct Canary {
    pub(super) port: u16,
    came: Arc<AtomicUsize>,
}

impl Canary {
    pub(super) fn set() -> Self {
        // The first is all of both families, where there are two.
        let listener = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0")).unwrap();
        Self::on(listener)
    }

    /// At a usual port of this machine itself, where it is free and we may.
    pub(super) fn at(address: &str) -> Option<Self> {
        TcpListener::bind(address).ok().map(Self::on)
    }

    fn on(listener: TcpListener) -> Self {
        let canary = Self { port: listener.local_addr().unwrap().port(), came: Arc::default() };
        let came = canary.came.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let ip = |address: std::io::Result<SocketAddr>| address.ok().map(|address| address.ip().to_canonical());
                // The world is full of people who try doors.
                if ip(connection.peer_addr()) == ip(connection.local_addr()) {
                    came.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        canary
    }

    pub(super) fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    /// It hears whoever comes: a canary that is deaf proves nothing.
    pub(super) async fn is_heard(&self, from: IpAddr) {
        let before = self.came();
        drop(TcpStream::connect((from, self.port)).unwrap());
        harness::wait_until("the canary sings", async || (self.came() > before).then_some(())).await;
        self.came.store(0, Ordering::SeqCst);
    }
}
