//! YouTube's Data API for live chats (PLATFORMS 2): `accounts`, `broadcasts`, `messages`, what is asked, a file a noun; `items`,
//! how what a chat tells is read; `quota`, what all of it costs; `why`, what stands behind an error. How it is asked is
//! [`webapi`]'s.
//!
//! It is where `YOUTUBE_URL` says, with the client of `YOUTUBE_CLIENT_ID`.

mod accounts;
mod broadcasts;
mod items;
mod messages;
pub mod quota;
mod why;

use std::sync::Arc;

use domain::{access::Vault, identities::Provider};
use identity::Platforms;
use serde::{Deserialize, de::DeserializeOwned};
use webapi::{Ask, Dialect, Meaning, Reason, WebApi};

pub use accounts::Me;
pub use broadcasts::{Broadcast, Video};
pub use items::{Author, Item, Kind, Missing};
pub use messages::{MOST_CHARACTERS, Page};
pub use webapi::{ApiError, Caller};
pub use why::Why;

/// Bytes; two thousand messages of the longest kind are two thirds of it.
const MOST: usize = 8 * 1024 * 1024;

static DIALECT: Dialect = Dialect {
    provider: Provider::YouTube,
    root: "https://www.googleapis.com/youtube/v3",
    client_header: None,
    reason: |body| {
        let error = &body["error"];
        Reason {
            code: error["errors"][0]["reason"].as_str().or_else(|| error["status"].as_str()).map(str::to_owned),
            words: error["message"].as_str().map(str::to_owned),
        }
    },
    // The status beside all of these is 403, as if something had not been granted; `Why` tells them apart.
    meaning: |reason| match reason.code.as_deref()? {
        "rateLimitExceeded" | "userRateLimitExceeded" | "userRequestsExceedRateLimit" => Some(Meaning::Limited),
        "quotaExceeded" | "dailyLimitExceeded" => Some(Meaning::Refused),
        "liveChatEnded" | "liveChatDisabled" => Some(Meaning::Refused),
        // Linking the account again would not help.
        "liveStreamingNotEnabled" | "modificationNotAllowed" | "accessNotConfigured" => Some(Meaning::Refused),
        _ => None,
    },
};

/// The way to YouTube. Cheap to clone.
#[derive(Debug, Clone)]
pub struct YouTube(WebApi);

/// What each answer is wrapped in; where there is nothing, Google leaves `items` out.
#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

impl YouTube {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(platforms: Platforms, vault: Arc<Vault>) -> reqwest::Result<Self> {
        Ok(Self(WebApi::new(&DIALECT, platforms, vault)?.reading(MOST)))
    }

    /// # Errors
    /// [`ApiError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self) -> Result<(), ApiError> {
        self.0.check()
    }

    async fn list<T: DeserializeOwned>(
        &self,
        caller: Caller<'_>,
        path: &'static str,
        query: Vec<(&'static str, String)>,
    ) -> Result<Vec<T>, ApiError> {
        Ok(self.0.ask::<List<T>>(caller, &Ask::get(path, query)).await?.items)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refusal(reason: &str) -> Value {
        json!({ "error": { "code": 403, "message": "because", "status": "PERMISSION_DENIED",
                           "errors": [{ "message": "because", "domain": "youtube.liveChat", "reason": reason }] } })
    }

    #[test]
    fn a_reason_says_whether_to_come_again() {
        let meant = |reason: &str| (DIALECT.meaning)(&(DIALECT.reason)(&refusal(reason)));
        assert_eq!(meant("rateLimitExceeded"), Some(Meaning::Limited));
        assert_eq!(meant("quotaExceeded"), Some(Meaning::Refused));
        assert_eq!(meant("liveChatEnded"), Some(Meaning::Refused));
        assert_eq!(meant("insufficientPermissions"), None);
        assert_eq!(meant("backendError"), None);
    }

    #[test]
    fn a_reason_is_found_wherever_the_answer_has_it() {
        let reason = |body: &Value| (DIALECT.reason)(body);
        let (code, words) = (Some("liveChatEnded".to_owned()), Some("because".to_owned()));
        assert_eq!(reason(&refusal("liveChatEnded")), Reason { code, words });
        let bare = json!({ "error": { "code": 401, "status": "UNAUTHENTICATED" } });
        assert_eq!(reason(&bare), Reason { code: Some("UNAUTHENTICATED".to_owned()), words: None });
        for other in [json!(null), json!([]), json!({ "error": "invalid_grant" }), json!({ "error": { "errors": 1 } })]
        {
            assert_eq!(reason(&other), Reason::default(), "{other}");
        }
    }

    #[test]
    fn a_list_of_nothing_has_no_items() {
        let list = |told: Value| serde_json::from_value::<List<u8>>(told).unwrap().items;
        assert_eq!(list(json!({ "kind": "youtube#channelListResponse" })), [0; 0]);
        assert_eq!(list(json!({ "items": [7] })), [7]);
    }
}
