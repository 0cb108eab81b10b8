//! Requests that PostgreSQL sacrificed to others are made again.
//!
//! Of two transactions that wait for each other, the server ends one. Nothing of it was written and its client did nothing
//! wrong, so the whole request is made once more, and the client hears of it only if that does not help either.

use std::{sync::Arc, time::Duration};

use poem::{Endpoint, IntoResponse, Request, Response};
use tokio::time::sleep;

/// A mark on the failure of a request whose transaction was sacrificed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sacrificed;

/// The pauses before each further try; after the last one, the client is told to come again.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    [10, 20, 40, 80, 160].into_iter().map(Duration::from_millis)
}

/// Makes the request again as long as its answer bears the mark. Not those that only read, which wait for nobody; not
/// uploads, whose bodies are gone by then and which do this by themselves; and not those of our own processes, which ask
/// again anyway.
pub(crate) async fn if_sacrificed<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let streamed = request.content_type().is_some_and(|kind| kind.starts_with("multipart/"));
    if request.method().is_safe() || streamed || request.uri().path().starts_with("/internal/") {
        return inner.call(request).await.map(IntoResponse::into_response);
    }
    // No longer than what `limits` lets through.
    let body = request.take_body().into_bytes().await?;
    let (method, uri, version) = (request.method().clone(), request.uri().clone(), request.version());
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    request.set_body(body.clone());
    for pause in pauses() {
        match inner.call(request).await {
            Err(error) if error.data::<Sacrificed>().is_some() => {}
            answer => return answer.map(IntoResponse::into_response),
        }
        sleep(pause).await;
        request = Request::builder().method(method.clone()).uri(uri.clone()).version(version).body(body.clone());
        request.headers_mut().clone_from(&headers);
        request.extensions_mut().clone_from(&extensions);
    }
    inner.call(request).await.map(IntoResponse::into_response)
}
