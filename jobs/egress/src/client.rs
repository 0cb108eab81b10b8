//! Fetching from an address that somebody else has named.

use std::{error::Error as _, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{Response, header, redirect};
use url::Url;

use crate::{Guard, Hosts, Lookup, Private, Refusal, System};

/// Redirects of one fetch.
const MOST_HOPS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);
/// Nobody is waited for longer because of a `Retry-After`.
const LONGEST_WAIT: u64 = 3600;

/// How it is fetched.
#[derive(Debug, Clone)]
pub struct Settings {
    pub hosts: Hosts,
    /// From the first byte of a question to the last of its answer.
    pub patience: Duration,
    /// Where names lead.
    pub lookup: Arc<dyn Lookup>,
    /// Servers of a dev machine, which are asked in clear: nobody signs certificates for them.
    pub exempt: Vec<(String, SocketAddr)>,
}

impl Settings {
    /// From these hosts, as the machine finds them.
    #[must_use]
    pub fn new(hosts: Hosts, patience: Duration) -> Self {
        Self { hosts, patience, lookup: Arc::new(System), exempt: Vec::new() }
    }
}

/// Asks; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    hosts: Hosts,
    in_clear: Arc<[String]>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The first address, or one that a redirect led to, may not be asked.
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Private(#[from] Private),
    #[error("it redirects more than {MOST_HOPS} times, or nowhere")]
    Lost,
    /// It may go another time.
    #[error("{0}")]
    Away(String),
}

/// What was answered, the body still to be read.
#[derive(Debug)]
pub struct Answer(Response);

impl Client {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let Settings { hosts, patience, lookup, exempt } = settings;
        let (in_clear, exempt): (Vec<String>, Vec<SocketAddr>) = exempt.into_iter().unzip();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .https_only(in_clear.is_empty())
            .dns_resolver(Guard::new(lookup, &exempt))
            // Each question goes where its name leads now.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(patience)
            .user_agent(concat!("memalerts/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, hosts, in_clear: in_clear.into() })
    }

    /// Asks for an address, and for those that it redirects to.
    ///
    /// # Errors
    /// [`GetError::Away`] is worth another try, nothing else is.
    pub async fn get(&self, address: &str) -> Result<Answer, GetError> {
        let mut url = self.hosts.judge(address)?;
        for _ in 0..=MOST_HOPS {
            let answer = self.http.get(self.wire(&url)).send().await.map_err(why)?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer(answer));
            }
            let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).ok_or(GetError::Lost)?;
            let next = url.join(to).map_err(|_| GetError::Lost)?;
            url = self.hosts.judge(next.as_str())?;
        }
        Err(GetError::Lost)
    }

    /// The address, as it is asked.
    fn wire(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if url.host_str().is_some_and(|host| self.in_clear.iter().any(|name| name == host)) {
            // Cannot fail between the two.
            let _ = url.set_scheme("http");
        }
        url
    }
}

fn why(error: reqwest::Error) -> GetError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(private) = cause.downcast_ref::<Private>() {
            return (*private).into();
        }
        source = cause.source();
    }
    away(error)
}

/// The addresses may hold what nobody should read.
fn away(error: reqwest::Error) -> GetError {
    if error.is_timeout() {
        return GetError::Away("it takes too long to answer".to_owned());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    GetError::Away(text)
}

impl Answer {
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// Bytes of the body, if the other side says.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.0.content_length()
    }

    /// How long it wants to be left alone, if it says so in seconds; an hour at most.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.0.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
        Some(Duration::from_secs(text.trim().parse::<u64>().ok()?.min(LONGEST_WAIT)))
    }

    /// The next bytes; none: that was all, as many as were promised.
    ///
    /// # Errors
    /// [`GetError::Away`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, GetError> {
        self.0.chunk().await.map_err(away)
    }
}
