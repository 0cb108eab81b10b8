//! The log of what concerns security, one line an event under the target `security`: who was let in or refused, and who did
//! what few may do. Beside what every line has (time, request id, trace id), it says the event, the method and path without
//! secrets, the status and `errorCode`, the address and, where it is known, the person. `SECURITY.md` lists the events.

use poem::http::{Method, StatusCode};
use poem_openapi::types::ToJSON as _;

use crate::{problem::ErrorCode, telemetry::Ids};

/// Says that something happened that somebody may have to look into later.
pub(crate) fn note(ids: &Ids, method: &Method, status: StatusCode, code: Option<ErrorCode>) {
    let Some(event) = event(method, &ids.place, status, code) else { return };
    let text = |value: Option<String>| value.unwrap_or_default();
    let (address, user) = (ids.asker.address.get(), ids.asker.user.get());
    tracing::info!(
        target: "security",
        event,
        method = %method,
        path = %ids.place,
        status = status.as_u16(),
        errorCode = text(code.map(|code| code.to_json_string().trim_matches('"').to_owned())),
        address = text(address.map(ToString::to_string)),
        user = text(user.map(ToString::to_string)),
        "security"
    );
}

/// What kind of event an answer is, if it is one.
fn event(method: &Method, path: &str, status: StatusCode, code: Option<ErrorCode>) -> Option<&'static str> {
    let within = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    // A platform sends the browser back with GET.
    let acts = !method.is_safe() || path.ends_with("/callback");
    match (status, code) {
        (StatusCode::UNAUTHORIZED, _) => Some("authentication_refused"),
        (StatusCode::FORBIDDEN, Some(ErrorCode::CsrfInvalid)) => Some("foreign_site_refused"),
        (StatusCode::FORBIDDEN, _) => Some("authorization_refused"),
        (StatusCode::TOO_MANY_REQUESTS, _) => Some("limit_reached"),
        (_, Some(ErrorCode::BadRequest | ErrorCode::OauthStateMismatch | ErrorCode::OauthFailed)) => {
            Some("odd_request")
        }
        (status, _) if status.is_client_error() || status.is_server_error() || !acts => None,
        _ if within(&["/auth/"]) => Some("authentication"),
        _ if within(&["/owner/", "/admin/"]) => Some("privileged_act"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_security_is_an_event_and_nothing_else_is() {
        let ok = StatusCode::OK;
        for (method, path, status, code, expected) in [
            (Method::POST, "/auth/login", ok, None, Some("authentication")),
            (Method::GET, "/auth/twitch/callback", StatusCode::FOUND, None, Some("authentication")),
            (Method::GET, "/auth/sessions", ok, None, None),
            (
                Method::POST,
                "/auth/login",
                StatusCode::UNAUTHORIZED,
                Some(ErrorCode::CredentialsInvalid),
                Some("authentication_refused"),
            ),
            (Method::PUT, "/owner/users/1/role", ok, None, Some("privileged_act")),
            (Method::GET, "/admin/jobs", ok, None, None),
            (
                Method::GET,
                "/admin/jobs",
                StatusCode::FORBIDDEN,
                Some(ErrorCode::Forbidden),
                Some("authorization_refused"),
            ),
            (
                Method::POST,
                "/memes/1/activate",
                StatusCode::FORBIDDEN,
                Some(ErrorCode::CsrfInvalid),
                Some("foreign_site_refused"),
            ),
            (Method::GET, "/me", StatusCode::TOO_MANY_REQUESTS, Some(ErrorCode::RateLimited), Some("limit_reached")),
            (Method::POST, "/memes/1/activate", ok, None, None),
            (Method::POST, "/memes/1/activate", StatusCode::NOT_FOUND, Some(ErrorCode::MemeNotFound), None),
        ] {
            assert_eq!(event(&method, path, status, code), expected, "{method} {path} {status}");
        }
    }
}
