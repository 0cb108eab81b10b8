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

use crate::ApiError;

/// From the first byte of the question to the last of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes, where a platform's answers need no more; a page of a hundred streams is a tenth of it.
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

/// What is a platform's own in its API.
#[derive(Debug)]
pub struct Dialect {
    pub provider: Provider,
    /// Where it is, if no setting says otherwise.
    pub root: &'static str,
    /// The header that names the client, where the token does not say enough.
    pub client_header: Option<&'static str>,
    /// What the body of a refusal says.
    pub reason: fn(&Value) -> Reason,
    /// What a refusal means where its code says more than its status.
    pub meaning: fn(&Reason) -> Option<Meaning>,
}

/// A refusal in the platform's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// One of a list that the platform publishes.
    pub code: Option<String>,
    /// For people.
    pub words: Option<String>,
}

/// What is to be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Forbidden,
    Refused,
    /// Asked too often.
    Limited,
    Unavailable,
    /// The token is over: the same is asked once more with a new one.
    TokenEnded,
}

/// The way to a platform's API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebApi {
    dialect: &'static Dialect,
    platforms: Platforms,
    vault: Arc<Vault>,
    client: Client,
    /// Bytes of an answer.
    most: usize,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: Method,
    /// Below the API's root, e.g. `/users`.
    pub path: &'static str,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
}

/// An answer that came whole.
struct Answer {
    status: u16,
    body: Vec<u8>,
    /// The wait that its head asks for.
    wait: Option<Duration>,
}

impl Ask {
    #[must_use]
    pub fn get(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    /// No word of it came back. To ask for something twice does no harm; to do something twice may.
    fn lost(&self, why: String) -> ApiError {
        if self.method == Method::GET { ApiError::Unavailable(why) } else { ApiError::Doubtful(why) }
    }

    /// What an answer other than 2xx means.
    fn refusal(&self, dialect: &Dialect, answer: &Answer) -> ApiError {
        let Answer { status, body, wait } = answer;
        let reason = (dialect.reason)(&serde_json::from_slice(body).unwrap_or_default());
        let code = reason.code.as_deref().map(plain);
        let why = plain(reason.words.as_deref().or(reason.code.as_deref()).unwrap_or("no reason"));
        match (meaning(dialect, *status, &reason), status) {
            (Meaning::Limited, _) => ApiError::Limited(*wait),
            (Meaning::Forbidden | Meaning::TokenEnded, _) => ApiError::Forbidden(why),
            // It says itself that it does nothing now.
            (Meaning::Unavailable, 503) => ApiError::Unavailable(format!("{status}: {why}")),
            (Meaning::Unavailable, _) => self.lost(format!("{status}: {why}")),
            (Meaning::Refused, _) => ApiError::Refused { status: *status, code, why },
        }
    }
}

fn meaning(dialect: &Dialect, status: u16, reason: &Reason) -> Meaning {
    (dialect.meaning)(reason).unwrap_or(match status {
        401 => Meaning::TokenEnded,
        403 => Meaning::Forbidden,
        429 => Meaning::Limited,
        408 | 500.. => Meaning::Unavailable,
        _ => Meaning::Refused,
    })
}

impl WebApi {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(dialect: &'static Dialect, platforms: Platforms, vault: Arc<Vault>) -> reqwest::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent(concat!("memalerts/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { dialect, platforms, vault, client, most: MOST })
    }

    /// For a platform with longer answers: so many bytes are read, and not the usual number.
    #[must_use]
    pub fn reading(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// # Errors
    /// [`ApiError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self) -> Result<(), ApiError> {
        Ok(self.platforms.check(self.dialect.provider)?)
    }

    /// Asks, and reads the answer; one without a body is `null`. A token that is not taken is renewed once and the question
    /// asked again once.
    ///
    /// # Errors
    /// There is no answer; see [`ApiError`].
    pub async fn ask<T: DeserializeOwned>(&self, caller: Caller<'_>, ask: &Ask) -> Result<T, ApiError> {
        let token = self.token(caller, None).await?;
        let mut answer = self.once(&token, ask).await?;
        if self.is_over(&answer) {
            let renewed = self.token(caller, Some(token)).await?;
            answer = self.once(&renewed, ask).await?;
        }
        match answer.status {
            200..=299 if answer.body.is_empty() => serde_json::from_slice(b"null"),
            200..=299 => serde_json::from_slice(&answer.body),
            _ => return Err(ask.refusal(self.dialect, &answer)),
        }
        // What was asked for is done, but we do not understand the answer.
        .map_err(|error| ask.lost(format!("an answer in no words of its own: {error}")))
    }

    fn is_over(&self, answer: &Answer) -> bool {
        let reason = || (self.dialect.reason)(&serde_json::from_slice(&answer.body).unwrap_or_default());
        answer.status >= 400 && meaning(self.dialect, answer.status, &reason()) == Meaning::TokenEnded
    }

    async fn token(&self, caller: Caller<'_>, rejected: Option<Token>) -> Result<Token, ApiError> {
        match caller {
            Caller::App => Ok(self.platforms.app_token(self.dialect.provider, rejected).await?),
            Caller::Account(db, account) => Ok(self.platforms.fresh_token(db, &self.vault, account, rejected).await?),
        }
    }

    async fn once(&self, token: &Token, ask: &Ask) -> Result<Answer, ApiError> {
        let (address, client_id) = self.platforms.api_of(self.dialect.provider, self.dialect.root)?;
        let mut request = self
            .client
            .request(ask.method.clone(), format!("{address}{}", ask.path))
            .query(&ask.query)
            .header("accept", "application/json")
            .bearer_auth(token.expose());
        if let Some(header) = self.dialect.client_header {
            request = request.header(header, client_id);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| ask.lost(format!("{:#}", error.without_url()));
        let mut response = match request.send().await {
            Err(error) if error.is_connect() => {
                return Err(ApiError::Unavailable(format!("{:#}", error.without_url())));
            }
            sent => sent.map_err(lost)?,
        };
        let (status, wait) = (response.status().as_u16(), wait_of(&response));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > self.most {
                return Err(ask.lost(format!("an answer of more than {} bytes", self.most)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body, wait })
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

    static DIALECT: Dialect = Dialect {
        provider: Provider::Twitch,
        root: "https://api.example.com",
        client_header: None,
        reason: |body| Reason {
            code: body["code"].as_str().map(str::to_owned),
            words: body["message"].as_str().map(str::to_owned),
        },
        meaning: |reason| (reason.code.as_deref() == Some("too_fast")).then_some(Meaning::Limited),
    };

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), wait: Some(Duration::from_secs(7)) }
    }

    #[test]
    fn a_status_says_whether_the_same_may_be_asked_again() {
        let (reading, writing) =
            (Ask::get("/users", Vec::new()), Ask { method: Method::POST, ..Ask::get("/x", Vec::new()) });
        let of = |status| writing.refusal(&DIALECT, &answer(status, r#"{"message":"because"}"#));
        assert!(matches!(of(401), ApiError::Forbidden(_)));
        assert!(matches!(of(403), ApiError::Forbidden(_)));
        assert!(matches!(of(400), ApiError::Refused { status: 400, .. }));
        assert!(matches!(of(409), ApiError::Refused { status: 409, .. }));
        assert!(matches!(of(429), ApiError::Limited(Some(wait)) if wait.as_secs() == 7));
        assert!(matches!(of(503), ApiError::Unavailable(_)));
        assert!(matches!(of(500), ApiError::Doubtful(_)));
        assert!(matches!(reading.refusal(&DIALECT, &answer(500, "")), ApiError::Unavailable(_)));
        let page = reading.refusal(&DIALECT, &answer(400, "<html>"));
        assert!(matches!(page, ApiError::Refused { why, code: None, .. } if why == "no reason"));
    }

    #[test]
    fn a_code_says_more_than_its_status() {
        let writing = Ask { method: Method::POST, ..Ask::get("/x", Vec::new()) };
        let refused = writing.refusal(&DIALECT, &answer(400, r#"{"code":"too_fast"}"#));
        assert!(matches!(refused, ApiError::Limited(_)));
        let refused = writing.refusal(&DIALECT, &answer(400, r#"{"code":"too_long"}"#));
        assert!(
            matches!(refused, ApiError::Refused { code: Some(code), why, .. } if code == "too_long" && why == code)
        );
    }

    #[test]
    fn what_is_told_of_a_refusal_holds_no_token() {
        let token = "a".repeat(30);
        assert_eq!(plain(&format!("bad {token} token\r\n\0here")), "bad token here");
    }
}
