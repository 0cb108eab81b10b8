//! What OpenID providers say about themselves, and the proofs that they sign: Google with RS256, the plain one with ES256.

use std::{
    fmt,
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::identities::Provider;
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

use super::{
    Fault,
    faults::Door,
    http::Response,
    platforms::{Platform, subject},
    world::{Code, World, random},
};

const KEY_NAME: &str = "key-1";

/// A key with what is published of it.
struct Pair {
    algorithm: Algorithm,
    private: EncodingKey,
    public: Value,
}

impl Pair {
    fn rsa() -> Option<Self> {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).ok()?;
        let der = pair.as_der().ok()?;
        // The framework takes the key itself, without the 26 bytes that say which kind it is.
        let private = EncodingKey::from_rsa_der(der.as_ref().get(26..)?);
        Self::of(Algorithm::RS256, private)
    }

    fn ec() -> Option<Self> {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        Self::of(Algorithm::ES256, EncodingKey::from_ec_der(der.as_ref()))
    }

    fn of(algorithm: Algorithm, private: EncodingKey) -> Option<Self> {
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).ok()?).ok()?;
        (public["kid"], public["use"]) = (json!(KEY_NAME), json!("sig"));
        Some(Self { algorithm, private, public })
    }
}

/// Made when they are first asked for.
#[derive(Default)]
pub(super) struct SigningKeys {
    rsa: OnceLock<Option<Pair>>,
    ec: OnceLock<Option<Pair>>,
}

impl SigningKeys {
    fn of(&self, provider: Provider) -> Option<&Pair> {
        match provider {
            Provider::Google => self.rsa.get_or_init(Pair::rsa).as_ref(),
            _ => self.ec.get_or_init(Pair::ec).as_ref(),
        }
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(..)")
    }
}

pub(super) fn configuration(platform: &Platform, world: &World) -> Response {
    let issuer = world.url(platform.provider);
    let at = |path: &str| json!(format!("{issuer}{path}"));
    let mut body = json!({
        "issuer": issuer, "authorization_endpoint": at(platform.authorize), "token_endpoint": at(platform.token),
        "jwks_uri": at("/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "code_challenge_methods_supported": ["S256"]
    });
    if platform.provider == Provider::Google {
        body["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "client_secret_basic"]);
    } else {
        body["authorization_response_iss_parameter_supported"] = json!(true);
        body["userinfo_endpoint"] = at(platform.profile);
    }
    match world.state().take_fault(platform.provider, Door::Discovery) {
        Some(Fault::DiscoveryStatus { status }) => return Response::json(status, &json!({})),
        Some(Fault::DiscoveryHtml) => return Response::html(200, "<h1>Maintenance</h1>"),
        Some(Fault::DiscoveryOtherIssuer) => body["issuer"] = json!("https://evil.example"),
        Some(Fault::DiscoveryPrivate) => body["token_endpoint"] = json!("https://169.254.169.254/token"),
        Some(Fault::DiscoveryPlain) => body["token_endpoint"] = json!("http://evil.example/token"),
        _ => {}
    }
    Response::json(200, &body)
}

pub(super) fn keys(platform: &Platform, world: &World) -> Response {
    let mut keys: Vec<Value> =
        world.signing.of(platform.provider).map(|pair| pair.public.clone()).into_iter().collect();
    // A kind that nobody knows yet stands among them.
    keys.push(json!({ "kty": "FUTURE", "kid": "key-2" }));
    match world.state().take_fault(platform.provider, Door::Keys) {
        Some(Fault::KeysStatus { status }) => return Response::json(status, &json!({})),
        Some(Fault::KeysEmpty) => keys.clear(),
        _ => {}
    }
    Response::json(200, &json!({ "keys": keys }))
}

/// The id token, as good or as bad as ordered.
pub(super) fn proof(platform: &Platform, world: &World, code: &Code, fault: Option<&Fault>) -> Option<String> {
    let pair = world.signing.of(platform.provider)?;
    let (client, secret) = super::Simulator::client(platform.provider);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut claims = platform.tell(&code.login);
    (claims["iss"], claims["aud"]) = (json!(world.url(platform.provider)), json!(client));
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 3600));
    claims["nonce"] = json!(code.nonce);
    let mut header = Header::new(pair.algorithm);
    header.kid = Some(KEY_NAME.to_owned());
    let signed = |header: &Header, claims: &Value, key: &EncodingKey| jsonwebtoken::encode(header, claims, key).ok();
    let hmac = |key: &[u8]| {
        let header = Header { kid: Some(KEY_NAME.to_owned()), ..Header::new(Algorithm::HS256) };
        signed(&header, &claims, &EncodingKey::from_secret(key))
    };
    match fault {
        Some(Fault::ProofMissing) => return None,
        Some(Fault::ProofGarbage) => return Some("not.a.token".to_owned()),
        Some(Fault::ProofUnsigned) => {
            let part = |value: &Value| BASE64.encode(value.to_string());
            return Some(format!("{}.{}.", part(&json!({ "alg": "none", "kid": KEY_NAME })), part(&claims)));
        }
        Some(Fault::ProofOfSecret) => return hmac(secret.as_bytes()),
        Some(Fault::ProofOfPublicKey) => return hmac(pair.public.to_string().as_bytes()),
        Some(Fault::ProofOfForeignKey) => return signed(&header, &claims, &foreign(pair.algorithm)?.private),
        Some(Fault::ProofOfUnknownKey) => {
            header.kid = Some("key-9".to_owned());
            return signed(&header, &claims, &foreign(pair.algorithm)?.private);
        }
        Some(Fault::ProofWithOwnKey) => {
            let own = foreign(pair.algorithm)?;
            header.jku = Some(format!("{}/keys", world.url(platform.provider)));
            header.jwk = serde_json::from_value(own.public).ok();
            header.kid = None;
            return signed(&header, &claims, &own.private);
        }
        Some(Fault::ProofTwice) => {
            let text = claims.to_string();
            let mine = json!(subject(platform.provider, "somebody_else"));
            let twice = format!("{},\"nonce\":{},\"sub\":{mine}}}", text.trim_end_matches('}'), json!(code.nonce));
            return twice_signed(&header, &twice, pair);
        }
        _ => {}
    }
    match fault {
        Some(Fault::ProofOtherNonce) => claims["nonce"] = json!(random()),
        Some(Fault::ProofNoNonce) => drop(claims.as_object_mut()?.remove("nonce")),
        Some(Fault::ProofOtherAudience) => claims["aud"] = json!("somebody-else"),
        Some(Fault::ProofManyAudiences) => claims["aud"] = json!([client, "somebody-else"]),
        Some(Fault::ProofOtherParty) => claims["azp"] = json!("somebody-else"),
        Some(Fault::ProofOtherIssuer) => claims["iss"] = json!("https://evil.example"),
        Some(Fault::ProofOver) => claims["exp"] = json!(now - 3600),
        Some(Fault::ProofWithoutEnd) => drop(claims.as_object_mut()?.remove("exp")),
        Some(Fault::ProofFromFuture) => claims["iat"] = json!(now + 3600),
        Some(Fault::ProofNotYet) => claims["nbf"] = json!(now + 3600),
        Some(Fault::ProofNoSubject) => drop(claims.as_object_mut()?.remove("sub")),
        Some(Fault::ProofEmptySubject) => claims["sub"] = json!(""),
        Some(Fault::ProofNumberSubject) => claims["sub"] = json!(42),
        Some(Fault::ProofWithoutNames) => {
            claims
                .as_object_mut()?
                .retain(|name, _| !["preferred_username", "name", "picture"].contains(&name.as_str()));
        }
        _ => {}
    }
    let token = signed(&header, &claims, &pair.private)?;
    Some(if fault == Some(&Fault::ProofTruncated) { token[..token.len() - 8].to_owned() } else { token })
}

fn foreign(algorithm: Algorithm) -> Option<Pair> {
    if algorithm == Algorithm::RS256 { Pair::rsa() } else { Pair::ec() }
}

/// Signs claims that no map could hold.
fn twice_signed(header: &Header, claims: &str, pair: &Pair) -> Option<String> {
    let message = format!("{}.{}", BASE64.encode(serde_json::to_string(header).ok()?), BASE64.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &pair.private, pair.algorithm).ok()?;
    Some(format!("{message}.{signature}"))
}
