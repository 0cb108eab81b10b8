//! What OpenID providers say about themselves, kept for a while.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::identities::Provider;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

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

#[derive(Debug, Clone)]
struct Known<T> {
    what: Arc<T>,
    at: Instant,
}

impl<T> Known<T> {
    fn since(known: Option<&Self>, age: Duration) -> Option<Arc<T>> {
        known.filter(|known| known.at.elapsed() < age).map(|known| known.what.clone())
    }
}

/// One question at a time; whoever waits for it gets its answer.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    metadata: Mutex<HashMap<Provider, Known<Metadata>>>,
    keys: Mutex<HashMap<Provider, Known<JwkSet>>>,
}

impl Discovery {
    pub(crate) async fn metadata(
        &self,
        client: &Client,
        provider: Provider,
        issuer: &str,
    ) -> Result<Arc<Metadata>, IdentityError> {
        let mut known = self.metadata.lock().await;
        if let Some(metadata) = Known::since(known.get(&provider), FRESH) {
            return Ok(metadata);
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = read(client, &address).await?;
        // Else anybody could speak in another's name.
        if metadata.issuer != issuer {
            return Err(IdentityError::unavailable("the provider calls itself by another name than the setting does"));
        }
        for address in [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri] {
            client.allowed(address)?;
        }
        let metadata = Arc::new(metadata);
        known.insert(provider, Known { what: metadata.clone(), at: Instant::now() });
        Ok(metadata)
    }

    /// The provider's keys; asked for anew when a token names one that is not among them.
    pub(crate) async fn keys(
        &self,
        client: &Client,
        provider: Provider,
        metadata: &Metadata,
        unknown: bool,
    ) -> Result<Arc<JwkSet>, IdentityError> {
        let mut known = self.keys.lock().await;
        let age = if unknown { ASK_AGAIN } else { FRESH };
        if let Some(keys) = Known::since(known.get(&provider), age) {
            return Ok(keys);
        }
        let set: Value = read(client, &metadata.jwks_uri).await?;
        // A key of a kind that we do not know is no reason to refuse the others.
        let keys = set["keys"].as_array().into_iter().flatten();
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok()).collect();
        let keys = Arc::new(JwkSet { keys });
        known.insert(provider, Known { what: keys.clone(), at: Instant::now() });
        Ok(keys)
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
