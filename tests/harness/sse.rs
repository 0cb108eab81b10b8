//! A client of server-sent events.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;

use crate::DEADLINE;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent {
    /// `epoch-seq`; empty for events that are no place to resume from.
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    rest: Vec<u8>,
    ready: VecDeque<ServerEvent>,
    /// Id of the last event that had one: the place to resume from.
    pub last_id: String,
}

impl Events {
    pub async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.header("accept", "text/event-stream").send().await.expect("open the event stream");
        let status = response.status();
        assert!(status.is_success(), "event stream: {status} {:?}", response.text().await);
        Self { response, rest: Vec::new(), ready: VecDeque::new(), last_id: String::new() }
    }

    /// The next event; fails the test when none comes.
    pub async fn next(&mut self) -> ServerEvent {
        match tokio::time::timeout(DEADLINE, self.pull()).await {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the event stream ended"),
            Err(_) => panic!("no event within {DEADLINE:?}"),
        }
    }

    /// The next event with this name; others are passed over.
    pub async fn wait_for(&mut self, name: &str) -> ServerEvent {
        self.wait_where(name, |event| event.name == name).await
    }

    /// The next event that fits; others are passed over and named if none comes.
    pub async fn wait_where(&mut self, what: &str, mut fits: impl FnMut(&ServerEvent) -> bool) -> ServerEvent {
        let mut passed = Vec::new();
        let search = async {
            loop {
                match self.pull().await {
                    Some(event) if fits(&event) => return Some(event),
                    Some(event) => passed.push(event.name),
                    None => return None,
                }
            }
        };
        match tokio::time::timeout(DEADLINE, search).await {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the event stream ended before {what}; it had {passed:?}"),
            Err(_) => panic!("no {what} within {DEADLINE:?}; the stream had {passed:?}"),
        }
    }

    /// True when nothing comes for that long. For proving that something does *not* happen; keep it short.
    pub async fn is_silent_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.pull()).await.is_err()
    }

    /// The next event; none when the server ended the stream.
    pub async fn pull(&mut self) -> Option<ServerEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if !event.id.is_empty() {
                    self.last_id.clone_from(&event.id);
                }
                return Some(event);
            }
            let chunk = self.response.chunk().await.ok()??;
            self.rest.extend_from_slice(&chunk);
            while let Some(end) = self.rest.windows(2).position(|bytes| bytes == b"\n\n") {
                let block: Vec<u8> = self.rest.drain(..end + 2).collect();
                let block = String::from_utf8(block).expect("events are UTF-8");
                match parse(&block) {
                    Some(event) => self.ready.push_back(event),
                    // An id alone is a place to resume from, and no event.
                    None => self.last_id = field(&block, "id").unwrap_or(&self.last_id).to_owned(),
                }
            }
        }
    }
}

/// One block of lines; none for what is no event (a heartbeat, an id alone).
fn parse(block: &str) -> Option<ServerEvent> {
    let data = field(block, "data")?;
    Some(ServerEvent {
        id: field(block, "id").unwrap_or_default().to_owned(),
        name: field(block, "event").unwrap_or("message").to_owned(),
        data: serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned())),
    })
}

fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_start).next_back()
}
