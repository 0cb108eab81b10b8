//! How we speak to platforms: answers are bounded in size and time, redirects are not followed, and nobody leads us to
//! addresses of our own network.
//!
//! Addresses come from the registry, from settings, and from what an OpenID provider says about itself. Only the last are
//! of somebody else's making: they must be https, and their names must lead to public addresses. Whatever a setting names
//! is the operator's word, also when it is a simulator on this machine.

use std::{collections::HashSet, net::IpAddr, time::Duration};

use egress::{Guard, is_public};
use reqwest::{RequestBuilder, redirect};
use url::{Host, Url};

use crate::IdentityError;

/// From the first byte of the question to the last of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Who somebody is takes less than this in all words of the world.
const MOST: usize = 256 * 1024;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Client {
    /// For addresses that a setting names.
    trusting: reqwest::Client,
    /// For all others.
    wary: reqwest::Client,
    /// Origins that settings name.
    named: HashSet<String>,
}

impl Client {
    /// # Errors
    /// There is no randomness or no TLS on this machine.
    pub(crate) fn new<'a>(named: impl IntoIterator<Item = &'a Url>) -> reqwest::Result<Self> {
        let builder = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT)
                .timeout(PATIENCE)
                // GitHub answers nobody without a name.
                .user_agent(concat!("memalerts/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            trusting: builder().build()?,
            wary: builder().dns_resolver(Guard::default()).build()?,
            named: named.into_iter().map(origin).collect(),
        })
    }

    /// The address, if it may be asked or a browser be sent there.
    pub(crate) fn allowed(&self, address: &str) -> Result<Url, IdentityError> {
        let refused = |why: &str| IdentityError::unavailable(format!("{why}: {}", plain(address)));
        let url = Url::parse(address).map_err(|_| refused("not an address"))?;
        if self.named.contains(&origin(&url)) {
            return Ok(url);
        }
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(refused("not an https address"));
        }
        match url.host() {
            Some(Host::Domain(_)) => Ok(url),
            Some(Host::Ipv4(ip)) if is_public(IpAddr::V4(ip)) => Ok(url),
            Some(Host::Ipv6(ip)) if is_public(IpAddr::V6(ip)) => Ok(url),
            _ => Err(refused("not a public address")),
        }
    }

    pub(crate) fn get(&self, address: &str) -> Result<RequestBuilder, IdentityError> {
        let url = self.allowed(address)?;
        Ok(self.of(&url).get(url))
    }

    pub(crate) fn post(&self, address: &str) -> Result<RequestBuilder, IdentityError> {
        let url = self.allowed(address)?;
        Ok(self.of(&url).post(url))
    }

    fn of(&self, url: &Url) -> &reqwest::Client {
        if self.named.contains(&origin(url)) { &self.trusting } else { &self.wary }
    }

    /// Sends it, and reads the whole answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, IdentityError> {
        // Addresses may hold what nobody should read.
        let absent =
            |error: reqwest::Error| IdentityError::unavailable(format!("no answer: {:#}", error.without_url()));
        let mut response = request.header("accept", "application/json").send().await.map_err(absent)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(absent)? {
            if body.len() + chunk.len() > MOST {
                return Err(IdentityError::unavailable(format!("an answer of more than {MOST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Somebody else's words, fit for a line of the log.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(named: &str) -> Client {
        Client::new([&Url::parse(named).unwrap()]).unwrap()
    }

    #[test]
    fn what_is_no_public_https_address_is_refused_unless_a_setting_names_it() {
        let client = client("http://127.0.0.1:6681/oidc");
        for good in ["https://id.example/token", "https://1.1.1.1/", "http://127.0.0.1:6681/anything"] {
            assert!(client.allowed(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example/",
            "ftp://id.example/",
            "file:///etc/passwd",
            "https://user@id.example/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "http://127.0.0.1:6682/",
            "https://127.0.0.1:6681/",
        ] {
            assert!(client.allowed(bad).is_err(), "{bad}");
        }
    }
}
