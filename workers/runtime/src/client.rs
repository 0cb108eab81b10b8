//! A client of the system's own HTTP API, for what tries it out: demo data and `memalerts demo`.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Method, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};

/// Somebody at the API.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
    pub(crate) user_id: String,
}

impl Client {
    /// Nobody yet, at the API with this base URL.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build().context("make an HTTP client")?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, http, token: None, user_id: String::new() })
    }

    /// A session by the dev login.
    pub(crate) async fn log_in(&self, login: &str, role: &str) -> anyhow::Result<Self> {
        let body = json!({ "login": login, "role": role });
        let answer = self.post("/auth/dev/login", &body).await.context("log in (which needs a system in dev mode)")?;
        Ok(Self { token: Some(text(&answer, "/token")?), user_id: text(&answer, "/userId")?, ..self.clone() })
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// A request with the session, for what the shorthands do not cover; goes to [`Client::send`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The JSON of a good answer; anything else is an error that holds what the server said. Whoever was too quick comes
    /// again when he was told to.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let request = request.timeout(Duration::from_secs(60)).build()?;
        let what = format!("{} {}", request.method(), request.url().path());
        let again = request.try_clone();
        let mut response = self.http.execute(request).await.with_context(|| what.clone())?;
        if let (Some(wait), Some(again)) = (told_to_wait(&response), again) {
            tokio::time::sleep(wait).await;
            response = self.http.execute(again).await.with_context(|| what.clone())?;
        }
        let status = response.status();
        let body = response.text().await.with_context(|| what.clone())?;
        if !status.is_success() {
            bail!("{what}: {status} {body}");
        }
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    /// Opens an event stream.
    pub(crate) async fn events(&self, path: &str) -> anyhow::Result<EventStream> {
        let response = self.request(Method::GET, path).header("accept", "text/event-stream").send().await?;
        let response = response.error_for_status().with_context(|| format!("open {path}"))?;
        Ok(EventStream { response, rest: Vec::new(), ready: VecDeque::new() })
    }
}

/// An open stream of server-sent events.
#[derive(Debug)]
pub(crate) struct EventStream {
    response: reqwest::Response,
    rest: Vec<u8>,
    ready: VecDeque<(String, Value)>,
}

impl EventStream {
    /// Name and data of the next event; heartbeats are passed over.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(String, Value)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let Some(chunk) = self.response.chunk().await? else { bail!("the event stream ended") };
            self.rest.extend_from_slice(&chunk);
            while let Some(end) = self.rest.windows(2).position(|bytes| bytes == b"\n\n") {
                let block: Vec<u8> = self.rest.drain(..end + 2).collect();
                self.ready.extend(parse(&String::from_utf8_lossy(&block)));
            }
        }
    }

    /// The data of the next event that fits, within half a minute.
    pub(crate) async fn wait_for(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let search = async {
            loop {
                let (found, data) = self.next().await?;
                if found == name && fits(&data) {
                    return Ok(data);
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), search).await.with_context(|| format!("no event {name} came"))?
    }
}

/// For how long, if there were too many requests.
fn told_to_wait(response: &reqwest::Response) -> Option<Duration> {
    let wait = response.headers().get(RETRY_AFTER).filter(|_| response.status() == StatusCode::TOO_MANY_REQUESTS)?;
    Some(Duration::from_secs(wait.to_str().ok()?.parse().ok()?))
}

/// One block of lines; none for a comment.
fn parse(block: &str) -> Option<(String, Value)> {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_start);
    let data = serde_json::from_str(field("data")?).ok()?;
    Some((field("event").unwrap_or("message").to_owned(), data))
}

/// A text within an answer, by JSON pointer.
pub(crate) fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no text {pointer} in {answer}"))?.to_owned())
}

/// A whole number within an answer, by JSON pointer.
pub(crate) fn number(answer: &Value, pointer: &str) -> anyhow::Result<i64> {
    answer.pointer(pointer).and_then(Value::as_i64).with_context(|| format!("no number {pointer} in {answer}"))
}
