//! One question: with which token, and what an answer means.

use std::{sync::Arc, time::Duration};

use domain::{
    access::Vault,
    identities::{Provider, Token},
};
use identity::Platforms;
use queue::Database;
use reqwest::{Client, Method, Response, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::HelixError;

const HOST: &str = "https://api.twitch.tv/helix";
/// From the first byte of the question to the last of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes; a page of a hundred streams is a tenth of it.
const MOST: usize = 1024 * 1024;
/// A platform that names a later time is not believed.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// In whose name it is asked.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Of the application.
    App,
    /// Of this account, which somebody has linked here.
    Account(&'a Database, Uuid),
}

/// The way to Twitch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Helix {
    platforms: Platforms,
    vault: Arc<Vault>,
    client: Client,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Below the API's root, e.g. `/users`.
    pub(crate) path: &'static str,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    /// No word of it came back. To ask for something twice does no harm; to do something twice may.
    fn lost(&self, why: String) -> HelixError {
        if self.method == Method::GET { HelixError::Unavailable(why) } else { HelixError::Doubtful(why) }
    }

    /// What a status other than 2xx means.
    fn refusal(&self, status: u16, body: &[u8]) -> HelixError {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let why = plain(json["message"].as_str().or_else(|| json["error"].as_str()).unwrap_or("no reason"));
        match status {
            401 | 403 => HelixError::Forbidden(why),
            // It says itself that it does nothing now.
            503 => HelixError::Unavailable(format!("{status}: {why}")),
            408 | 500.. => self.lost(format!("{status}: {why}")),
            _ => HelixError::Refused { status, why },
        }
    }
}

impl Helix {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(platforms: Platforms, vault: Arc<Vault>) -> reqwest::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent(concat!("memalerts/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { platforms, vault, client })
    }

    /// # Errors
    /// [`HelixError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self) -> Result<(), HelixError> {
        Ok(self.platforms.check(Provider::Twitch)?)
    }

    /// Asks, and reads the answer; one without a body is `null`.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, caller: Caller<'_>, ask: &Ask) -> Result<T, HelixError> {
        let token = self.token(caller, None).await?;
        let answer = match self.once(&token, ask).await? {
            (401, _) => {
                let renewed = self.token(caller, Some(token)).await?;
                self.once(&renewed, ask).await?
            }
            answer => answer,
        };
        match answer {
            (200..=299, body) if body.is_empty() => serde_json::from_slice(b"null"),
            (200..=299, body) => serde_json::from_slice(&body),
            (status, body) => return Err(ask.refusal(status, &body)),
        }
        // What was asked for is done, but we do not understand the answer.
        .map_err(|error| ask.lost(format!("an answer in no words of its own: {error}")))
    }

    async fn token(&self, caller: Caller<'_>, rejected: Option<Token>) -> Result<Token, HelixError> {
        match caller {
            Caller::App => Ok(self.platforms.app_token(Provider::Twitch, rejected).await?),
            Caller::Account(db, account) => Ok(self.platforms.fresh_token(db, &self.vault, account, rejected).await?),
        }
    }

    async fn once(&self, token: &Token, ask: &Ask) -> Result<(u16, Vec<u8>), HelixError> {
        let (address, client_id) = self.platforms.api_of(Provider::Twitch, HOST)?;
        let mut request = self
            .client
            .request(ask.method.clone(), format!("{address}{}", ask.path))
            .query(&ask.query)
            .header("client-id", client_id)
            .header("accept", "application/json")
            .bearer_auth(token.expose());
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| ask.lost(format!("{:#}", error.without_url()));
        let mut response = match request.send().await {
            Err(error) if error.is_connect() => {
                return Err(HelixError::Unavailable(format!("{:#}", error.without_url())));
            }
            sent => sent.map_err(lost)?,
        };
        let status = response.status().as_u16();
        if status == 429 {
            return Err(HelixError::Limited(wait_of(&response)));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > MOST {
                return Err(ask.lost(format!("an answer of more than {MOST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

/// Until the moment that the platform names.
fn wait_of(response: &Response) -> Option<Duration> {
    let number = |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let seconds = number("retry-after").or_else(|| {
        // Of the machine's clock, as the other side's is: both are about the same moment.
        Some(number("ratelimit-reset")?.saturating_sub(OffsetDateTime::now_utc().unix_timestamp()))
    })?;
    Some(Duration::from_secs(seconds.clamp(1, LONGEST_WAIT.as_secs().cast_signed()).cast_unsigned()))
}

/// Somebody else's words, fit for a line of the log and without anything as long as a token.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| word.len() < 25).collect::<Vec<_>>().join(" ");
    words.chars().filter(|char| !char.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_the_same_may_be_asked_again() {
        let (reading, writing) =
            (Ask::get("/users", Vec::new()), Ask { method: Method::POST, ..Ask::get("/x", Vec::new()) });
        let of = |status| writing.refusal(status, br#"{"error":"X","status":1,"message":"because"}"#);
        assert!(matches!(of(401), HelixError::Forbidden(_)));
        assert!(matches!(of(403), HelixError::Forbidden(_)));
        assert!(matches!(of(400), HelixError::Refused { status: 400, .. }));
        assert!(matches!(of(409), HelixError::Refused { status: 409, .. }));
        assert!(matches!(of(503), HelixError::Unavailable(_)));
        assert!(matches!(of(500), HelixError::Doubtful(_)));
        assert!(matches!(reading.refusal(500, b""), HelixError::Unavailable(_)));
        assert!(matches!(reading.refusal(400, b"<html>"), HelixError::Refused { why, .. } if why == "no reason"));
    }

    #[test]
    fn what_is_told_of_a_refusal_holds_no_token() {
        let token = "a".repeat(30);
        assert_eq!(plain(&format!("bad {token} token\r\n\0here")), "bad token here");
    }
}
