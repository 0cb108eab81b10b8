//! Requests that no operation takes are refused before they are read.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, StatusCode, header},
};

use crate::{
    gate::Gate,
    idempotency,
    problem::{ErrorCode, Problem},
};

/// The largest body that is read into memory. Uploads are streamed and have a limit of their own.
const LIMIT: u64 = 1024 * 1024;

/// 413 for a body over 1 MiB, 411 for one that does not say how long it is; multipart bodies pass, through a [`Gate`]. 400
/// for an address with a NUL in it, which PostgreSQL's text cannot hold, and for a key of a request that is not text: as a
/// parameter it would count as absent, and its request would be done again. Whoever refuses, the sender hears it.
pub(crate) async fn refuse_odd_requests<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let address = request.uri().path_and_query().map(poem::http::uri::PathAndQuery::as_str).unwrap_or_default();
    if address.contains("%00") {
        return Err(Problem::bad_request(ErrorCode::ValidationError, "the address has a NUL character in it").into());
    }
    // A sender that asks first (`Expect: 100-continue`) hears a refusal before it sends anything.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let mut keys = request.headers().get_all("idempotency-key").iter();
    if keys.next().is_some_and(|key| key.to_str().is_err() || keys.next().is_some()) {
        if !asks_first {
            Gate::new(request.take_body()).0.linger();
        }
        return Err(unread(idempotency::malformed()));
    }
    if request.content_type().is_some_and(|kind| kind.starts_with("multipart/")) {
        let (gate, through) = Gate::new(request.take_body());
        request.set_body(through);
        request.set_data(gate.clone());
        let answer = inner.call(request).await.map(IntoResponse::into_response);
        if !asks_first && !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            gate.linger();
        }
        return answer;
    }
    let length = request.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let refusal = if length.is_some_and(|length| length > LIMIT) {
        let detail = format!("a body has at most {LIMIT} bytes here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::FileTooLarge, detail)
    } else if length.is_none() && request.header("transfer-encoding").is_some() {
        let detail = "say the body's length: Content-Length";
        Problem::new(StatusCode::LENGTH_REQUIRED, ErrorCode::LengthRequired, detail)
    } else {
        return inner.call(request).await.map(IntoResponse::into_response);
    };
    if !asks_first {
        Gate::new(request.take_body()).0.linger();
    }
    Err(unread(refusal))
}

/// A refusal that leaves the body where it is: the connection is of no further use, and the client must know.
fn unread(problem: Problem) -> poem::Error {
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    poem::Error::from_response(response)
}
