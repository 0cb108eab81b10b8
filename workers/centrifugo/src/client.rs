//! The machine on a socket.

use std::{
    future::poll_fn,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::{Sink, StreamExt};
use tokio::{net::TcpStream, time::timeout_at};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::machine::{Again, Closed, Event, Machine, Position};

/// The largest frame that is taken, in bytes.
const MOST: usize = 4 << 20;
/// Nothing is due before then.
const LONG: Duration = Duration::from_secs(3600);

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// With another token it may do.
    #[error("the token was refused: {0}")]
    Token(String),
    /// Trying again will not help.
    #[error("refused: {0}")]
    Refused(String),
}

/// A connection whose login was taken. The caller bounds how long connecting may take.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    machine: Machine,
}

impl Client {
    /// Connects to `url` (`ws://` or `wss://`, with the query that the server asks for) with a connection token.
    ///
    /// # Errors
    /// There is no connection; see [`ConnectError`].
    pub async fn connect(url: &str, token: &str) -> Result<Self, ConnectError> {
        let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        let (socket, _) = connect_async_with_config(url, Some(config), false)
            .await
            .map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let mut client = Self { socket, machine: Machine::new(token, "memalerts", Instant::now()) };
        match client.next().await {
            // Nothing else can come first: nothing is subscribed to yet.
            Ok(_) => Ok(client),
            Err(closed) => Err(match closed.again {
                Again::Later => ConnectError::Unreachable(closed.to_string()),
                Again::WithAnotherToken => ConnectError::Token(closed.to_string()),
                Again::Never => ConnectError::Refused(closed.to_string()),
            }),
        }
    }

    /// Asks for a channel, with its token where it is not public, and from where it was heard last; [`Event::Subscribed`] or
    /// [`Event::Refused`] follows. What is asked goes out with the next [`Self::next`].
    pub fn subscribe(&mut self, channel: &str, token: Option<&str>, from: Option<Position>) {
        self.machine.subscribe(channel, token, from, Instant::now());
    }

    /// Leaves a channel: nothing more is heard of it.
    pub fn unsubscribe(&mut self, channel: &str) {
        self.machine.unsubscribe(channel, Instant::now());
    }

    /// Goes on with a new token.
    pub fn refresh(&mut self, token: &str) {
        self.machine.refresh(token, Instant::now());
    }

    /// Goes on with a new token of the channel.
    pub fn refresh_channel(&mut self, channel: &str, token: &str) {
        self.machine.refresh_channel(channel, token, Instant::now());
    }

    /// How far the channel was heard; none where it keeps nothing.
    #[must_use]
    pub fn position(&self, channel: &str) -> Option<&Position> {
        self.machine.position(channel)
    }

    /// The next thing worth knowing. Cancel safe.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn next(&mut self) -> Result<Event, Closed> {
        loop {
            if let Some(event) = self.machine.event() {
                return Ok(event);
            }
            let deadline = self.machine.deadline().unwrap_or_else(|| Instant::now() + LONG);
            match timeout_at(deadline.into(), self.step()).await {
                Ok(stepped) => stepped?,
                Err(_) => self.machine.wake(Instant::now())?,
            }
        }
    }

    /// Sends what is to be sent and takes one frame.
    async fn step(&mut self) -> Result<(), Closed> {
        while !self.machine.out.is_empty() {
            // Only what the socket has room for leaves the queue: whoever stops waiting here has lost nothing.
            poll_fn(|context| Pin::new(&mut self.socket).poll_ready(context)).await.map_err(lost)?;
            if let Some(text) = self.machine.out.pop_front() {
                Pin::new(&mut self.socket).start_send(Message::text(text)).map_err(lost)?;
            }
        }
        poll_fn(|context| Pin::new(&mut self.socket).poll_flush(context)).await.map_err(lost)?;
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => self.machine.hear(text.as_str(), Instant::now()),
            Some(Ok(Message::Close(Some(frame)))) => {
                Err(Closed::with_code(frame.code.into(), frame.reason.as_str().to_owned()))
            }
            Some(Ok(Message::Close(None))) | None => Err(Closed::lost("the other side hung up")),
            // The library answers control frames; bytes are of the protocol's other form.
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(lost(error)),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn lost(error: tungstenite::Error) -> Closed {
    Closed::lost(error.to_string())
}

#[cfg(test)]
mod tests {
    use futures_util::SinkExt as _;
    use serde_json::json;
    use tokio::{net::TcpListener, time::timeout};
    use tokio_tungstenite::{
        accept_async,
        tungstenite::protocol::{CloseFrame, frame::coding::CloseCode},
    };

    use super::*;
    use crate::{Command, Recovery, Request, Said, commands};

    type Socket = WebSocketStream<TcpStream>;

    async fn heard(socket: &mut Socket) -> Vec<Said> {
        let frame = socket.next().await.unwrap().unwrap();
        commands(frame.to_text().unwrap()).map(Result::unwrap).collect()
    }

    async fn say(socket: &mut Socket, text: String) {
        socket.send(Message::text(text)).await.unwrap();
    }

    /// A server that hears one connection; its address.
    async fn server<F: Future<Output = ()> + Send>(play: impl FnOnce(Socket) -> F + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/connection/websocket?format=json", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            play(accept_async(stream).await.unwrap()).await;
        });
        url
    }

    #[tokio::test]
    async fn a_conversation_from_the_login_to_the_end_of_the_token() {
        let url = server(async |mut socket| {
            let Said::Command(Command { id, request }) = heard(&mut socket).await.remove(0) else {
                panic!("a command")
            };
            assert_eq!(request, Request::Connect { token: "jwt".to_owned(), name: "memalerts".to_owned() });
            say(&mut socket, json!({ "id": id, "connect": { "client": "c", "ping": 25, "pong": true } }).to_string())
                .await;
            let Said::Command(Command { id, request }) = heard(&mut socket).await.remove(0) else {
                panic!("a command")
            };
            let Request::Subscribe { channel, token: None, from: None } = request else { panic!("{request:?}") };
            let answer = json!({ "id": id, "subscribe": { "recoverable": true, "epoch": "e", "offset": 7 } });
            let push = json!({ "push": { "channel": channel, "pub": { "data": { "type": "x" }, "offset": 8 } } });
            say(&mut socket, format!("{answer}\n{{}}\n{push}\n")).await;
            assert_eq!(heard(&mut socket).await, [Said::Pong]);
            let farewell = CloseFrame { code: CloseCode::Library(3005), reason: "connection expired".into() };
            socket.close(Some(farewell)).await.unwrap();
        })
        .await;

        let mut client = Client::connect(&url, "jwt").await.unwrap();
        client.subscribe("chat:1", None, None);
        let subscribed = Event::Subscribed { channel: "chat:1".to_owned(), recovery: Recovery::Fresh };
        assert_eq!(client.next().await, Ok(subscribed));
        let published = Event::Published { channel: "chat:1".to_owned(), data: json!({ "type": "x" }) };
        assert_eq!(client.next().await, Ok(published));
        assert_eq!(client.position("chat:1"), Some(&Position { epoch: "e".to_owned(), offset: 8 }));
        let closed = client.next().await.unwrap_err();
        assert_eq!((closed.code, closed.again), (3005, Again::WithAnotherToken));
    }

    #[tokio::test]
    async fn who_stops_waiting_loses_nothing() {
        let url = server(async |mut socket| {
            heard(&mut socket).await;
            say(&mut socket, json!({ "id": 1, "connect": {} }).to_string()).await;
            heard(&mut socket).await;
            say(&mut socket, json!({ "id": 2, "subscribe": {} }).to_string()).await;
            for number in 0..500 {
                say(&mut socket, json!({ "push": { "channel": "c", "pub": { "data": number } } }).to_string()).await;
            }
        })
        .await;
        let mut client = Client::connect(&url, "jwt").await.unwrap();
        client.subscribe("c", None, None);
        let mut numbers = Vec::new();
        while numbers.len() < 500 {
            match timeout(Duration::from_micros(50), client.next()).await {
                Ok(Ok(Event::Published { data, .. })) => numbers.push(data.as_u64().unwrap()),
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(closed)) => panic!("{closed} after {}", numbers.len()),
            }
        }
        assert!(numbers.is_sorted() && numbers[499] == 499);
    }

    #[tokio::test]
    async fn a_login_that_is_refused_says_whether_another_token_helps() {
        for (code, expected) in [(109, "token"), (103, "refused"), (100, "unreachable")] {
            let url = server(async move |mut socket| {
                heard(&mut socket).await;
                say(&mut socket, json!({ "id": 1, "error": { "code": code, "message": "no" } }).to_string()).await;
            })
            .await;
            let outcome = match Client::connect(&url, "jwt").await {
                Err(ConnectError::Token(_)) => "token",
                Err(ConnectError::Refused(_)) => "refused",
                Err(ConnectError::Unreachable(_)) => "unreachable",
                Ok(_) => "connected",
            };
            assert_eq!(outcome, expected, "{code}");
        }
        assert!(matches!(Client::connect("ws://127.0.0.1:1/", "jwt").await, Err(ConnectError::Unreachable(_))));
    }
}
