//! What OpenID providers say about themselves, kept for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::identities::Provider;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use serde_json::Value;

use crate::{IdentityError, client::Client};

/// For how long it is believed.
const FRESH: Duration = Duration::from_hours(1);
/// An unknown key makes us ask for keys again, but not more often than this: whoever sends us forged tokens must not send
/// the provider our questions.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The provider's doors.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    /// Where it tells more about whoever has a token.
    #[serde(default)]
    pub(crate) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    /// It names itself when it sends a browser back (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    /// Absent means `client_secret_basic`.
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

impl Metadata {
    pub(crate) fn takes_secret_in_form(&self) -> bool {
        self.token_endpoint_auth_methods_supported.iter().any(|method| method == "client_secret_post")
    }
}

#[derive(Debug)]
struct Known<T> {
    what: Arc<T>,
    at: Instant,
}

/// What is known of one provider.
#[derive(Debug)]
struct Slot<T> {
    known: Option<Known<T>>,
    /// When it was asked last in vain, and why.
    failed: Option<(Instant, String)>,
}

/// One of each provider: one that hangs keeps those waiting who want to go there, and nobody else.
#[derive(Debug)]
struct Shelf<T>(Mutex<HashMap<Provider, Arc<tokio::sync::Mutex<Slot<T>>>>>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shelf<T> {
    /// What is known, if it is no older than `age`, else what `ask` tells. One question at a time; whoever waits for it gets
    /// its answer, also that there is none.
    async fn get(
        &self,
        provider: Provider,
        age: Duration,
        ask: impl Future<Output = Result<T, IdentityError>>,
    ) -> Result<Arc<T>, IdentityError> {
        let slot = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(provider)
                .or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Slot { known: None, failed: None })))
                .clone()
        };
        let came = Instant::now();
        let mut slot = slot.lock().await;
        if let Some(known) = slot.known.as_ref().filter(|known| known.at.elapsed() < age) {
            return Ok(known.what.clone());
        }
        // Asked while we waited. Whoever comes later asks anew: a fault may be over.
        if let Some((_, why)) = slot.failed.as_ref().filter(|(at, _)| *at >= came) {
            return Err(IdentityError::unavailable(why.clone()));
        }
        match ask.await {
            Ok(what) => {
                let what = Arc::new(what);
                *slot = Slot { known: Some(Known { what: what.clone(), at: Instant::now() }), failed: None };
                Ok(what)
            }
            Err(error) => {
                slot.failed = Some((Instant::now(), error.to_string()));
                Err(error)
            }
        }
    }
}

/// What providers say about themselves.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    metadata: Shelf<Metadata>,
    keys: Shelf<JwkSet>,
}

impl Discovery {
    pub(crate) async fn metadata(
        &self,
        client: &Client,
        provider: Provider,
        issuer: &str,
    ) -> Result<Arc<Metadata>, IdentityError> {
        let ask = async {
            let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            let metadata: Metadata = read(client, &address).await?;
            // Else anybody could speak in another's name.
            if metadata.issuer != issuer {
                let why = "the provider calls itself by another name than the setting does";
                return Err(IdentityError::unavailable(why));
            }
            for address in [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri] {
                client.allowed(address)?;
            }
            Ok(metadata)
        };
        self.metadata.get(provider, FRESH, ask).await
    }

    /// The provider's keys; asked for anew when a token names one that is not among them.
    pub(crate) async fn keys(
        &self,
        client: &Client,
        provider: Provider,
        metadata: &Metadata,
        unknown: bool,
    ) -> Result<Arc<JwkSet>, IdentityError> {
        let ask = async {
            let set: Value = read(client, &metadata.jwks_uri).await?;
            // A key of a kind that we do not know is no reason to refuse the others.
            let keys = set["keys"].as_array().into_iter().flatten();
            let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok()).collect();
            Ok(JwkSet { keys })
        };
        self.keys.get(provider, if unknown { ASK_AGAIN } else { FRESH }, ask).await
    }
}

async fn read<T: for<'a> Deserialize<'a>>(client: &Client, address: &str) -> Result<T, IdentityError> {
    let answer = client.send(client.get(address)?).await?;
    if answer.status != 200 {
        return Err(IdentityError::unavailable(format!("the provider describes itself with {}", answer.status)));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| IdentityError::unavailable("the provider describes itself in no words of the protocol"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_provider_that_hangs_holds_up_nobody_elses_logins_and_its_own_once() {
        let (shelf, asked, answer) = (Shelf::<u8>::default(), AtomicUsize::new(0), Notify::new());
        let wait = || {
            shelf.get(Provider::Oidc, FRESH, async {
                asked.fetch_add(1, Ordering::Relaxed);
                answer.notified().await;
                Err(IdentityError::unavailable("it does not answer"))
            })
        };
        let others = async {
            tokio::task::yield_now().await;
            let google = shelf.get(Provider::Google, FRESH, async { Ok(7) }).await.unwrap();
            answer.notify_one();
            *google
        };
        let (first, second, third, google) = tokio::join!(wait(), wait(), wait(), others);
        assert_eq!(google, 7);
        for refused in [first, second, third] {
            assert!(matches!(refused, Err(IdentityError::Unavailable(why)) if why.contains("does not answer")));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(*shelf.get(Provider::Oidc, FRESH, async { Ok(8) }).await.unwrap(), 8);
        assert_eq!(*shelf.get(Provider::Oidc, FRESH, async { Ok(9) }).await.unwrap(), 8);
        assert_eq!(*shelf.get(Provider::Oidc, Duration::ZERO, async { Ok(9) }).await.unwrap(), 9);
    }
}
