//! Messages: of what they are made, and how one is said.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use webapi::Ask;

use crate::{ApiError, Caller, Slug, VkVideo};

/// Of one message; the platform publishes no number, and takes these.
pub const MOST_CHARACTERS: usize = 500;

/// A piece of a message; kinds that we do not know are none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Part {
    text: Option<Content>,
    mention: Option<Mention>,
    smile: Option<Smile>,
    link: Option<Link>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Content {
    content: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Mention {
    nick: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Smile {
    name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Link {
    content: String,
    url: String,
}

impl Part {
    /// As it is read.
    fn push_to(&self, text: &mut String) {
        if let Some(Content { content }) = &self.text {
            text.push_str(content);
        }
        if let Some(Mention { nick }) = &self.mention {
            text.push('@');
            text.push_str(nick);
        }
        if let Some(Smile { name }) = &self.smile {
            text.push_str(name);
        }
        if let Some(Link { content, url }) = &self.link {
            text.push_str(if content.is_empty() { url } else { content });
        }
    }

    /// The whole message as text.
    #[must_use]
    pub fn text_of(parts: &[Self]) -> String {
        let mut text = String::new();
        for part in parts {
            part.push_to(&mut text);
        }
        text
    }
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    chat_messages: Vec<Value>,
}

impl VkVideo {
    /// The last messages of the channel's chat, 200 at most, as their news tell them.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn last_messages(&self, caller: Caller<'_>, channel: &Slug) -> Result<Vec<Value>, ApiError> {
        let query = vec![("channel_url", channel.to_string()), ("limit", "200".to_owned())];
        Ok(self.ask::<Messages>(caller, &Ask::get("/v1/chat/messages", query)).await?.chat_messages)
    }

    /// Says the text in the channel while the stream goes on. Needs `chat:message:send` of the caller.
    ///
    /// # Errors
    /// [`ApiError::Doubtful`]: it may have been said; the others: it was not.
    pub async fn say(&self, caller: Caller<'_>, channel: &Slug, stream: &str, text: &str) -> Result<(), ApiError> {
        let ask = Ask {
            method: Method::POST,
            path: "/v1/chat/message/send",
            query: vec![("channel_url", channel.to_string()), ("stream_id", stream.to_owned())],
            body: Some(json!({ "parts": [{ "text": { "content": text } }] })),
        };
        // Of what was said it tells nothing, wrapped or not.
        self.0.ask::<Value>(caller, &ask).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_people_see_it() {
        let parts = r#"[{"text":{"content":"hello "}},{"mention":{"id":1,"nick":"boris"}},{"poll":{"id":1}},
                        {"text":{"content":" "}},{"smile":{"id":"s","name":"KEK","animated":false}},
                        {"link":{"content":"","url":"https://vk.com"}}]"#;
        let parts: Vec<Part> = serde_json::from_str(parts).unwrap();
        assert_eq!(Part::text_of(&parts), "hello @boris KEKhttps://vk.com");
        assert_eq!(Part::text_of(&[]), "");
    }
}
