//! Id tokens (OpenID Connect): whether the provider itself says, to us, now and in answer to this login, who came.

use std::{slice, time::SystemTime};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// How far two clocks may be apart.
const LEEWAY: u64 = 60;
/// Longer ones are none.
const LONGEST: usize = 64 * 1024;

/// Whom it must be from and for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
}

/// Why it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Signed with a key that is not among these; the provider may have a new one.
    UnknownKey,
    Bad(String),
}

/// What the framework does not look at. A name that stands twice is refused, for two readers would see two texts.
#[derive(Deserialize)]
struct Claims {
    nonce: Option<String>,
    azp: Option<String>,
    aud: Audience,
    iat: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(#[expect(dead_code, reason = "the framework has compared it")] String),
    Many(Vec<String>),
}

/// The claims, if the token is good.
pub(crate) fn check(token: &str, keys: &JwkSet, expected: Expected<'_>) -> Result<Value, Flaw> {
    let bad = |why: &str| Flaw::Bad(format!("id token: {why}"));
    if token.len() > LONGEST {
        return Err(bad("too long"));
    }
    let header = decode_header(token).map_err(|_| bad("not a signed token"))?;
    // Signatures that only the provider can make: with a shared secret, whoever knows it could.
    if header.alg.family() == AlgorithmFamily::Hmac {
        return Err(bad("signed with a shared secret"));
    }
    let key = key(keys, header.kid.as_deref(), header.alg)?;
    let mut rules = Validation::new(header.alg);
    rules.algorithms = vec![header.alg];
    rules.leeway = LEEWAY;
    rules.validate_nbf = true;
    rules.set_issuer(slice::from_ref(&expected.issuer));
    rules.set_audience(slice::from_ref(&expected.client_id));
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let wrong = |error: jsonwebtoken::errors::Error| bad(&format!("{:?}", error.kind()));
    let claims = decode::<Claims>(token, &key, &rules).map_err(wrong)?.claims;
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(bad("of another login"));
    }
    let for_others = matches!(&claims.aud, Audience::Many(many) if many.len() > 1);
    if claims.azp.as_deref().map_or(for_others, |azp| azp != expected.client_id) {
        return Err(bad("made for somebody else"));
    }
    if claims.iat > now() + LEEWAY as f64 {
        return Err(bad("from the future"));
    }
    Ok(decode::<Value>(token, &key, &rules).map_err(wrong)?.claims)
}

/// The key that the token names. One without a name must be the only one that it can be.
fn key(keys: &JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Flaw> {
    let fits = |key: &&Jwk| {
        let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        let same = key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
        let named = kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
        signs && same && named && DecodingKey::from_jwk(key).is_ok_and(|key| key.family() == algorithm.family())
    };
    let fitting: Vec<&Jwk> = keys.keys.iter().filter(fits).collect();
    match fitting.as_slice() {
        [key] => DecodingKey::from_jwk(key).map_err(|_| Flaw::UnknownKey),
        [] => Err(Flaw::UnknownKey),
        _ => Err(Flaw::Bad("id token: several keys could have signed it".to_owned())),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
