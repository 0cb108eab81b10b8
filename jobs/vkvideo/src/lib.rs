//! VK Video Live's DevAPI (PLATFORMS 3): `accounts`, `channels`, `sockets`, `messages`, what is asked, a file a noun. How it is
//! asked, and what an error means, is [`webapi`]'s.
//!
//! It is where `VKVIDEO_API_BASE_URL` says, or `VKVIDEO_URL` for all that VK Video is, with the client of `VKVIDEO_CLIENT_ID`.

mod accounts;
mod channels;
mod messages;
mod sockets;

use std::sync::Arc;

use domain::{access::Vault, identities::Provider};
use identity::Platforms;
use serde::{Deserialize, de::DeserializeOwned};
use webapi::{Ask, Dialect, Meaning, Reason, WebApi};

pub use accounts::{Me, Member, Role};
pub use channels::{Channel, Slug, Sockets, Stream};
pub use messages::{MOST_CHARACTERS, Part};
pub use webapi::{ApiError, Caller};

static DIALECT: Dialect = Dialect {
    provider: Provider::VkVideo,
    root: "https://apidev.live.vkvideo.ru",
    client_header: None,
    reason: |body| Reason {
        code: body["error"].as_str().map(str::to_owned),
        words: body["error_description"].as_str().map(str::to_owned),
    },
    // The statuses beside these codes differ from one report to the next.
    meaning: |reason| match reason.code.as_deref()? {
        "ratelimit_exceeded" | "send_too_fast" => Some(Meaning::Limited),
        "message_too_long" | "same_message" => Some(Meaning::Refused),
        _ => None,
    },
};

/// The way to VK Video. Cheap to clone.
#[derive(Debug, Clone)]
pub struct VkVideo(WebApi);

/// What each answer is wrapped in.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

impl VkVideo {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(platforms: Platforms, vault: Arc<Vault>) -> reqwest::Result<Self> {
        Ok(Self(WebApi::new(&DIALECT, platforms, vault)?))
    }

    /// # Errors
    /// [`ApiError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self) -> Result<(), ApiError> {
        self.0.check()
    }

    async fn ask<T: DeserializeOwned>(&self, caller: Caller<'_>, ask: &Ask) -> Result<T, ApiError> {
        Ok(self.0.ask::<Data<T>>(caller, ask).await?.data)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_code_says_whether_to_come_again() {
        let meant = |code: &str| (DIALECT.meaning)(&(DIALECT.reason)(&json!({ "error": code })));
        assert_eq!(meant("send_too_fast"), Some(Meaning::Limited));
        assert_eq!(meant("same_message"), Some(Meaning::Refused));
        assert_eq!(meant("unauthorized"), None);
        assert_eq!((DIALECT.meaning)(&(DIALECT.reason)(&json!([]))), None);
    }
}
