//! A login on its way to a platform and back.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use queue::Tx;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{IdentityError, Provider, repo};
use crate::access::hmac;

/// How long somebody may take at the platform.
pub const LIFETIME: Duration = Duration::from_mins(10);

/// What a browser that has begun a login keeps in a cookie: 256 random bits. One serves all its logins, so that two tabs do
/// not spoil each other's.
///
/// The secrets of a login are derived from it and the state, so that they are stored nowhere and nobody else can end the
/// login, whatever else they know.
#[derive(Clone)]
pub struct BrowserSecret(Zeroizing<[u8; 32]>);

impl BrowserSecret {
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// Of a cookie's text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// For the cookie.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64.encode(*self.0)
    }

    /// What the platform must repeat within the proof of who came (OpenID Connect).
    #[must_use]
    pub fn nonce(&self, state: &str) -> String {
        self.derived(b"nonce", state)
    }

    /// What shows the platform that who ends the login has begun it (PKCE): 43 characters.
    #[must_use]
    pub fn verifier(&self, state: &str) -> String {
        self.derived(b"verifier", state)
    }

    fn derived(&self, purpose: &[u8], state: &str) -> String {
        BASE64.encode(hmac(&*self.0, &[purpose, b":", state.as_bytes()]))
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(*self.0).to_vec()
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret(..)")
    }
}

/// Where an account is to speak (noun `bot_accounts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// In all channels that have none of their own.
    Default,
    Channel(Uuid),
}

impl Seat {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Channel(_) => "channel",
        }
    }

    pub(super) const fn channel(self) -> Option<Uuid> {
        if let Self::Channel(id) = self { Some(id) } else { None }
    }
}

/// What shall come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    LogIn,
    /// One more account for this person, asked for in this session.
    Link {
        user: Uuid,
        session: Uuid,
        /// It shall speak there.
        seat: Option<Seat>,
    },
}

/// A login that was begun.
#[derive(Debug, Clone)]
pub struct Began {
    /// For the address at the platform, which gives it back: 43 characters.
    pub state: String,
}

/// A login that has come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub wish: Wish,
    /// A path of ours.
    pub redirect_to: String,
}

/// Remembers that this browser goes to the platform.
///
/// # Errors
/// The database refused.
pub async fn begin(
    conn: &mut PgConnection,
    provider: Provider,
    browser: &BrowserSecret,
    wish: Wish,
    redirect_to: &str,
) -> Result<Began, sqlx::Error> {
    let state = BASE64.encode(rand::random::<[u8; 32]>());
    repo::forget_flows(&mut *conn, LIFETIME).await?;
    repo::insert_flow(conn, &hash(&state), provider, &browser.hash(), wish, redirect_to).await?;
    Ok(Began { state })
}

/// The login with this state, which is good no more after this transaction. It must have been begun with this platform in
/// this browser, and be a link or a login as `linking` says.
///
/// # Errors
/// [`IdentityError::NoSuchFlow`] for every reason there is.
pub async fn redeem(
    tx: &mut Tx,
    provider: Provider,
    browser: &BrowserSecret,
    state: &str,
    linking: bool,
) -> Result<Flow, IdentityError> {
    // Whoever shows a state in another browser does not spoil it for the one that began it.
    let flow = repo::take_flow(tx, &hash(state), provider, &browser.hash(), linking, LIFETIME).await?;
    flow.ok_or(IdentityError::NoSuchFlow)
}

fn hash(state: &str) -> Vec<u8> {
    Sha256::digest(state).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_s_secret_survives_its_cookie_and_nothing_else_is_one() {
        let secret = BrowserSecret::random();
        let read = BrowserSecret::parse(&secret.text()).unwrap();
        assert_eq!(*read.0, *secret.0);
        for wrong in ["", "abc", "é", &secret.text()[1..], &format!("{}A", secret.text())] {
            assert!(BrowserSecret::parse(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{secret:?}").contains(&secret.text()));
    }

    #[test]
    fn the_secrets_of_two_logins_of_one_browser_are_not_the_same() {
        let secret = BrowserSecret::random();
        assert_eq!(secret.verifier("a"), secret.verifier("a"));
        assert_ne!(secret.verifier("a"), secret.verifier("b"));
        assert_ne!(secret.verifier("a"), secret.nonce("a"));
        assert_ne!(secret.verifier("a"), BrowserSecret::random().verifier("a"));
        assert_eq!(secret.verifier("a").len(), 43, "as long as PKCE wants it at least");
    }
}
