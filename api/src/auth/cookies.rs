//! The two cookies of a session, the one of a login that is under way elsewhere, and answers that set them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    IntoResponse, Request, Response,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaResponses, Registry},
    types::Type,
};

use crate::app::Environment;

/// How long a browser keeps a refresh token that is not used.
const REFRESH_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Enough for the way to the page that tells it, and for a look at that page again.
const TOLD_SECONDS: i64 = 60;

/// This environment's cookie with the access token.
pub(super) fn access(request: &Request, environment: Environment) -> Option<&str> {
    named(request, environment.cookie())
}

/// This environment's cookie with the refresh token.
pub(crate) fn refresh(request: &Request, environment: Environment) -> Option<&str> {
    named(request, environment.refresh_cookie())
}

/// This environment's cookie of a browser that logs in with another platform.
pub(super) fn login(request: &Request, environment: Environment) -> Option<&str> {
    named(request, environment.login_cookie())
}

fn named<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// `Set-Cookie`s of a session.
pub(super) fn of(environment: Environment, access: &str, refresh: &str) -> [String; 2] {
    [
        cookie(environment, environment.cookie(), access, domain::sessions::ACCESS_SECONDS),
        cookie(environment, environment.refresh_cookie(), refresh, REFRESH_SECONDS),
    ]
}

/// `Set-Cookie`s that take a session out of the browser.
pub(crate) fn cleared(environment: Environment) -> [String; 2] {
    [environment.cookie(), environment.refresh_cookie()].map(|name| cookie(environment, name, "", 0))
}

/// What a page shall tell this browser, in somebody's words. Of a cookie, since whoever makes an address has no say in it.
pub(crate) fn told(request: &Request, environment: Environment) -> Option<String> {
    let words = URL_SAFE_NO_PAD.decode(named(request, environment.told_cookie())?).ok()?;
    String::from_utf8(words).ok()
}

/// `Set-Cookie` of what the next page tells.
pub(super) fn of_told(environment: Environment, words: &str) -> String {
    cookie(environment, environment.told_cookie(), &URL_SAFE_NO_PAD.encode(words), TOLD_SECONDS)
}

/// `Set-Cookie` that takes what was told to somebody out of the browser: the next one is another person, maybe.
pub(super) fn of_nothing_told(environment: Environment) -> String {
    cookie(environment, environment.told_cookie(), "", 0)
}

/// `Set-Cookie` of a browser that goes to another platform, for so many seconds. `Lax`, as the platform sends it back.
pub(super) fn of_login(environment: Environment, value: &str, seconds: i64) -> String {
    cookie(environment, environment.login_cookie(), value, seconds)
}

fn cookie(environment: Environment, name: &str, value: &str, max_age: i64) -> String {
    let secure = if environment == Environment::Dev { "" } else { "; Secure" };
    format!("{name}={value}; Path=/; HttpOnly{secure}; SameSite=Lax; Max-Age={max_age}")
}

/// An answer with cookies: the framework knows one header of a name only.
pub(crate) struct WithCookies<T> {
    answer: T,
    cookies: Vec<String>,
}

impl<T> WithCookies<T> {
    pub(crate) fn new(answer: T, cookies: impl IntoIterator<Item = String>) -> Self {
        Self { answer, cookies: cookies.into_iter().collect() }
    }

    pub(super) fn and(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }
}

impl<T: IntoResponse> IntoResponse for WithCookies<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        // What is in a cookie of ours is hexadecimal or base64.
        for value in self.cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl<T: ApiResponse> ApiResponse for WithCookies<T> {
    fn meta() -> MetaResponses {
        let mut meta = T::meta();
        for response in &mut meta.responses {
            response.headers.push(MetaHeader {
                name: "Set-Cookie".to_owned(),
                description: Some("The session's two cookies; without a value where it has ended.".to_owned()),
                required: false,
                deprecated: false,
                schema: String::schema_ref(),
            });
        }
        meta
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cookie_is_out_of_reach_of_scripts_and_of_other_hosts() {
        for environment in [Environment::Prod, Environment::Beta] {
            let others = [of_login(environment, "c", 600), of_told(environment, "d")];
            for cookie in of(environment, "a", "b").into_iter().chain(cleared(environment)).chain(others) {
                assert!(cookie.starts_with("__Host-"), "{cookie}");
                for part in ["; Path=/; ", "; HttpOnly; ", "; Secure; ", "; SameSite=Lax; ", "Max-Age="] {
                    assert!(cookie.contains(part), "{cookie} lacks {part}");
                }
                assert!(!cookie.contains("Domain"), "{cookie}");
            }
        }
        let names = |environment: Environment| {
            let (session, refresh) = (environment.cookie(), environment.refresh_cookie());
            [session, refresh, environment.login_cookie(), environment.told_cookie()]
        };
        let prod = names(Environment::Prod);
        assert!(names(Environment::Beta).iter().all(|name| !prod.contains(name)), "beta overwrites prod's cookies");
    }
}
