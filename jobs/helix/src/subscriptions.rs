//! What Twitch tells us by webhooks: subscriptions of EventSub. They are the application's.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use webapi::Ask;

use crate::{Caller, Helix, HelixError, users::Page};

const PATH: &str = "/eventsub/subscriptions";
/// Pages that are read at most: a cursor that never ends is not followed for ever.
const MOST_PAGES: usize = 500;

/// One that there is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    pub id: String,
    /// `enabled`, `webhook_callback_verification_pending`, or why it is not.
    pub status: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub version: String,
    /// Of which channel, among others.
    #[serde(default)]
    pub condition: Value,
    #[serde(default)]
    pub transport: Value,
}

impl Subscription {
    /// Where it is told.
    #[must_use]
    pub fn callback(&self) -> &str {
        self.transport["callback"].as_str().unwrap_or_default()
    }
}

/// One that there shall be.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    pub kind: &'a str,
    pub version: &'a str,
    pub condition: Value,
    pub callback: &'a str,
    /// What notifications are signed with, 10 to 100 ASCII characters.
    pub secret: &'a str,
}

impl Helix {
    /// All of ours.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, HelixError> {
        let (mut all, mut after): (Vec<Subscription>, Option<String>) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let query = after.take().map(|cursor| ("after", cursor)).into_iter().collect();
            let page: Page<Subscription> = self.ask(Caller::App, &Ask::get(PATH, query)).await?;
            all.extend(page.data);
            after = page.pagination.cursor.filter(|cursor| !cursor.is_empty());
            if after.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// Makes it; none when there is one like it already.
    ///
    /// # Errors
    /// [`HelixError::Forbidden`] when the channel's owner has not granted what it needs.
    pub async fn subscribe(&self, wanted: &Wanted<'_>) -> Result<Option<Subscription>, HelixError> {
        let transport = json!({ "method": "webhook", "callback": wanted.callback, "secret": wanted.secret });
        let body = json!({
            "type": wanted.kind, "version": wanted.version, "condition": wanted.condition, "transport": transport
        });
        let ask = Ask { method: Method::POST, path: PATH, query: Vec::new(), body: Some(body) };
        match self.ask::<Page<Subscription>>(Caller::App, &ask).await {
            Ok(mut page) => Ok(page.data.pop()),
            Err(HelixError::Refused { status: 409, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends it; one that is gone is fine.
    ///
    /// # Errors
    /// Twitch refuses, or gives no answer.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), HelixError> {
        let query = vec![("id", id.to_owned())];
        let ask = Ask { method: Method::DELETE, path: PATH, query, body: None };
        match self.ask::<Value>(Caller::App, &ask).await {
            Err(HelixError::Refused { status: 404, .. }) => Ok(()),
            answer => answer.map(drop),
        }
    }
}
