//! One line a request, and ids that lead from an answer to the log and on to the jobs.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, http::HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

use crate::{explain::DOCUMENT, problem::ErrorCode, security};

/// Hexadecimal digits in a row that no name has.
const TOKEN_DIGITS: usize = 16;

tokio::task_local! {
    static IDS: Ids;
}

/// What names the request that this task serves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    /// Without secrets: tokens in paths are replaced.
    pub(crate) path: String,
    /// The path as logs have it, without names of people and channels.
    pub(crate) place: String,
    pub(crate) asker: Arc<Asker>,
}

/// Who asks, as far as it came to light on the way.
#[derive(Debug, Default)]
pub(crate) struct Asker {
    pub(crate) address: OnceLock<IpAddr>,
    pub(crate) user: OnceLock<Uuid>,
}

/// The request comes from there.
pub(crate) fn asked_from(address: IpAddr) {
    // The first word counts: it is about the same request.
    let _ = IDS.try_with(|ids| ids.asker.address.set(address));
}

/// The request is this person's, who has proven it.
pub(crate) fn asked_by(user: Uuid) {
    let _ = IDS.try_with(|ids| ids.asker.user.set(user));
}

/// The ids of the request that is being served; empty outside of one.
pub(crate) fn current() -> Ids {
    IDS.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` as part of the request with these ids; for work that is done elsewhere on a request's behalf.
pub(crate) fn scope<T>(ids: &Ids, work: impl FnOnce() -> T) -> T {
    IDS.sync_scope(ids.clone(), work)
}

/// [`scope`] for work that waits.
pub(crate) async fn accompany<T>(ids: &Ids, work: impl Future<Output = T>) -> T {
    IDS.scope(ids.clone(), work).await
}

/// Gives each request its ids, its log line and its figures.
pub(crate) struct Telemetry;

impl<E: Endpoint> Middleware<E> for Telemetry {
    type Output = Traced<E>;

    fn transform(&self, inner: E) -> Self::Output {
        describe();
        Traced { inner }
    }
}

/// Each series exists from the start, at zero.
fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests answered, by the class of the status");
    metrics::describe_histogram!(
        "http_request_seconds",
        metrics::Unit::Seconds,
        "From a request's head to its answer's; streams of events go on after it"
    );
    for class in ["2xx", "3xx", "4xx", "5xx"] {
        metrics::counter!("http_requests_total", "status" => class).increment(0);
    }
}

pub(crate) struct Traced<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for Traced<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let asked = request.uri().path();
        let ids = Ids {
            request_id: given_id(&request).unwrap_or_else(|| Uuid::now_v7().to_string()),
            trace_id: given_trace(&request).unwrap_or_else(|| Uuid::new_v4().simple().to_string()),
            path: redacted(asked),
            place: DOCUMENT.place(request.method(), asked).unwrap_or_else(|| redacted(asked)),
            asker: Arc::default(),
        };
        let method = request.method().clone();
        let span = tracing::info_span!("request", requestId = %ids.request_id, traceId = %ids.trace_id);
        let begun = Instant::now();
        let mut response = IDS
            .scope(ids.clone(), async {
                // What this request enqueues carries its id.
                let answer = queue::trace::scope(ids.request_id.as_str(), self.inner.call(request)).await;
                answer.map(IntoResponse::into_response)
            })
            .instrument(span.clone())
            .await
            .unwrap_or_else(poem::Error::into_response);
        let elapsed = begun.elapsed();
        let status = response.status().as_u16();
        span.in_scope(|| {
            tracing::info!(
                method = %method,
                path = %ids.place,
                status,
                duration_ms = elapsed.as_secs_f64() * 1000.0,
                "request"
            );
            security::note(&ids, &method, response.status(), response.data::<ErrorCode>().copied());
        });
        metrics::counter!("http_requests_total", "status" => format!("{}xx", status / 100)).increment(1);
        metrics::histogram!("http_request_seconds").record(elapsed.as_secs_f64());
        if let Ok(value) = HeaderValue::from_str(&ids.request_id) {
            response.headers_mut().insert("x-request-id", value);
        }
        Ok(response)
    }
}

/// A caller's own id is kept when it is short and plain.
fn given_id(request: &Request) -> Option<String> {
    let id = request.header("x-request-id")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    ((1..=128).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The trace id of a W3C `traceparent`.
fn given_trace(request: &Request) -> Option<String> {
    let id = request.header("traceparent")?.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_ascii_lowercase())
}

/// The path with any token in it replaced, however the rest of it is written: logs and answers never hold one.
fn redacted(path: &str) -> String {
    let mut parts = Vec::new();
    let mut secret = false;
    for part in path.split('/') {
        parts.push(if is_token(part) || (secret && !part.is_empty()) { "***" } else { part });
        secret = part == "t";
    }
    parts.join("/")
}

/// All tokens of ours end in a line and many hexadecimal digits; some of it may be written in percents.
fn is_token(part: &str) -> bool {
    let digits = |piece: &str| piece.bytes().take_while(u8::is_ascii_hexdigit).count();
    let within = |text: &str| text.split('_').skip(1).any(|piece| digits(piece) >= TOKEN_DIGITS);
    url::form_urlencoded::parse(part.as_bytes()).any(|(name, value)| within(&name) || within(&value))
}

#[cfg(test)]
mod tests {
    use poem::http::Method;

    use super::*;

    #[test]
    fn tokens_in_paths_are_not_shown() {
        assert_eq!(redacted("/overlay/t/ot_abc_def/events"), "/overlay/t/***/events");
        assert_eq!(redacted("/overlay/credits/t/ct_abc"), "/overlay/credits/t/***");
        assert_eq!(redacted("/channels/t/memes"), "/channels/t/***");
        let random = "71d0c3a4b5e697f8a9b0c1d271d0ad99";
        for odd in ["/overlay//t//", "/Overlay/T/", "/overlay/t/x/", "/%6fverlay/t%2f", "/channels/"] {
            for token in
                [format!("ot_01a1fc54_{random}"), format!("%6ft_01a1fc54%5F{random}"), format!("ma_api_{random}.")]
            {
                let told = redacted(&format!("{odd}{token}/events"));
                assert!(!told.contains(&random[..8]) && told.ends_with("/events"), "{told}");
            }
        }
        for plain in ["/health", "/channels/a_channel_of_2026/memes", "/uploads/71d0c3a4b5e697f8a9b0c1d271d0ad99"] {
            assert_eq!(redacted(plain), plain);
        }
    }

    #[test]
    fn logs_have_the_ids_of_a_path_and_no_names() {
        let id = "01a1fc55-e97f-7272-9a0b-3ed5ef258b15";
        for (asked, told) in [
            ("/channels/demo/memes", Some("/channels/{slug}/memes".to_owned())),
            ("/overlay/t/ot_abc_def/events", Some("/overlay/t/{token}/events".to_owned())),
            ("/me/activations", None),
            ("/health", Some("/health".to_owned())),
        ] {
            assert_eq!(DOCUMENT.place(&Method::GET, asked), told, "{asked}");
        }
        let asked = format!("/submissions/{id}");
        assert_eq!(DOCUMENT.place(&Method::GET, &asked), Some(asked.clone()));
    }
}
