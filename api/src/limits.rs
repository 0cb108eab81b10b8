//! Requests that no operation takes are refused before they are read.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request,
    http::{HeaderValue, StatusCode, header},
};

use crate::problem::{ErrorCode, Problem};

/// The largest body that is read into memory. Uploads are streamed and have a limit of their own.
const LIMIT: u64 = 1024 * 1024;

/// 413 for a body over 1 MiB, 411 for one that does not say how long it is; multipart bodies pass. 400 for an address with
/// a NUL in it, which PostgreSQL's text cannot hold.
pub(crate) async fn refuse_odd_requests<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<E::Output> {
    let address = request.uri().path_and_query().map(poem::http::uri::PathAndQuery::as_str).unwrap_or_default();
    if address.contains("%00") {
        return Err(Problem::bad_request(ErrorCode::ValidationError, "the address has a NUL character in it").into());
    }
    if !request.content_type().is_some_and(|kind| kind.starts_with("multipart/")) {
        let length = request.header("content-length").and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > LIMIT) {
            let detail = format!("a body has at most {LIMIT} bytes here");
            return Err(unread(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::FileTooLarge, detail)));
        }
        if length.is_none() && request.header("transfer-encoding").is_some() {
            let detail = "say the body's length: Content-Length";
            return Err(unread(Problem::new(StatusCode::LENGTH_REQUIRED, ErrorCode::LengthRequired, detail)));
        }
    }
    inner.call(request).await
}

/// A refusal that leaves the body where it is: the connection is of no further use, and the client must know.
fn unread(problem: Problem) -> poem::Error {
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    poem::Error::from_response(response)
}
