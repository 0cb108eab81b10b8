//! Messages of a chat: as it tells them, and how one is said and taken away.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use webapi::Ask;

use crate::{ApiError, Caller, YouTube, items::number};

/// Of one message.
pub const MOST_CHARACTERS: usize = 200;

const PATH: &str = "/liveChat/messages";
/// Messages of one page: the price is the same for any number.
const AT_ONCE: &str = "2000";
/// Where YouTube names none.
const USUAL_WAIT: Duration = Duration::from_secs(5);
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// A later time is not believed.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What a chat has told since the page before, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As they came; [`crate::Item::read`] understands them.
    pub items: Vec<Value>,
    /// Names the page after this one.
    pub next: Option<String>,
    /// Sooner nothing may be asked.
    pub wait: Duration,
    /// The stream is over; this is the last page.
    pub ended: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    items: Vec<Value>,
    #[serde(default)]
    next_page_token: Option<String>,
    #[serde(default)]
    polling_interval_millis: Value,
    #[serde(default)]
    offline_at: Value,
}

#[derive(Deserialize)]
struct Said {
    id: String,
}

impl From<Told> for Page {
    fn from(told: Told) -> Self {
        let wait = number(&told.polling_interval_millis).map_or(USUAL_WAIT, Duration::from_millis);
        Self {
            items: told.items,
            next: told.next_page_token.filter(|token| !token.is_empty()),
            wait: wait.clamp(SHORTEST_WAIT, LONGEST_WAIT),
            ended: !told.offline_at.is_null(),
        }
    }
}

impl YouTube {
    /// What the chat tells; without a token from the beginning that YouTube still has.
    ///
    /// # Errors
    /// YouTube gives no answer; [`crate::Why`] says whether the chat is over.
    pub async fn messages(
        &self,
        caller: Caller<'_>,
        live_chat: &str,
        page_token: Option<&str>,
    ) -> Result<Page, ApiError> {
        let mut query = vec![
            ("liveChatId", live_chat.to_owned()),
            ("part", "id,snippet,authorDetails".to_owned()),
            ("maxResults", AT_ONCE.to_owned()),
        ];
        query.extend(page_token.map(|token| ("pageToken", token.to_owned())));
        Ok(self.0.ask::<Told>(caller, &Ask::get(PATH, query)).await?.into())
    }

    /// Says the text in the chat; the message's id. Needs `youtube.force-ssl` of the caller.
    ///
    /// # Errors
    /// [`ApiError::Doubtful`]: it may have been said; the others: it was not.
    pub async fn say(&self, caller: Caller<'_>, live_chat: &str, text: &str) -> Result<String, ApiError> {
        let snippet = json!({
            "liveChatId": live_chat, "type": "textMessageEvent", "textMessageDetails": { "messageText": text }
        });
        let ask = Ask {
            method: Method::POST,
            path: PATH,
            query: vec![("part", "snippet".to_owned())],
            body: Some(json!({ "snippet": snippet })),
        };
        Ok(self.0.ask::<Said>(caller, &ask).await?.id)
    }

    /// Takes a message out of its chat, as its author, its streamer or a moderator. One that is gone is fine. Needs
    /// `youtube.force-ssl` of the caller.
    ///
    /// # Errors
    /// YouTube refuses, or gives no answer.
    pub async fn delete(&self, caller: Caller<'_>, message_id: &str) -> Result<(), ApiError> {
        let query = vec![("id", message_id.to_owned())];
        let ask = Ask { method: Method::DELETE, path: PATH, query, body: None };
        match self.0.ask::<Value>(caller, &ask).await {
            Err(ApiError::Refused { status: 404, .. }) => Ok(()),
            answer => answer.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Item;

    fn page(told: Value) -> Page {
        serde_json::from_value::<Told>(told).unwrap().into()
    }

    #[test]
    fn a_page_names_the_next_one_and_when() {
        let told: Value = serde_json::from_str(include_str!("../fixtures/page.json")).unwrap();
        let found = page(told.clone());
        assert_eq!((found.next.as_deref(), found.wait), (Some("GI3K-token"), Duration::from_millis(2500)));
        assert_eq!((&Value::from(found.items.clone()), found.ended), (&told["items"], false));
        assert!(found.items.iter().all(|item| Item::read(item).is_ok()));
    }

    #[test]
    fn the_last_page_says_so() {
        assert!(page(json!({ "offlineAt": "2026-01-01T00:00:00Z", "items": [] })).ended);
        assert!(!page(json!({ "offlineAt": null })).ended);
        assert_eq!(page(json!({ "nextPageToken": "" })).next, None);
    }

    #[test]
    fn a_wait_is_neither_nothing_nor_for_ever() {
        let wait = |millis: Value| page(json!({ "pollingIntervalMillis": millis })).wait;
        assert_eq!(wait(json!(0)), SHORTEST_WAIT);
        assert_eq!(wait(json!("3000")), Duration::from_secs(3));
        assert_eq!(wait(json!(u64::MAX)), LONGEST_WAIT);
        assert_eq!(wait(json!(-1)), USUAL_WAIT);
        assert_eq!(page(json!({})).wait, USUAL_WAIT);
    }
}
