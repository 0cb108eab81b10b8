//! Twitch's API (PLATFORMS 1.2, 1.3, 1.6): `users`, `streams`, `messages`, `moderation`, `lists`, `subscriptions`, what is asked,
//! a file a noun. How it is asked, and what an error means, is [`webapi`]'s.
//!
//! It is where `TWITCH_URL` says, with the client of `TWITCH_CLIENT_ID`.

mod lists;
mod messages;
mod moderation;
mod streams;
mod subscriptions;
mod users;

use std::sync::Arc;

use domain::{access::Vault, identities::Provider};
use identity::Platforms;
use serde::de::DeserializeOwned;
use webapi::{Ask, Dialect, Reason, WebApi};

pub use lists::{Follower, Redemption, RedemptionStatus, Reward};
pub use messages::Said;
pub use streams::Stream;
pub use subscriptions::{Subscription, Wanted};
pub use users::User;
pub use webapi::{ApiError as HelixError, Caller};

static DIALECT: Dialect = Dialect {
    provider: Provider::Twitch,
    root: "https://api.twitch.tv/helix",
    client_header: Some("client-id"),
    // The words for people are all that it has; the status says the rest.
    reason: |body| Reason {
        code: None,
        words: body["message"].as_str().or_else(|| body["error"].as_str()).map(str::to_owned),
    },
    meaning: |_| None,
};

/// The way to Twitch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Helix(WebApi);

impl Helix {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(platforms: Platforms, vault: Arc<Vault>) -> reqwest::Result<Self> {
        Ok(Self(WebApi::new(&DIALECT, platforms, vault)?))
    }

    /// # Errors
    /// [`HelixError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self) -> Result<(), HelixError> {
        self.0.check()
    }

    pub(crate) async fn ask<T: DeserializeOwned>(&self, caller: Caller<'_>, ask: &Ask) -> Result<T, HelixError> {
        self.0.ask(caller, ask).await
    }
}
