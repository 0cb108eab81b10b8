//! Access tokens: HS256 JWTs of minutes that name a session.

use std::sync::LazyLock;

use domain::{access::Keys, sessions::ACCESS_SECONDS};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::app::Environment;

const ISSUER: &str = "memalerts";
/// Longer than any of ours.
const LONGEST: usize = 1024;
/// Seconds by which the clock of a process that issues may be ahead of one that checks.
const AHEAD: i64 = 60;

/// What a token says. Roles are not in it: they are looked up, so that a change counts at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The environment: a token of beta means nothing to prod.
    aud: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// Whom a good token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
}

fn header() -> Header {
    // RFC 9068: no other JWT of ours, made for another purpose under any key, is taken for an access token.
    Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) }
}

/// The one header that we write, as it stands in a token. Whatever else a header could say (another algorithm, a key or
/// where to get one, an extension) is not looked at, because no other header is.
static HEADER: LazyLock<String> = LazyLock::new(|| {
    let claims = serde_json::json!({});
    let token = jsonwebtoken::encode(&header(), &claims, &EncodingKey::from_secret(&[0; 32])).unwrap_or_default();
    token.split('.').next().unwrap_or_default().to_owned()
});

/// A new token.
pub(super) fn issue(
    keys: &Keys,
    environment: Environment,
    named: Named,
) -> Result<String, jsonwebtoken::errors::Error> {
    sign(&keys.session, &claims(environment, named, OffsetDateTime::now_utc().unix_timestamp()))
}

fn claims(environment: Environment, named: Named, now: i64) -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: environment.as_str().to_owned(),
        sub: named.user,
        sid: named.session,
        iat: now,
        exp: now + ACCESS_SECONDS,
    }
}

fn sign(key: &[u8; 32], claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    jsonwebtoken::encode(&header(), claims, &EncodingKey::from_secret(key))
}

/// Whom the token names, if it is ours, of this environment and not over. Whether the session goes on is not in it.
pub(super) fn verify(keys: &Keys, environment: Environment, token: &str) -> Option<Named> {
    verify_at(keys, environment, token, OffsetDateTime::now_utc().unix_timestamp())
}

fn verify_at(keys: &Keys, environment: Environment, token: &str, now: i64) -> Option<Named> {
    if token.len() > LONGEST || token.split('.').next() != Some(&HEADER) {
        return None;
    }
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&[environment.as_str()]);
    rules.set_issuer(&[ISSUER]);
    rules.set_required_spec_claims(&["exp", "aud", "sub", "iss"]);
    // Below, to the second: the library lets a token live for one second more.
    rules.validate_exp = false;
    rules.validate_nbf = true;
    rules.leeway = 0;
    let key = DecodingKey::from_secret(&keys.session);
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules).ok()?.claims;
    let lives =
        now < claims.exp && claims.iat <= now + AHEAD && claims.exp <= claims.iat.checked_add(ACCESS_SECONDS)?;
    lives.then_some(Named { user: claims.sub, session: claims.sid })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn named() -> Named {
        Named { user: Uuid::now_v7(), session: Uuid::now_v7() }
    }

    #[test]
    fn a_token_is_good_in_its_own_environment_under_its_own_key_only() {
        let (keys, named) = (Keys::derive(b"secret"), named());
        let token = issue(&keys, Environment::Prod, named).unwrap();
        assert_eq!(verify(&keys, Environment::Prod, &token), Some(named));
        assert_eq!(verify(&keys, Environment::Beta, &token), None);
        assert_eq!(verify(&Keys::derive(b"other"), Environment::Prod, &token), None);
    }

    #[test]
    fn a_token_lives_for_its_fifteen_minutes_and_not_a_second_longer() {
        let (keys, named) = (Keys::derive(b"secret"), named());
        let good = claims(Environment::Prod, named, NOW);
        assert_eq!(good.exp - good.iat, 900);
        let at = |claims: &Claims, now| {
            verify_at(&keys, Environment::Prod, &sign(&keys.session, claims).unwrap(), now).is_some()
        };
        assert!(at(&good, NOW) && at(&good, NOW + 899) && at(&good, NOW - AHEAD));
        assert!(!at(&good, NOW + 900) && !at(&good, NOW - AHEAD - 1));
        for wrong in [
            Claims { exp: NOW + 901, ..good.clone() },
            Claims { exp: i64::MAX, ..good.clone() },
            Claims { iat: i64::MAX, exp: i64::MAX, ..good.clone() },
            Claims { exp: i64::MIN, ..good.clone() },
            Claims { iss: "other".to_owned(), ..good.clone() },
            Claims { aud: "beta".to_owned(), ..good.clone() },
        ] {
            assert!(!at(&wrong, NOW), "{wrong:?}");
        }
    }
}
