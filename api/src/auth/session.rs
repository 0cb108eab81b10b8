//! Session tokens: HS256 JWTs in an httpOnly cookie, or as Bearer for programs.

use std::time::Duration;

use domain::{access::Keys, accounts::User};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use poem::Request;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::Environment;

/// A session's length.
const LIFETIME: Duration = Duration::from_hours(24 * 7);

/// What a session token says. Roles are not in it: they are looked up, so that a change counts at once.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    /// The environment: a token of beta means nothing to prod.
    aud: String,
    iat: i64,
    exp: i64,
}

/// A new session token for the person.
pub(crate) fn issue(keys: &Keys, environment: Environment, user: &User) -> Result<String, jsonwebtoken::errors::Error> {
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let claims = Claims {
        sub: user.id,
        aud: environment.as_str().to_owned(),
        iat: now,
        exp: now + i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX),
    };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&keys.session))
}

/// The person whom the token names, if it is ours, of this environment and not over.
fn verify(keys: &Keys, environment: Environment, token: &str) -> Option<Uuid> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&[environment.as_str()]);
    rules.set_required_spec_claims(&["exp", "aud", "sub"]);
    rules.leeway = 0;
    let key = DecodingKey::from_secret(&keys.session);
    jsonwebtoken::decode::<Claims>(token, &key, &rules).ok().map(|data| data.claims.sub)
}

/// How the request carries its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    Bearer,
    Cookie,
}

/// The token that the request carries: Bearer first, else this environment's cookie.
pub(super) fn carried(request: &Request, environment: Environment) -> Option<(Carrier, String)> {
    let bearer = request.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    if let Some(token) = bearer {
        return Some((Carrier::Bearer, token));
    }
    let name = environment.cookie();
    request
        .headers()
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, token)| (Carrier::Cookie, token.to_owned()))
}

/// The person whom the request's session names.
pub(super) fn user_of(request: &Request, keys: &Keys, environment: Environment) -> Option<Uuid> {
    let (_, token) = carried(request, environment)?;
    verify(keys, environment, &token)
}

/// `Set-Cookie` of a session.
pub(crate) fn session_cookie(environment: Environment, token: &str) -> String {
    cookie(environment, token, LIFETIME.as_secs())
}

/// `Set-Cookie` that ends a session.
pub(crate) fn cleared_cookie(environment: Environment) -> String {
    cookie(environment, "", 0)
}

fn cookie(environment: Environment, value: &str, max_age: u64) -> String {
    let secure = if environment == Environment::Dev { "" } else { "; Secure" };
    format!("{}={value}; Path=/; HttpOnly{secure}; SameSite=Lax; Max-Age={max_age}", environment.cookie())
}

#[cfg(test)]
mod tests {
    use domain::accounts::Role;

    use super::*;

    fn user() -> User {
        User {
            id: Uuid::now_v7(),
            login: "viewer".to_owned(),
            display_name: "Viewer".to_owned(),
            avatar_url: None,
            role: Role::Viewer,
            created_at: time::OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_session_is_good_in_its_own_environment_under_its_own_key_only() {
        let keys = Keys::derive(b"secret");
        let user = user();
        let token = issue(&keys, Environment::Prod, &user).expect("HS256 signs");
        assert_eq!(verify(&keys, Environment::Prod, &token), Some(user.id));
        assert_eq!(verify(&keys, Environment::Beta, &token), None);
        assert_eq!(verify(&Keys::derive(b"other"), Environment::Prod, &token), None);
        assert_eq!(verify(&keys, Environment::Prod, "eyJhbGciOiJub25lIn0.e30."), None);
    }
}
