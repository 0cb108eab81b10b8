//! What every answer says about itself, whoever made it: what a browser may do with it, and who may keep it.
//!
//! An answer that needs something else says so itself (pages their scripts, files that other sites may show them, both how
//! long they may be kept); this fills in the rest, and the rest is the strictest that there is.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};

use crate::app::Environment;

/// For answers that are no pages: opened as one, they run nothing, load nothing, send nothing and stand in nobody's frame.
const NO_PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
);
/// Pages are on screens and need no device; the overlay plays sound by itself.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), autoplay=(self), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
);
/// A year, which is what lists of such hosts ask for.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Lets other sites show an answer; for what is public anyway.
pub(crate) fn show_anywhere(headers: &mut HeaderMap) {
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
}

/// Around everything that answers.
pub(crate) fn strict<E: Endpoint + 'static>(
    environment: Environment,
) -> impl Fn(Arc<E>, Request) -> BoxFuture<'static, poem::Result<Response>> {
    move |inner, request| {
        Box::pin(async move {
            let mut response = inner.call(request).await?.into_response();
            complete(environment, &mut response);
            Ok(response)
        })
    }
}

fn complete(environment: Environment, response: &mut Response) {
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    let unproven = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let mut usually = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    if unproven {
        // RFC 9110, 15.5.2.
        usually(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    usually(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    usually(header::CONTENT_SECURITY_POLICY, NO_PAGE);
    usually(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    usually(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    usually(PERMISSIONS_POLICY, PERMISSIONS);
    if page {
        usually(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    // "Unchanged" speaks of an answer that the client has, and would change what was said of it.
    if !unchanged {
        usually(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // On a dev machine there is no https, and a browser would remember for all that runs on localhost.
    if environment != Environment::Dev {
        usually(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
}
