//! The server: a thread of its own with a runtime of its own, so that a test that blocks does not hold it up.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use hyper::{Method, body::Incoming, header::IF_NONE_MATCH, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    Body,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::faults::{Fault, Planned, no_such_bucket};

/// The one bucket.
pub const BUCKET: &str = "memes";
pub const REGION: &str = "eu-central-1";
pub const ACCESS_KEY: &str = "AKIATEST";
pub const SECRET_KEY: &str = "a-secret-of-tests-only";

/// A running server; gone with its objects when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    folder: tempfile::TempDir,
    faults: Arc<Faults>,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Faults {
    /// Held by who writes on a condition.
    alone: tokio::sync::Mutex<()>,
    planned: Mutex<Vec<Planned>>,
    seen: Mutex<Vec<String>>,
}

impl Server {
    /// Starts it on a free port of this machine.
    #[must_use]
    pub fn start() -> Self {
        Self::at(0)
    }

    /// The same on this port.
    #[must_use]
    pub fn at(port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a file system"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (faults, stop) = (Arc::new(Faults::default()), CancellationToken::new());
        let thread = thread::spawn({
            let (faults, stop) = (faults.clone(), stop.clone());
            move || {
                let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                tokio.block_on(stop.run_until_cancelled(serve(listener, service, faults)));
            }
        });
        Self { address, folder, faults, stop, thread: Some(thread) }
    }

    /// What `S3_ENDPOINT` says to it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The settings of a system that keeps its files here.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 6] {
        [
            ("UPLOAD_STORAGE", "s3".to_owned()),
            ("S3_ENDPOINT", self.endpoint()),
            ("S3_REGION", REGION.to_owned()),
            ("S3_BUCKET", BUCKET.to_owned()),
            ("S3_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("S3_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// The next so many requests of this method, with this in their path or query, fail like this. Whoever was planned
    /// first comes first.
    pub fn fail(&self, fault: Fault, method: &str, part: &str, times: usize) {
        let method = method.parse::<Method>().expect("a method");
        lock(&self.faults.planned).push(Planned { fault, method, part: part.to_owned(), times });
    }

    /// Nothing goes wrong any more. How many faults have not come up.
    pub fn heal(&self) -> usize {
        lock(&self.faults.planned).drain(..).map(|planned| planned.times).sum()
    }

    /// Requests so far, `PUT /memes/ab/cd/...`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.faults.seen).clone()
    }

    /// Keys of the bucket's objects.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        let bucket = self.folder.path().join(BUCKET);
        let (mut dirs, mut keys) = (vec![bucket.clone()], BTreeSet::new());
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).expect("a folder of the bucket") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    keys.insert(path.strip_prefix(&bucket).expect("below it").display().to_string());
                }
            }
        }
        keys
    }

    /// The file behind a key.
    #[must_use]
    pub fn file(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// Where everything lies, parts of unfinished uploads too.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Faults {
    /// The fault of this request, if one is planned for it.
    fn of(&self, method: &Method, target: &str) -> Option<Fault> {
        lock(&self.seen).push(format!("{method} {target}"));
        let mut planned = lock(&self.planned);
        let at = planned.iter().position(|planned| planned.method == method && target.contains(&planned.part))?;
        let fault = planned[at].fault;
        planned[at].times -= 1;
        if planned[at].times == 0 {
            planned.remove(at);
        }
        Some(fault)
    }
}

async fn serve(listener: std::net::TcpListener, service: S3Service, faults: Arc<Faults>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let (service, faults) = (service.clone(), faults.clone());
        let answer = service_fn(move |request| answer(service.clone(), faults.clone(), request));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
    }
}

/// An error ends the connection.
async fn answer(
    service: S3Service,
    faults: Arc<Faults>,
    request: hyper::Request<Incoming>,
) -> io::Result<s3s::HttpResponse> {
    let fault = faults.of(request.method(), &request.uri().to_string());
    // The file system below asks for no folder to be there before, and looks before it writes: S3 does neither.
    if request.uri().path().split('/').nth(1) != Some(BUCKET) {
        return Ok(no_such_bucket());
    }
    let alone = request.headers().contains_key(IF_NONE_MATCH);
    let _alone = if alone { Some(faults.alone.lock().await) } else { None };
    if let Some(fault) = fault.filter(|fault| !fault.reaches_the_server()) {
        return fault.instead().await.ok_or_else(|| io::Error::other("on order"));
    }
    let response = service.call(request.map(Body::from)).await;
    let response = response.map_err(|error| io::Error::other(format!("{error:?}")))?;
    match fault {
        Some(fault) => Ok(fault.after(response).await),
        None => Ok(response),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
