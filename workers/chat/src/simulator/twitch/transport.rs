//! Sockets: one port, and the first bytes tell which of the three doors is meant.

use std::{io, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::interval_at,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::{
    super::http,
    control,
    hub::{ClientId, Hub, Out},
    protocol,
};

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
    let head = http::peek_in_time(&stream).await?;
    if !http::is_http(&head) {
        plain(stream, &hub).await
    } else if http::is_websocket(&head) {
        websocket(stream, &hub).await
    } else {
        control::answer(stream, &hub).await
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
