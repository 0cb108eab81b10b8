//! A person with a session, who speaks JSON over a real socket.

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{Events, promise};

/// Somebody's session (or nobody's).
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// Empty for nobody.
    pub login: String,
    pub user_id: String,
    /// Of the streamer's own channel.
    pub channel_slug: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `null` when the body is not JSON.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// The JSON body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "unexpected status, with body: {}", self.text);
        self.json
    }

    /// The `errorCode` of a problem.
    #[must_use]
    pub fn error_code(&self) -> &str {
        self.json["errorCode"].as_str().unwrap_or_default()
    }

    /// A header as text; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Session {
    /// The same person, at another instance of the same system.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same client, with this access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A request to a path, with the session's token: for everything the shorthands below do not cover.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Self::send(self.request(Method::DELETE, path)).await
    }

    /// Sends what [`Session::request`] began. An error that `openapi.yaml` does not promise fails the story.
    pub async fn send(request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.expect("a request that can be sent");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("send the request");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("read the answer");
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        promise::check(&method, &path, status, content_type, &text);
        Answer { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    /// Opens an event stream.
    pub async fn events(&self, path: &str) -> Events {
        Events::open(self.request(Method::GET, path)).await
    }

    /// Opens an event stream after the event with this id.
    pub async fn events_after(&self, path: &str, last_event_id: &str) -> Events {
        Events::open(self.request(Method::GET, path).header("last-event-id", last_event_id)).await
    }
}
