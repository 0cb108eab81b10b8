//! Forged and foreign access tokens: none opens anything, and none breaks us.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::access::Keys;
use futures_util::{StreamExt as _, stream};
use harness::TestApp;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sizes::size;

fn encoded(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A token with this header and these claims, as they stand there, signed by HS256 with the key.
fn signed(header: &str, claims: &str, key: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac(key, &message));
    format!("{message}.{signature}")
}

/// Somebody's token in parts.
struct Genuine {
    token: String,
    header: String,
    claims: Value,
    key: [u8; 32],
}

impl Genuine {
    async fn of(app: &TestApp) -> Self {
        let token = app.login("anna", "viewer").await.token.unwrap();
        let part = |n: usize| {
            let part = token.split('.').nth(n).unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let key = Keys::derive(app.process.instance.keys.master.expose().as_bytes()).session;
        Self { header: part(0), claims: serde_json::from_str(&part(1)).unwrap(), key, token }
    }

    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        signed(&self.header, &claims.to_string(), &self.key)
    }

    /// With our own key under headers that are not ours: a signature must not be enough.
    fn odd_headers(&self) -> Vec<String> {
        let claims = self.claims.to_string();
        let mut headers: Vec<String> =
            ["HS384", "HS512", "RS256", "ES256", "EdDSA", "none", "None", "nOnE", "NONE", "", "HS256 "]
                .map(|alg| json!({ "typ": "at+jwt", "alg": alg }).to_string())
                .into();
        for (name, value) in [
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("x' union select 'key'--")),
            ("jku", json!("http://127.0.0.1/jwks")),
            ("x5u", json!("http://127.0.0.1/cert")),
            ("x5c", json!(["MIIB"])),
            ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
        ] {
            headers.push(json!({ "typ": "at+jwt", "alg": "HS256", name: value }).to_string());
        }
        headers.extend([
            r#"{"alg":"HS256"}"#.to_owned(),
            r#"{"typ":"JWT","alg":"HS256"}"#.to_owned(),
            r#"{"alg":"HS256","typ":"at+jwt"}"#.to_owned(),
            r#"{"typ":"at+jwt","alg":"none","alg":"HS256"}"#.to_owned(),
            r#"{"typ":"at+jwt","alg":"HS256","alg":"HS256"}"#.to_owned(),
            r#"{"typ":"at+jwt","alg":["HS256"]}"#.to_owned(),
            "{}".to_owned(),
            "null".to_owned(),
            String::new(),
        ]);
        headers
            .into_iter()
            .filter(|header| *header != self.header)
            .map(|header| signed(&header, &claims, &self.key))
            .collect()
    }

    /// With our own key, but saying what we never say.
    fn odd_claims(&self) -> Vec<String> {
        let now = self.claims["iat"].as_i64().unwrap();
        let mut tokens: Vec<String> = [
            ("exp", json!(now - 1)),
            ("exp", json!(now)),
            ("exp", json!(now + 901)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("exp", json!("never")),
            ("exp", Value::Null),
            ("nbf", json!(now + 600)),
            ("iat", json!(now + 600)),
            ("iat", json!(i64::MIN)),
            ("iat", json!("now")),
            ("aud", json!("prod")),
            ("aud", json!("beta")),
            ("aud", json!("")),
            ("aud", json!(["dev", "prod"])),
            ("aud", json!(["dev"])),
            ("aud", Value::Null),
            ("iss", json!("memalerts.example")),
            ("iss", json!(["memalerts"])),
            ("iss", Value::Null),
            ("sub", json!("anna")),
            ("sub", json!("")),
            ("sub", json!(["x"])),
            ("sub", Value::Null),
            ("sid", json!("")),
            ("sid", json!(1)),
            ("sid", Value::Null),
        ]
        .into_iter()
        .map(|(name, value)| self.with(name, value))
        .collect();
        for name in ["exp", "aud", "iss", "sub", "sid", "iat"] {
            let mut claims = self.claims.clone();
            claims.as_object_mut().unwrap().remove(name);
            tokens.push(signed(&self.header, &claims.to_string(), &self.key));
            // Twice: readers differ in which one counts.
            let text = self.claims.to_string();
            let twice = format!("{},\"{name}\":{}}}", text.strip_suffix('}').unwrap(), self.claims[name]);
            tokens.push(signed(&self.header, &twice, &self.key));
        }
        for claims in ["", "null", "[]", "{}", "{", "\u{0}", "\"at+jwt\""] {
            tokens.push(signed(&self.header, claims, &self.key));
        }
        let huge = format!("{},\"x\":\"{}\"}}", self.claims.to_string().strip_suffix('}').unwrap(), "x".repeat(4000));
        tokens.push(signed(&self.header, &huge, &self.key));
        let deep = format!(
            "{},\"x\":{}{}}}",
            self.claims.to_string().strip_suffix('}').unwrap(),
            "[".repeat(300),
            "]".repeat(300)
        );
        tokens.push(signed(&self.header, &deep, &self.key));
        tokens
    }

    /// Under keys that are not the one.
    fn odd_keys(&self, master: &[u8]) -> Vec<String> {
        let keys = Keys::derive(master);
        let claims = self.claims.to_string();
        let mut others: Vec<Vec<u8>> =
            vec![vec![], vec![0], vec![0; 32], master.to_vec(), keys.refresh.to_vec(), keys.channel_tokens.to_vec()];
        others.push(Keys::derive(b"another environment's secret, long enough").session.to_vec());
        others.push(Sha256::digest(master).to_vec());
        others.push(b"secret".to_vec());
        let mut tokens: Vec<String> = others.iter().map(|key| signed(&self.header, &claims, key)).collect();
        let unsigned = self.token.rsplit_once('.').unwrap().0;
        for signature in ["", "AA", "null", &URL_SAFE_NO_PAD.encode([0; 32]), &URL_SAFE_NO_PAD.encode([0; 64])] {
            tokens.push(format!("{unsigned}.{signature}"));
        }
        for alg in ["none", "None", "nOnE"] {
            tokens.push(format!(
                "{}.{}.",
                encoded(&json!({ "alg": alg, "typ": "at+jwt" }).to_string()),
                encoded(&claims)
            ));
        }
        tokens
    }

    /// The letters of a genuine one, cut, flipped and multiplied.
    fn mangled(&self) -> Vec<String> {
        let token = &self.token;
        let mut tokens: Vec<String> = (0..token.len()).map(|cut| token[..cut].to_owned()).collect();
        tokens.extend((1..token.len()).map(|cut| token[cut..].to_owned()));
        for at in 0..token.len() {
            for step in 1..=size(3, 15) {
                let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let mut bytes = token.clone().into_bytes();
                // The last letter carries four bits only: steps within the rest would be the same bytes.
                let place = alphabet.iter().position(|letter| *letter == bytes[at]).unwrap_or(0);
                bytes[at] = alphabet[(place + step * 4) % 64];
                tokens.push(String::from_utf8(bytes).unwrap());
            }
        }
        tokens.extend([
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{token}"),
            format!("{token}="),
            token.replace('.', ".."),
            token.replacen('.', "", 1),
            token.to_uppercase(),
            "a.b.c".to_owned(),
            "..".to_owned(),
            "x".repeat(6000),
        ]);
        tokens.retain(|forged| forged != token);
        tokens
    }
}

#[tokio::test]
async fn no_forged_token_is_taken_for_one_of_ours() {
    let app = TestApp::builder().pools(&[]).start().await;
    let genuine = Genuine::of(&app).await;
    let good = app.anonymous().with_token(&genuine.token);
    good.get("/me").await.expect(200);
    // The forger's tools work: what says the same under the same key is good.
    let again = signed(&genuine.header, &genuine.claims.to_string(), &genuine.key);
    app.anonymous().with_token(&again).get("/me").await.expect(200);

    let master = app.process.instance.keys.master.expose().as_bytes().to_vec();
    let mut forged =
        [genuine.odd_headers(), genuine.odd_claims(), genuine.odd_keys(&master), genuine.mangled()].concat();
    forged.sort();
    forged.dedup();
    assert!(forged.len() > 1000, "{}", forged.len());
    let accepted: Vec<String> = stream::iter(forged)
        .map(|token| {
            let forger = app.anonymous().with_token(&token);
            async move {
                let answer = forger.get("/auth/sessions").await;
                (answer.status != 401).then(|| format!("{} for {token}", answer.status))
            }
        })
        .buffer_unordered(16)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(accepted.is_empty(), "not refused: {accepted:#?}");
    good.get("/me").await.expect(200);
}

#[tokio::test]
async fn a_token_says_who_for_how_long_and_nothing_else() {
    let app = TestApp::builder().pools(&[]).start().await;
    let genuine = Genuine::of(&app).await;
    assert_eq!(genuine.header, r#"{"typ":"at+jwt","alg":"HS256"}"#);
    let claims = genuine.claims.as_object().unwrap();
    let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "sid", "sub"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
}
