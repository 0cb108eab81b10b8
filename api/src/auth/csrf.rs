//! Requests that another site makes a browser send are refused.

use std::sync::Arc;

use poem::{
    Endpoint, Request,
    http::{StatusCode, header},
};

use crate::{
    app::{App, AppState},
    problem::{ErrorCode, Problem},
};

/// Where a program may be whose cookies nobody reads.
const REFRESH: &str = "/auth/refresh";

/// What changes something and may have been sent by a browser must come from our own pages, or from those that
/// `CORS_ORIGINS` names: by `Sec-Fetch-Site`, else by `Origin`. With a cookie that must be proven; without one (a login,
/// say) nothing may speak against it. Bearer requests carry a secret that no foreign page has, and so does the address of a
/// screen: whatever stands between it and us may have changed the names by which it would be known as ours.
///
/// A refresh in JSON that says nothing of a page goes on to its door, which takes a token from the body, that no other site has, and
/// from a cookie only of a request that proves to be ours ([`prove_ours`]): programs may have a jar for cookies without knowing. A
/// page of another site cannot send JSON without saying so.
///
/// The method is the one of the request line: no header and no field overrides it.
pub(crate) async fn refuse_foreign_sites<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<E::Output> {
    let headers = request.headers();
    let changes = !request.method().is_safe();
    let by_token = bears_token(&request);
    let by_cookie = headers.contains_key(header::COOKIE);
    let by_page = !request.uri().path().starts_with("/overlay/t/")
        && (headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN));
    let in_json = request.content_type().is_some_and(|kind| kind.starts_with("application/json"));
    let refreshes = !by_page && in_json && request.uri().path() == REFRESH;
    let foreign = || !request.data::<App>().is_some_and(|app| ours(&request, app));
    if changes && by_token && by_cookie && foreign() {
        // What is asked with a token is not done with a cookie instead: any word can stand behind `Bearer`.
        request.headers_mut().remove(header::COOKIE);
    } else if changes && !by_token && !refreshes && (by_cookie || by_page) && foreign() {
        return Err(refused(&request).into());
    }
    inner.call(request).await
}

/// # Errors
/// 403 `CSRF_INVALID` for what does not prove to come from a page of ours.
pub(crate) fn prove_ours(request: &Request, app: &AppState) -> Result<(), Problem> {
    if ours(request, app) { Ok(()) } else { Err(refused(request)) }
}

fn refused(request: &Request) -> Problem {
    let headers = request.headers();
    let says = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    let detail = if says {
        "the request comes from another site"
    } else {
        "the request has a cookie and does not say whence it comes: programs keep no cookies, and send a Bearer token where one \
         is needed; or `Origin`"
    };
    Problem::new(StatusCode::FORBIDDEN, ErrorCode::CsrfInvalid, detail)
}

/// A link is begun by going to an address, which another site can make a browser do: only pages of ours, and of sites that
/// `CORS_ORIGINS` names, may.
pub(crate) fn refuse_foreign_links(request: &Request, app: &AppState) -> Result<(), Problem> {
    let page = request.header(header::REFERER).map(origin_of);
    let foreign = match request.header("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => page.is_some_and(|page| !app.origins.is_own(page, request.header(header::HOST).unwrap_or_default())),
    };
    if foreign && !page.is_some_and(|page| app.origins.allows(page)) {
        let detail = "a page of another site wanted to link an account: begin it here";
        return Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::CsrfInvalid, detail));
    }
    Ok(())
}

/// `scheme://host[:port]` of an address.
fn origin_of(address: &str) -> &str {
    let end = address.match_indices('/').nth(2).map_or(address.len(), |(at, _)| at);
    &address[..end]
}

fn bears_token(request: &Request) -> bool {
    let scheme = request.header(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
}

/// Programs that are no browsers send neither header: they need a Bearer token, or say whence they come.
fn ours(request: &Request, app: &AppState) -> bool {
    let origin = request.header(header::ORIGIN);
    if origin.is_some_and(|origin| app.origins.allows(origin)) {
        return true;
    }
    match request.header("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => {
            let host = request.header(header::HOST).unwrap_or_default();
            origin.is_some_and(|origin| app.origins.is_own(origin, host))
        }
    }
}
