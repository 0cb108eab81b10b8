//! What platforms answer when they are asked for tokens. They agree on the names only.

use std::time::Duration;

use domain::identities::{Grant, Token};
use serde_json::Value;

use crate::{
    IdentityError,
    client::{Answer, plain},
};

/// Longer tokens are none.
const LONGEST: usize = 8 * 1024;

/// Tokens, and the proof of who came if the platform gives one.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) grant: Grant,
    pub(crate) id_token: Option<String>,
}

/// Whether a refusal is about the code or token that was shown. Others are about us (a wrong secret), and a renewal that
/// they meet says nothing about the person's grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    pub(crate) of_grant: bool,
}

/// Reads the answer of a token endpoint.
///
/// # Errors
/// A refusal, or what is no answer at all.
pub(crate) fn read(answer: &Answer, asked: &[String]) -> Result<Result<Tokens, Refusal>, IdentityError> {
    let json = serde_json::from_slice::<Value>(&answer.body).ok().filter(Value::is_object);
    match (answer.status, json) {
        (408 | 425 | 429 | 500.., _) => {
            Err(IdentityError::unavailable(format!("the token endpoint answered {}", answer.status)))
        }
        (200..=299, Some(json)) if error_of(&json).is_none() => tokens(&json, asked).map(Ok),
        (200..=299 | 400..=499, Some(json)) => refusal(answer.status, &json).map(Err),
        (400..=499, None) => {
            Ok(Err(Refusal { why: format!("the token endpoint answered {}", answer.status), of_grant: false }))
        }
        (status, _) => {
            Err(IdentityError::unavailable(format!("the token endpoint answered {status} in no words of its own")))
        }
    }
}

/// `{"error":"..."}`, which some send with status 200.
fn error_of(json: &Value) -> Option<&str> {
    json["error"].as_str().filter(|error| !error.is_empty())
}

/// Whether a word may be a code, a token or a secret: no word of people's is as long, nor has as long a one digits in it.
fn may_be_secret(word: &str) -> bool {
    word.len() >= 25 || word.len() >= 12 && word.bytes().any(|byte| byte.is_ascii_digit())
}

fn refusal(status: u16, json: &Value) -> Result<Refusal, IdentityError> {
    let error = error_of(json).unwrap_or_default();
    let message = ["error_description", "message"].map(|name| json[name].as_str().unwrap_or_default()).join(" ");
    let why = format!("{status} {error} {message}");
    // This is kept and shown, and a platform may repeat what it was given.
    let why = plain(&why.split_whitespace().filter(|word| !may_be_secret(word)).collect::<Vec<_>>().join(" "));
    // Trovo's own numbers: asked too often, and "internal".
    let passing = matches!(json["status"].as_i64(), Some(11_706 | 20_000 | 500..=599));
    if passing || matches!(error, "temporarily_unavailable" | "server_error" | "slow_down") {
        return Err(IdentityError::unavailable(why));
    }
    let ours = matches!(
        error,
        "invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_request" | "invalid_scope"
    ) || message.to_ascii_lowercase().contains("client");
    let of_grant = error == "invalid_grant" || (!ours && matches!(status, 200 | 400 | 401));
    Ok(Refusal { why, of_grant })
}

fn tokens(json: &Value, asked: &[String]) -> Result<Tokens, IdentityError> {
    let strange = |what: &str| IdentityError::unavailable(format!("the token endpoint gave {what}"));
    let kind = json["token_type"].as_str().unwrap_or("bearer");
    if !["bearer", "oauth"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Err(strange("a token of an unknown type"));
    }
    let access = token(&json["access_token"]).ok_or_else(|| strange("no token"))?;
    let refresh = match &json["refresh_token"] {
        Value::Null => None,
        // Some send an empty one instead of none.
        Value::String(empty) if empty.is_empty() => None,
        refresh => Some(token(refresh).ok_or_else(|| strange("a refresh token that is none"))?),
    };
    let lifetime = seconds(&json["expires_in"]);
    let grant = Grant { access, refresh, lifetime, scopes: scopes(&json["scope"], asked), device: None };
    Ok(Tokens { grant, id_token: json["id_token"].as_str().map(str::to_owned) })
}

/// A text that can stand in a header.
fn token(value: &Value) -> Option<Token> {
    let text = value.as_str()?;
    let plain = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| Token::new(text))
}

/// A number, also within quotes.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // What is over already is over; what is beyond all time lasts.
    Duration::try_from_secs_f64(seconds.clamp(0.0, 3.2e9)).ok()
}

/// A list, or a text with spaces or commas. Who says nothing has granted what was asked for.
fn scopes(value: &Value, asked: &[String]) -> Vec<String> {
    let mut scopes: Vec<String> = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        _ => asked.to_vec(),
    };
    scopes.retain(|scope| scope.len() <= 200 && scope.bytes().all(|byte| byte.is_ascii_graphic()));
    scopes.truncate(100);
    scopes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer { status, body: body.to_string().into_bytes() }
    }

    #[test]
    fn lifetimes_and_scopes_are_understood_in_every_form() {
        for (expires_in, seconds) in [
            (json!(14400), Some(14400)),
            (json!("14400"), Some(14400)),
            (json!(-5), Some(0)),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            let body = json!({ "access_token": "a", "expires_in": expires_in });
            let tokens = read(&answer(200, &body), &[]).unwrap().unwrap();
            assert_eq!(tokens.grant.lifetime, seconds.map(Duration::from_secs), "{expires_in}");
        }
        for (scope, expected) in [
            (json!(["a", "b"]), "a b"),
            (json!("a b"), "a b"),
            (json!("a,b"), "a b"),
            (json!(null), "asked"),
            (json!(""), ""),
        ] {
            let body = json!({ "access_token": "a", "scope": scope });
            let tokens = read(&answer(200, &body), &["asked".to_owned()]).unwrap().unwrap();
            assert_eq!(tokens.grant.scopes.join(" "), expected, "{scope}");
        }
    }

    #[test]
    fn a_token_that_could_not_stand_in_a_header_is_none() {
        for bad in [json!(""), json!("a b"), json!("a\r\nb"), json!("ключ"), json!(5), json!("x".repeat(LONGEST + 1))]
        {
            assert!(read(&answer(200, &json!({ "access_token": bad })), &[]).is_err(), "{bad}");
        }
        assert!(read(&answer(200, &json!({ "access_token": "a", "token_type": "mac" })), &[]).is_err());
        assert!(read(&answer(200, &json!({ "access_token": "a", "token_type": "OAuth" })), &[]).unwrap().is_ok());
    }

    #[test]
    fn a_token_that_the_platform_repeats_is_not_kept() {
        for token in ["mysecretrefreshtoken0123456789", "20ofacode34567890abc", "amongothers,code=aB3dE6gH9jK2"] {
            let body = json!({ "error": "invalid_grant", "error_description": format!("no such token: {token}") });
            let refusal = read(&answer(400, &body), &[]).unwrap().unwrap_err();
            assert_eq!(refusal.why, "400 invalid_grant no such token:");
        }
    }

    #[test]
    fn only_what_is_said_of_the_grant_is_held_against_the_grant() {
        for (status, body, of_grant) in [
            (400, json!({ "error": "invalid_grant" }), true),
            (200, json!({ "error": "bad_refresh_token" }), true),
            (400, json!({ "status": 400, "message": "Invalid refresh token" }), true),
            (401, json!({ "status": 11713, "message": "invalid refresh token" }), true),
            (401, json!({ "error": "invalid_client" }), false),
            (403, json!({ "status": 403, "message": "invalid client secret" }), false),
            (400, json!({ "status": 400, "message": "invalid client" }), false),
            (404, json!({ "error": "not found" }), false),
        ] {
            let refusal = read(&answer(status, &body), &[]).unwrap().unwrap_err();
            assert_eq!(refusal.of_grant, of_grant, "{status} {body}");
        }
        for (status, body) in [
            (500, json!({ "error": "invalid_grant" })),
            (429, json!({})),
            (302, json!({})),
            (400, json!({ "error": "temporarily_unavailable" })),
            (400, json!({ "status": 11706 })),
        ] {
            assert!(read(&answer(status, &body), &[]).is_err(), "{status} {body}");
        }
    }
}
