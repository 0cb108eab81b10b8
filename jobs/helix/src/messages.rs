//! Messages into chats.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use webapi::Ask;

use crate::{Caller, Helix, HelixError, users::Page};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Sent {
        message_id: String,
    },
    /// The platform would not have it; its code, in the words of a chat's NOTICE.
    Dropped {
        code: String,
    },
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message_id: String,
    is_sent: bool,
    #[serde(default)]
    drop_reason: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
}

impl Helix {
    /// Says the text in the channel (id) as the account, whose id there is `sender`. Needs `user:write:chat` of it.
    ///
    /// # Errors
    /// [`HelixError::Doubtful`]: it may have been said; the others: it was not.
    pub async fn say(&self, caller: Caller<'_>, channel: &str, sender: &str, text: &str) -> Result<Said, HelixError> {
        let body = json!({ "broadcaster_id": channel, "sender_id": sender, "message": text });
        let ask = Ask { method: Method::POST, path: "/chat/messages", query: Vec::new(), body: Some(body) };
        let mut page: Page<Message> = self.ask(caller, &ask).await?;
        match page.data.pop() {
            Some(message) if message.is_sent => Ok(Said::Sent { message_id: message.message_id }),
            // The status is 200 for what nobody sees, too.
            Some(message) => {
                let code = message.drop_reason.map_or_else(|| "dropped".to_owned(), |reason| reason.code);
                Ok(Said::Dropped { code })
            }
            None => Err(HelixError::Doubtful("an answer about no message".to_owned())),
        }
    }
}
