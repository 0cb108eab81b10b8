//! Renewals, so that one of them runs at a time and to its end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use domain::{
    access::Vault,
    identities::{self, Grant, Provider, Renew, RenewError, Token, TokenError},
};
use queue::Database;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use crate::{IdentityError, Platforms};

/// A token that ends sooner is not handed out.
const MARGIN: Duration = Duration::from_secs(60);
/// Of a token of which the platform does not say how long it is good.
const USUAL: Duration = Duration::from_hours(1);

/// Tokens of the application itself, one a platform, each with its end. Who waits here for one that is asked for finds it.
#[derive(Debug, Default)]
pub(crate) struct AppTokens(tokio::sync::Mutex<HashMap<Provider, (Token, Instant)>>);

/// Who of this process is at an account. Those who wait here hold no connection; the row keeps other processes away.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Uuid, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, account: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&account).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        turns.insert(account, Arc::downgrade(&turn));
        turn
    }
}

impl Renew for Platforms {
    async fn renew(&self, provider: Provider, refresh: &Token, device: Option<&str>) -> Result<Grant, RenewError> {
        Ok(self.renewed(provider, refresh, device).await?)
    }
}

impl Platforms {
    /// A token of the application itself that is good now; a new one if the kept one is over or is the one that the platform
    /// has just `rejected`. Kept in this process only: platforms give any number of them.
    ///
    /// # Errors
    /// The platform is not configured, refuses us, or cannot be reached.
    pub async fn app_token(&self, provider: Provider, rejected: Option<Token>) -> Result<Token, IdentityError> {
        let mut kept = self.inner.app_tokens.0.lock().await;
        if let Some((token, end)) = kept.get(&provider)
            && Some(token) != rejected.as_ref()
            && *end > Instant::now()
        {
            return Ok(token.clone());
        }
        let grant = self.granted_to_app(provider).await?;
        let lifetime = grant.lifetime.unwrap_or(USUAL).saturating_sub(MARGIN);
        let end = Instant::now().checked_add(lifetime).unwrap_or_else(|| Instant::now() + USUAL);
        kept.insert(provider, (grant.access.clone(), end));
        Ok(grant.access)
    }

    /// An access token of the account that is good now: the kept one, or a renewed one if that is over or is the one that
    /// the platform has just `rejected`. Of any number of callers in any number of processes one renews it.
    ///
    /// # Errors
    /// [`TokenError::Relink`] when the person must link the account again.
    pub async fn fresh_token(
        &self,
        db: &Database,
        vault: &Arc<Vault>,
        account: Uuid,
        rejected: Option<Token>,
    ) -> Result<Token, TokenError> {
        let turn = self.inner.turns.of(account).lock_owned().await;
        let (platforms, db, vault) = (self.clone(), db.clone(), vault.clone());
        // A task of its own: a caller that goes away must not take a renewal along that has used up the refresh token.
        let renewal = tokio::spawn(async move {
            let token = identities::fresh_token(&db, &vault, account, rejected.as_ref(), &platforms).await;
            drop(turn);
            token
        });
        renewal.await.unwrap_or_else(|_| Err(TokenError::Unavailable("the renewal ended early".to_owned())))
    }
}
