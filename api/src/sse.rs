//! An event stream as an answer: `text/event-stream`.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, Stream, future::BoxFuture};
use poem::{Body, IntoResponse, Response};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};

use crate::{
    hub::{Closed, EventStream},
    screens::Present,
};

/// A stream of server-sent events; with the presence of the screen that it goes to, if it goes to one, and with what ends
/// it, if it belongs to a session.
pub(crate) struct Sse {
    stream: EventStream,
    present: Option<Present>,
    over: Option<BoxFuture<'static, Closed>>,
}

impl Sse {
    pub(crate) fn new(stream: EventStream) -> Self {
        Self { stream, present: None, over: None }
    }

    /// The screen is present for as long as the stream is open.
    pub(crate) fn to_screen(stream: EventStream, present: Present) -> Self {
        Self { stream, present: Some(present), over: None }
    }

    /// The stream ends as soon as `over` comes, which says why.
    pub(crate) fn until(self, over: impl Future<Output = Closed> + Send + 'static) -> Self {
        Self { over: Some(over.boxed()), ..self }
    }
}

/// The body; dropping it when the client is gone ends the presence.
struct SseBody {
    stream: EventStream,
    _present: Option<Present>,
    over: Option<BoxFuture<'static, Closed>>,
}

impl Stream for SseBody {
    type Item = <EventStream as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(Poll::Ready(why)) = self.over.as_mut().map(|over| over.poll_unpin(cx)) {
            self.over = None;
            self.stream.end(why);
        }
        Pin::new(&mut self.stream).poll_next(cx)
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("text/event-stream")
            .header("cache-control", "no-store")
            // nginx would gather events into blocks.
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream(SseBody { stream: self.stream, _present: self.present, over: self.over }))
    }
}

/// One event of a stream.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct StreamEvent {
    /// `<epoch>-<seq>`: where in the stream it stands; to be given back as `Last-Event-ID`.
    pub(crate) id: Option<String>,
    /// Its name, e.g. `activation:new`.
    pub(crate) event: Option<String>,
    /// What it tells, as JSON on one line.
    pub(crate) data: String,
}

impl ApiResponse for Sse {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Server-sent events. Each has `id: <epoch>-<seq>`, `event: <name>` and `data: <JSON>` on one \
                              line; give the last id back as `Last-Event-ID` to go on without a gap. `reset` says that the \
                              given id means nothing any more; `closed` says why the stream ends. A comment comes every 15 \
                              seconds of silence.",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType { content_type: "text/event-stream", schema: StreamEvent::schema_ref() }],
                headers: vec![],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        StreamEvent::register(registry);
    }
}
