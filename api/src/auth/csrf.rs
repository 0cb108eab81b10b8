//! Requests that another site makes a browser send are refused.

use std::sync::Arc;

use poem::{
    Endpoint, Request,
    http::{Method, StatusCode},
};

use super::session::{Carrier, carried};
use crate::{
    app::App,
    problem::{ErrorCode, Problem},
};

/// Unsafe methods that ride on a session cookie must come from our own pages: by `Sec-Fetch-Site`, else by `Origin`.
/// Bearer requests carry a secret that no foreign page has.
pub(crate) async fn refuse_foreign_sites<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<E::Output> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie = request
        .data::<App>()
        .is_some_and(|app| matches!(carried(&request, app.settings.environment), Some((Carrier::Cookie, _))));
    if !safe && cookie && !ours(&request) {
        let problem =
            Problem::new(StatusCode::FORBIDDEN, ErrorCode::CsrfInvalid, "the request comes from another site");
        return Err(problem.into());
    }
    inner.call(request).await
}

/// Programs that are no browsers send neither header: they need a Bearer token, or say whence they come.
fn ours(request: &Request) -> bool {
    match request.header("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => {
            let host = request.header("host").unwrap_or_default();
            let origin = request.header("origin").and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, authority)| !host.is_empty() && authority == host)
        }
    }
}
