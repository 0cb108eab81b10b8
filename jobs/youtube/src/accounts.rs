//! Who we are.

use serde::Deserialize;

use crate::{ApiError, Caller, YouTube};

/// The channel of the account that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub id: String,
    pub title: String,
    /// `@name`, where it has one.
    pub handle: Option<String>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
    #[serde(default)]
    snippet: Snippet,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Snippet {
    title: String,
    custom_url: Option<String>,
}

impl From<Channel> for Me {
    fn from(told: Channel) -> Self {
        let handle = told.snippet.custom_url.filter(|handle| !handle.is_empty());
        Self { id: told.id, title: told.snippet.title, handle }
    }
}

impl YouTube {
    /// Who asks; none: the account has no channel.
    ///
    /// # Errors
    /// YouTube gives no answer.
    pub async fn me(&self, caller: Caller<'_>) -> Result<Option<Me>, ApiError> {
        let query = vec![("part", "snippet".to_owned()), ("mine", "true".to_owned())];
        Ok(self.list::<Channel>(caller, "/channels", query).await?.into_iter().next().map(Me::from))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_channel_may_have_no_handle() {
        let me = |told: serde_json::Value| Me::from(serde_json::from_value::<Channel>(told).unwrap());
        let anna = me(json!({ "id": "UC1", "snippet": { "title": "Anna TV", "customUrl": "@annatv" } }));
        assert_eq!((&*anna.id, &*anna.title, anna.handle.as_deref()), ("UC1", "Anna TV", Some("@annatv")));
        assert_eq!(me(json!({ "id": "UC1", "snippet": { "title": "Anna TV" } })).handle, None);
        assert_eq!(me(json!({ "id": "UC1" })).title, "");
    }
}
