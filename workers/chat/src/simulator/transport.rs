//! Sockets: one port, and the first bytes tell which of the three doors is meant.

use std::{io, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{interval_at, timeout},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::{
    control,
    hub::{ClientId, Hub, Out},
    protocol,
};

/// For the first bytes of a connection.
const FIRST_BYTES: Duration = Duration::from_secs(10);

pub(super) async fn serve(listener: TcpListener, hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (hub, stop) = (hub.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        result = welcome(stream, hub) => {
                            if let Err(error) = result {
                                tracing::debug!(%error, "a client of the simulator is gone");
                            }
                        }
                    }
                });
            }
        }
    }
}

async fn welcome(stream: TcpStream, hub: Arc<Hub>) -> io::Result<()> {
    // Small lines must not wait for one another.
    stream.set_nodelay(true)?;
    let head = timeout(FIRST_BYTES, peek(&stream)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if !head.starts_with("get ") && !head.starts_with("post ") {
        return plain(stream, &hub).await;
    }
    if head.contains("\r\nupgrade: websocket") {
        websocket(stream, &hub).await
    } else {
        control::answer(stream, &hub).await
    }
}

/// The beginning of what the client says, in lower case, left in the socket: a line at least, all headers if it is HTTP.
async fn peek(stream: &TcpStream) -> io::Result<String> {
    let mut buffer = [0; 4096];
    let mut before = 0;
    loop {
        let length = stream.peek(&mut buffer).await?;
        let head = String::from_utf8_lossy(&buffer[..length]).to_lowercase();
        let http = head.starts_with("get ") || head.starts_with("post ");
        let whole = if http { head.contains("\r\n\r\n") } else { head.contains('\n') };
        if whole || length == 0 || length == buffer.len() {
            return Ok(head);
        }
        if length == before {
            // Nothing new: peeking does not wait for more than there is.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        before = length;
    }
}

async fn websocket(stream: TcpStream, hub: &Hub) -> io::Result<()> {
    let mut socket = accept_async(stream).await.map_err(io::Error::other)?;
    let (out, mut outgoing) = mpsc::unbounded_channel();
    let client = Guest { hub, id: hub.arrive("websocket", out) };
    let mut ping = interval_at(tokio::time::Instant::now() + hub.settings.ping_every, hub.settings.ping_every);
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => client.hear(text.as_bytes()),
                Some(Ok(Message::Binary(bytes))) => client.hear(&bytes),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            out = outgoing.recv() => match out {
                Some(Out::Lines(bytes)) => {
                    let frame = match String::from_utf8(bytes) {
                        Ok(text) => Message::text(text),
                        Err(error) => Message::binary(error.into_bytes()),
                    };
                    socket.send(frame).await.map_err(io::Error::other)?;
                }
                Some(Out::Close) | None => return Ok(()),
            },
            _ = ping.tick() => hub.ping(client.id),
        }
    }
}

async fn plain(stream: TcpStream, hub: &Hub) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let (out, mut outgoing) = mpsc::unbounded_channel();
    let client = Guest { hub, id: hub.arrive("tcp", out) };
    let mut ping = interval_at(tokio::time::Instant::now() + hub.settings.ping_every, hub.settings.ping_every);
    // Kept outside of the loop: reading a line may be interrupted in its middle.
    let mut line = Vec::new();
    loop {
        tokio::select! {
            read = reading.read_until(b'\n', &mut line) => {
                if read? == 0 {
                    return Ok(());
                }
                client.hear(&line);
                line.clear();
            }
            out = outgoing.recv() => match out {
                Some(Out::Lines(bytes)) => writing.write_all(&bytes).await?,
                Some(Out::Close) | None => return Ok(()),
            },
            _ = ping.tick() => hub.ping(client.id),
        }
    }
}

/// Leaves the hub when its connection ends, however it ends.
struct Guest<'a> {
    hub: &'a Hub,
    id: ClientId,
}

impl Guest<'_> {
    fn hear(&self, frame: &[u8]) {
        for line in frame.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                protocol::hear(self.hub, self.id, line);
            }
        }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}
