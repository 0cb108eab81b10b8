//! Requests that no operation takes are refused before they are read.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, StatusCode, Version, header},
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
    if let Some(detail) = ambiguity(&request) {
        let problem = Problem::bad_request(ErrorCode::ValidationError, detail);
        return Err(poem::Error::from_response(turned_away(&mut request, problem)));
    }
    // A sender that asks first (`Expect: 100-continue`) hears a refusal before it sends anything.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let mut keys = request.headers().get_all("idempotency-key").iter();
    if keys.next().is_some_and(|key| key.to_str().is_err() || keys.next().is_some()) {
        return Err(poem::Error::from_response(turned_away(&mut request, idempotency::malformed())));
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
    } else if request.headers().contains_key(header::TRANSFER_ENCODING) {
        let detail = "say the body's length: Content-Length";
        Problem::new(StatusCode::LENGTH_REQUIRED, ErrorCode::LengthRequired, detail)
    } else {
        return inner.call(request).await.map(IntoResponse::into_response);
    };
    Err(poem::Error::from_response(turned_away(&mut request, refusal)))
}

/// What a proxy before us may have understood otherwise: where the request ends, and whom it is for (RFC 9112, 3.2 and 6.3).
fn ambiguity(request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Some("Content-Length and Transfer-Encoding: say one of them");
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    (hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11)).then_some("Host: say one")
}

/// A refusal whatever the body may be: it is left unread, and its sender hears of it all the same.
pub(crate) fn turned_away(request: &mut Request, problem: Problem) -> Response {
    let headers = request.headers();
    let empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    if empty && !headers.contains_key(header::TRANSFER_ENCODING) {
        return problem.into_response();
    }
    // A sender that asks first (`Expect: 100-continue`) hears the refusal before it sends anything.
    if !headers.contains_key(header::EXPECT) {
        Gate::new(request.take_body()).0.linger();
    }
    let mut response = problem.into_response();
    // The connection is of no further use, and the client must know.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
