//! Which sites' pages may talk to us: our own, and those that `CORS_ORIGINS` names. For all others a browser keeps what we
//! answer to itself (here), and what rides on a cookie is not done (`auth/csrf.rs`).

use std::{net::IpAddr, sync::Arc};

use futures_util::future::BoxFuture;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

use crate::app::{App, Environment, Settings};

/// What pages of other sites may send beyond what every page may.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Prefer, Range, \
     traceparent, X-Request-Id",
);
/// What their scripts may read beyond what every script may.
const READABLE: HeaderValue = HeaderValue::from_static(
    "Content-Range, ETag, Location, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, \
     X-Has-More, X-Limit, X-Offset, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, \
     X-Total-Count",
);
/// Seconds for which a browser need not ask again.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The sites whose pages are trusted. An origin is `scheme://host[:port]`, as browsers write it.
#[derive(Debug)]
pub(crate) struct Origins {
    /// Of `PUBLIC_BASE_URL`.
    own: String,
    allowed: Vec<String>,
    environment: Environment,
}

impl Origins {
    pub(crate) fn of(settings: &Settings) -> Self {
        let (scheme, rest) = settings.public_url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let own = format!("{scheme}://{authority}").to_ascii_lowercase();
        Self { own, allowed: settings.cors_origins.clone(), environment: settings.environment }
    }

    /// Whether `CORS_ORIGINS` names it, letter by letter.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == origin)
    }

    /// Whether it is where we are: by our public address, or by the name under which the request came. Outside of dev only
    /// https proves that the page is ours; in dev only a name that nobody else can point here.
    pub(crate) fn is_own(&self, origin: &str, host: &str) -> bool {
        let by_host = || {
            let (scheme, authority) = origin.split_once("://").unwrap_or_default();
            let proven =
                scheme == "https" || (scheme == "http" && self.environment == Environment::Dev && is_here(host));
            proven && !host.is_empty() && authority.eq_ignore_ascii_case(host)
        };
        origin == self.own || by_host()
    }
}

/// An address, or this machine's own name: no stranger's name server has a say in those.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

/// Answers what browsers ask before they let a page ask, and tells them which pages may read what we answer.
pub(crate) fn shared<E: Endpoint + 'static>(
    app: App,
) -> impl Fn(Arc<E>, Request) -> BoxFuture<'static, poem::Result<Response>> {
    move |inner, request| {
        let app = app.clone();
        Box::pin(async move {
            let allowed = request.headers().get(header::ORIGIN).cloned();
            let allowed = allowed.filter(|origin| origin.to_str().is_ok_and(|origin| app.origins.allows(origin)));
            let asks_first = request.method() == Method::OPTIONS
                && request.headers().contains_key(header::ORIGIN)
                && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
            let mut response = if asks_first {
                Response::builder().status(StatusCode::NO_CONTENT).finish()
            } else {
                inner.call(request).await?.into_response()
            };
            let headers = response.headers_mut();
            if let Some(origin) = allowed {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                if asks_first {
                    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
                    headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
                } else {
                    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
                }
            }
            if asks_first || !app.origins.allowed.is_empty() {
                vary(headers);
            }
            Ok(response)
        })
    }
}

/// A shared cache must not give one site's answer to another.
fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(environment: Environment) -> Origins {
        let allowed = vec!["https://panel.example".to_owned()];
        Origins { own: "https://memalerts.example".to_owned(), allowed, environment }
    }

    #[test]
    fn an_origin_is_allowed_letter_by_letter() {
        let origins = origins(Environment::Prod);
        assert!(origins.allows("https://panel.example"));
        for other in [
            "http://panel.example",
            "https://panel.example:444",
            "https://panel.example.evil.test",
            "https://evilpanel.example",
            "https://panel.example/",
            "https://PANEL.example",
            "null",
            "*",
            "",
        ] {
            assert!(!origins.allows(other), "{other}");
        }
    }

    #[test]
    fn our_own_page_is_known_by_its_address_and_in_production_by_https_only() {
        let prod = origins(Environment::Prod);
        assert!(prod.is_own("https://memalerts.example", "127.0.0.1:8080"), "a proxy has changed the name");
        assert!(prod.is_own("https://other.example", "other.example"));
        for (origin, host) in [
            ("http://other.example", "other.example"),
            ("https://evil.test", "other.example"),
            ("null", "null"),
            ("https://", ""),
            ("ftp://other.example", "other.example"),
        ] {
            assert!(!prod.is_own(origin, host), "{origin} {host}");
        }
        let dev = origins(Environment::Dev);
        for host in ["localhost:8080", "LOCALHOST", "127.0.0.1:8080", "192.168.1.7", "[::1]:8080"] {
            assert!(dev.is_own(&format!("http://{host}"), host), "{host}");
        }
        assert!(!dev.is_own("http://evil.test:8080", "evil.test:8080"), "a name that was pointed here");
    }
}
