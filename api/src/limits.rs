//! Requests that no operation takes are refused before they are read.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, Method, StatusCode, Version, header},
};

use crate::{
    gate::Gate,
    idempotency,
    pace::{self, Pace},
    problem::{ErrorCode, Problem},
};

/// The largest body that is read into memory. Uploads are streamed and have a limit of their own.
const LIMIT: u64 = 1024 * 1024;
/// The same of a channel's looks of its overlay: as many and as long as they may be.
const LIMIT_OF_PRESETS: u64 = 16 * 1024 * 1024;

/// The same of what a platform tells; the largest real one is a tenth of it.
const LIMIT_OF_NOTICES: u64 = 256 * 1024;

/// Bytes of an address, and of all that stands in a head behind it. Below what the HTTP library takes, whose own refusals
/// have no body and no headers.
const MOST_ADDRESS: usize = 8 * 1024;
const MOST_HEADERS: usize = 32 * 1024;

/// A mark on requests that ask with HEAD, which the framework makes a GET of: whoever answers them changes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnlyHead;

/// Whether a GET of this path does something that cannot be done for a head alone: steps of a login on the way to another
/// platform and back, and event streams, which make a screen present.
pub(crate) fn is_get_alone(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let steps = parts.next() == Some("auth") && !matches!(parts.next(), None | Some("accounts" | "sessions"));
    steps || path.ends_with("/events")
}

/// 414 and 431 for a head that is too long; 413 for a body over 1 MiB, 411 for one that does not say how long it is;
/// multipart bodies pass, through a [`Gate`]. 400 for an address with a NUL in it, which PostgreSQL's text cannot hold, and
/// for a key of a request that is not text: as a parameter it would count as absent, and its request would be done again.
/// Whoever refuses, the sender hears it.
pub(crate) async fn refuse_odd_requests<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let address = request.uri().path_and_query().map(poem::http::uri::PathAndQuery::as_str).unwrap_or_default();
    if let Some(problem) = excess(&request, address) {
        return Err(poem::Error::from_response(turned_away(&mut request, problem)));
    }
    if address.contains("%00") {
        return Err(Problem::bad_request(ErrorCode::ValidationError, "the address has a NUL character in it").into());
    }
    if *request.method() == Method::HEAD {
        if is_get_alone(request.uri().path()) {
            let problem =
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, "GET has no HEAD here");
            let mut answer = turned_away(&mut request, problem);
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            return Err(poem::Error::from_response(answer));
        }
        request.set_data(OnlyHead);
    }
    if let Some(detail) = ambiguity(&request) {
        let problem = Problem::bad_request(ErrorCode::ValidationError, detail);
        return Err(poem::Error::from_response(turned_away(&mut request, problem)));
    }
    // A sender that asks first (`Expect: 100-continue`) hears a refusal before it sends anything.
    let asks_first = request.headers().contains_key(header::EXPECT);
    // Before anything is looked up or counted under it.
    let mut keys = request.headers().get_all("idempotency-key").iter();
    let well_formed = |key: &HeaderValue| key.to_str().is_ok_and(idempotency::is_well_formed);
    if keys.next().is_some_and(|key| !well_formed(key) || keys.next().is_some()) {
        return Err(poem::Error::from_response(turned_away(&mut request, idempotency::malformed())));
    }
    if request.content_type().is_some_and(|kind| kind.starts_with("multipart/")) {
        let (late, body) = pace::held_to(Pace::Parts, request.take_body());
        let (gate, through) = Gate::new(body);
        request.set_body(through);
        request.set_data(gate.clone());
        let answer = inner.call(request).await.map(IntoResponse::into_response);
        if let Some(problem) = late.problem() {
            return Err(poem::Error::from_response(last_word(problem)));
        }
        if !asks_first && !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            gate.linger();
        }
        return answer;
    }
    let length = request.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let most = match request.uri().path() {
        "/streamer/overlay/presets" => LIMIT_OF_PRESETS,
        path if path.starts_with("/webhooks/") => LIMIT_OF_NOTICES,
        _ => LIMIT,
    };
    let refusal = if length.is_some_and(|length| length > most) {
        let detail = format!("a body has at most {most} bytes here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::FileTooLarge, detail)
    } else if request.headers().contains_key(header::TRANSFER_ENCODING) {
        let detail = "say the body's length: Content-Length";
        Problem::new(StatusCode::LENGTH_REQUIRED, ErrorCode::LengthRequired, detail)
    } else {
        let (late, body) = pace::held_to(Pace::Whole, request.take_body());
        request.set_body(body);
        let answer = inner.call(request).await.map(IntoResponse::into_response);
        return late.problem().map_or(answer, |problem| Err(poem::Error::from_response(last_word(problem))));
    };
    Err(poem::Error::from_response(turned_away(&mut request, refusal)))
}

fn excess(request: &Request, address: &str) -> Option<Problem> {
    if address.len() > MOST_ADDRESS {
        let detail = format!("an address has at most {MOST_ADDRESS} bytes");
        return Some(Problem::new(StatusCode::URI_TOO_LONG, ErrorCode::UriTooLong, detail));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MOST_HEADERS {
        let detail = format!("headers have at most {MOST_HEADERS} bytes together");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Some(Problem::new(status, ErrorCode::ValidationError, detail));
    }
    None
}

/// What a proxy before us may have understood otherwise: where the request ends, and whom it is for (RFC 9112, 3.2 and 6.3).
fn ambiguity(request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Some("Content-Length and Transfer-Encoding: say one of them");
    }
    if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
        return Some("Authorization: say one");
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
    last_word(problem)
}

/// An answer to somebody whose body was not read to its end.
fn last_word(problem: Problem) -> Response {
    let mut response = problem.into_response();
    // The connection is of no further use, and the client must know.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
