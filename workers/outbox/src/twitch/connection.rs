//! One connection that writes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::outbox::Text;
use irc::Line;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf},
    net::TcpStream,
    sync::{oneshot, watch},
    task::AbortHandle,
    time::{Instant, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use url::Url;

use super::Settings;
use crate::Delivery;

/// To connect and log in.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// For the platform's answer to a message.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A connection that was silent for this long must first answer a PING.
const TRUSTED_FOR: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(3);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
type Reading = BufReader<ReadHalf<Box<dyn Stream>>>;
type Writing = WriteHalf<Box<dyn Stream>>;

/// Who waits for the answer to a message, by channel.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Delivery>>>>;

pub(super) struct Connection {
    writing: tokio::sync::Mutex<Writing>,
    waiting: Waiting,
    /// When the other side last said something; closed with the connection.
    heard: watch::Receiver<Instant>,
    reader: AbortHandle,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("heard", &*self.heard.borrow()).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) async fn open(settings: &Settings) -> Result<Self, String> {
        timeout(CONNECT_WITHIN, Self::log_in(settings))
            .await
            .map_err(|_| "the platform did not answer in time".to_owned())?
    }

    async fn log_in(settings: &Settings) -> Result<Self, String> {
        let (reading, mut writing) = tokio::io::split(dial(&settings.url).await?);
        let mut reading = BufReader::new(reading);
        let hello = [
            Line::new("CAP", ["REQ", "twitch.tv/tags twitch.tv/commands"]),
            Line::new("PASS", [settings.token.pass().as_str()]),
            Line::new("NICK", [settings.login.as_str()]),
        ];
        for line in hello {
            write(&mut writing, &line).await.map_err(|error| error.to_string())?;
        }
        loop {
            let line = read(&mut reading).await?;
            match line.command.as_str() {
                "376" => break,
                "NOTICE" => {
                    let reason = line.params.last().cloned().unwrap_or_default();
                    return Err(format!("the platform refused the bot's login: {reason}"));
                }
                _ => {}
            }
        }
        let waiting = Waiting::default();
        let (heard_now, heard) = watch::channel(Instant::now());
        let reader = tokio::spawn(listen(reading, waiting.clone(), heard_now)).abort_handle();
        Ok(Self { writing: tokio::sync::Mutex::new(writing), waiting, heard, reader })
    }

    /// Whether it can be written to: it spoke lately, or answers now.
    pub(super) async fn is_alive(&self) -> bool {
        let mut heard = self.heard.clone();
        if heard.has_changed().is_err() {
            return false;
        }
        if heard.borrow_and_update().elapsed() < TRUSTED_FOR {
            return true;
        }
        let ping = Line::new("PING", ["memalerts"]);
        let asked = write(&mut *self.writing.lock().await, &ping).await;
        asked.is_ok() && matches!(timeout(PONG_WITHIN, heard.changed()).await, Ok(Ok(())))
    }

    pub(super) async fn say(&self, channel: &str, text: &Text) -> Delivery {
        let (answered, answer) = oneshot::channel();
        match lock(&self.waiting).entry(channel.to_owned()) {
            Entry::Vacant(free) => drop(free.insert(answered)),
            Entry::Occupied(_) => return Delivery::NotWritten("another message is on its way to this chat".to_owned()),
        }
        // After the registration, or a connection that ended just before would never tell.
        if self.heard.has_changed().is_err() {
            lock(&self.waiting).remove(channel);
            return Delivery::NotWritten("the connection is gone".to_owned());
        }
        let written = write(&mut *self.writing.lock().await, &Line::privmsg(channel, text.as_str())).await;
        let outcome = match written {
            Ok(()) => timeout(ANSWER_WITHIN, answer).await,
            // Some of it may have arrived.
            Err(error) => return self.give_up(channel, &error.to_string()),
        };
        match outcome {
            Ok(Ok(delivery)) => delivery,
            Ok(Err(_)) => self.give_up(channel, "the connection was lost before the platform confirmed"),
            Err(_) => self.give_up(channel, "the platform did not confirm in time"),
        }
    }

    /// Hangs up: an answer that comes later must not be taken for the next message's.
    fn give_up(&self, channel: &str, reason: &str) -> Delivery {
        lock(&self.waiting).remove(channel);
        self.reader.abort();
        Delivery::Doubtful(reason.to_owned())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads until the connection ends; then whoever still waits learns that no answer will come.
async fn listen(mut reading: Reading, waiting: Waiting, heard: watch::Sender<Instant>) {
    struct Forget(Waiting);
    impl Drop for Forget {
        fn drop(&mut self) {
            lock(&self.0).clear();
        }
    }
    let forget = Forget(waiting);
    while let Ok(line) = read(&mut reading).await {
        heard.send_replace(Instant::now());
        let delivery = match line.command.as_str() {
            "USERSTATE" => Delivery::Sent { provider_message_id: line.tags.get("id").map(str::to_owned) },
            "NOTICE" => Delivery::Refused { code: line.tags.get("msg-id").unwrap_or("refused").to_owned() },
            "RECONNECT" => return,
            _ => continue,
        };
        if let Some(waiter) = line.channel(0).and_then(|channel| lock(&forget.0).remove(channel)) {
            // The waiter may have given up in this moment; then the message stays in doubt.
            drop(waiter.send(delivery));
        }
    }
}

async fn dial(url: &str) -> Result<Box<dyn Stream>, String> {
    let url = Url::parse(url).map_err(|error| format!("TWITCH_IRC_SEND_URL: {error}"))?;
    let tls = url.scheme() == "ircs";
    let host = url.host_str().ok_or("TWITCH_IRC_SEND_URL names no host")?.to_owned();
    let port = url.port().unwrap_or(if tls { 6697 } else { 6667 });
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    Ok(Box::new(stream))
}

async fn write(writing: &mut Writing, line: &Line) -> std::io::Result<()> {
    writing.write_all(format!("{line}\r\n").as_bytes()).await?;
    writing.flush().await
}

/// The next line that can be read; others are skipped.
async fn read(reading: &mut Reading) -> Result<Line, String> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if reading.read_until(b'\n', &mut bytes).await.map_err(|error| error.to_string())? == 0 {
            return Err("the other side hung up".to_owned());
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if let Ok(line) = Line::parse_bytes(line.strip_suffix(b"\r").unwrap_or(line)) {
            return Ok(line);
        }
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Delivery>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
