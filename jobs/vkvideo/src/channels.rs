//! Channels, their streams, and by which words their news are told.

use std::fmt::{self, Display};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;
use webapi::Ask;

use crate::{ApiError, Caller, VkVideo};

const SITES: [&str; 3] = ["live.vkvideo.ru", "vkplay.live", "live.vkplay.ru"];
const LONGEST: usize = 64;

/// A channel's name in addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// From the name itself or from the address of the channel's page; none for everything else. Lower case: the site takes
    /// any case for the same channel.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let slug = match text.split_once("://") {
            Some(_) => of_page(text)?,
            None if text.contains('/') => of_page(&format!("https://{text}"))?,
            None => text.to_lowercase(),
        };
        let usual = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
        (!slug.is_empty() && slug.len() <= LONGEST && slug.chars().all(usual)).then_some(Self(slug))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn of_page(address: &str) -> Option<String> {
    let page = Url::parse(address).ok()?;
    let host = page.host_str()?.trim_start_matches("www.");
    if !SITES.contains(&host) {
        return None;
    }
    Some(page.path_segments()?.next()?.to_lowercase())
}

/// A channel as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    pub owner_id: String,
    pub nick: String,
    /// The one that goes on.
    pub stream: Option<Stream>,
    pub sockets: Sockets,
}

/// A stream that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub id: String,
    pub title: String,
    pub started_at: Option<OffsetDateTime>,
}

/// Under which names the channel's news are told: to be taken as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sockets {
    pub chat: Option<String>,
    pub limited_chat: Option<String>,
    pub info: Option<String>,
    pub channel_points: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    channel: ToldChannel,
    #[serde(default)]
    owner: Option<Owner>,
    #[serde(default)]
    stream: Option<ToldStream>,
}

#[derive(Deserialize)]
struct ToldChannel {
    id: u64,
    #[serde(default)]
    nick: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    web_socket_channels: Sockets,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    channels: Vec<Told>,
}

#[derive(Deserialize)]
struct Owner {
    id: u64,
}

#[derive(Deserialize)]
struct ToldStream {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    title: String,
    /// Seconds since 1970.
    #[serde(default)]
    started_at: Option<i64>,
}

impl From<Told> for Channel {
    fn from(told: Told) -> Self {
        let live = told.channel.status != "offline";
        let stream = told.stream.filter(|_| live).and_then(|stream| {
            let id = stream.id.filter(|id| !id.is_empty())?;
            let started_at = stream.started_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
            Some(Stream { id, title: stream.title, started_at })
        });
        Self {
            id: told.channel.id.to_string(),
            owner_id: told.owner.map_or_else(String::new, |owner| owner.id.to_string()),
            nick: told.channel.nick,
            stream,
            sockets: told.channel.web_socket_channels,
        }
    }
}

impl VkVideo {
    /// The channel; none where there is no such one.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn channel(&self, caller: Caller<'_>, slug: &Slug) -> Result<Option<Channel>, ApiError> {
        let ask = Ask::get("/v1/channel", vec![("channel_url", slug.to_string())]);
        match self.ask::<Told>(caller, &ask).await {
            Ok(told) => Ok(Some(told.into())),
            Err(ApiError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// These channels, those that there are.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn channels(&self, caller: Caller<'_>, slugs: &[Slug]) -> Result<Vec<Channel>, ApiError> {
        let named: Vec<Value> = slugs.iter().map(|slug| json!({ "url": slug.as_str() })).collect();
        let ask = Ask {
            method: Method::POST,
            path: "/v1/channels",
            query: Vec::new(),
            body: Some(json!({ "channels": named })),
        };
        Ok(self.ask::<Batch>(caller, &ask).await?.channels.into_iter().map(Channel::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_found_in_what_people_paste() {
        let parse = |text: &str| Slug::parse(text).map(|slug| slug.0);
        for text in [
            "Anna_1",
            " anna_1 ",
            "https://live.vkvideo.ru/Anna_1",
            "live.vkvideo.ru/anna_1/",
            "https://vkplay.live/anna_1?x=1",
        ] {
            assert_eq!(parse(text).as_deref(), Some("anna_1"), "{text}");
        }
        for text in [
            "",
            "a b",
            "https://evil.example/anna_1",
            "https://live.vkvideo.ru/",
            "анна",
            &"a".repeat(65),
            "../x",
            "a&b=c",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_stream_is_one_that_goes_on() {
        let told = |status: &str, stream: serde_json::Value| {
            let told = json!({ "channel": { "id": 42, "nick": "anna", "status": status,
                                            "web_socket_channels": { "chat": "api-channel-chat:42", "private_chat": "x#1" } },
                               "owner": { "id": 7 }, "stream": stream, "streams": [] });
            Channel::from(serde_json::from_value::<Told>(told).unwrap())
        };
        let stream = json!({ "id": "s1", "title": "t", "started_at": 1_785_097_380, "ended_at": null });
        let live = told("online", stream.clone());
        assert_eq!(
            (&*live.id, &*live.owner_id, live.sockets.chat.as_deref()),
            ("42", "7", Some("api-channel-chat:42"))
        );
        assert_eq!(live.stream.unwrap().started_at.unwrap().unix_timestamp(), 1_785_097_380);
        assert_eq!(told("offline", stream).stream, None);
        assert_eq!(told("online", json!(null)).stream, None);
        assert_eq!(told("online", json!({ "id": null })).stream, None);
    }
}
