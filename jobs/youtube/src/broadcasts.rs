//! Streams, and where their chats are.

use serde::Deserialize;
use time::OffsetDateTime;

use crate::{ApiError, Caller, YouTube};

/// A stream of one's own that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    pub video_id: String,
    /// None: it has no chat.
    pub live_chat: Option<String>,
    pub title: String,
    pub started_at: Option<OffsetDateTime>,
}

/// A video, which may be a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    pub title: String,
    pub channel_id: String,
    /// It goes on now.
    pub live: bool,
    /// None: it has no chat, or none any more.
    pub live_chat: Option<String>,
    pub started_at: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
struct ToldBroadcast {
    id: String,
    #[serde(default)]
    snippet: OfBroadcast,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OfBroadcast {
    title: String,
    live_chat_id: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    actual_start_time: Option<OffsetDateTime>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    life_cycle_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldVideo {
    snippet: OfVideo,
    #[serde(default)]
    live_streaming_details: Option<Streaming>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfVideo {
    #[serde(default)]
    title: String,
    channel_id: String,
    #[serde(default)]
    live_broadcast_content: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Streaming {
    active_live_chat_id: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    actual_start_time: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    actual_end_time: Option<OffsetDateTime>,
}

/// Google leaves out what is not there, or leaves it empty.
fn given(id: Option<String>) -> Option<String> {
    id.filter(|id| !id.is_empty())
}

impl From<ToldBroadcast> for Broadcast {
    fn from(ToldBroadcast { id, snippet, .. }: ToldBroadcast) -> Self {
        let OfBroadcast { title, live_chat_id, actual_start_time } = snippet;
        Self { video_id: id, live_chat: given(live_chat_id), title, started_at: actual_start_time }
    }
}

impl From<ToldVideo> for Video {
    fn from(told: ToldVideo) -> Self {
        let streaming = told.live_streaming_details.unwrap_or_default();
        Self {
            title: told.snippet.title,
            channel_id: told.snippet.channel_id,
            live: told.snippet.live_broadcast_content == "live" && streaming.actual_end_time.is_none(),
            live_chat: given(streaming.active_live_chat_id),
            started_at: streaming.actual_start_time,
        }
    }
}

/// Of several streams at once the one with a chat, and of these the one that began last.
fn foremost(told: Vec<ToldBroadcast>) -> Option<Broadcast> {
    // Nobody but the streamer sees a test.
    let seen = told.into_iter().filter(|told| !told.status.life_cycle_status.starts_with("test"));
    seen.map(Broadcast::from).max_by_key(|broadcast| (broadcast.live_chat.is_some(), broadcast.started_at))
}

impl YouTube {
    /// The caller's own stream that goes on; none: they do not stream.
    ///
    /// # Errors
    /// YouTube gives no answer, or the caller's channel cannot stream.
    pub async fn own_broadcast(&self, caller: Caller<'_>) -> Result<Option<Broadcast>, ApiError> {
        let query = vec![
            ("part", "id,snippet,status".to_owned()),
            ("broadcastStatus", "active".to_owned()),
            ("broadcastType", "all".to_owned()),
        ];
        Ok(foremost(self.list(caller, "/liveBroadcasts", query).await?))
    }

    /// The video with this id; none: there is no such one, or it is private.
    ///
    /// # Errors
    /// YouTube gives no answer.
    pub async fn video(&self, caller: Caller<'_>, id: &str) -> Result<Option<Video>, ApiError> {
        let query = vec![("part", "snippet,liveStreamingDetails".to_owned()), ("id", id.to_owned())];
        Ok(self.list::<ToldVideo>(caller, "/videos", query).await?.pop().map(Video::from))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    #[test]
    fn of_several_streams_the_one_with_a_chat_that_began_last_is_taken() {
        let told = |id: &str, chat: Option<&str>, at: Option<&str>, status: &str| {
            json!({ "id": id, "status": { "lifeCycleStatus": status, "privacyStatus": "public" },
                    "snippet": { "title": "t", "channelId": "UC1", "liveChatId": chat, "actualStartTime": at } })
        };
        let of = |told: &[Value]| foremost(serde_json::from_value(Value::from(told)).unwrap());
        let old = told("old", Some("c1"), Some("2026-01-01T10:00:00Z"), "live");
        let new = told("new", Some("c2"), Some("2026-01-01T12:00:00Z"), "live");
        let silent = told("silent", None, Some("2026-01-01T13:00:00Z"), "live");
        let test = told("test", Some("c3"), Some("2026-01-01T14:00:00Z"), "testing");
        let found = of(&[old.clone(), new, silent.clone(), test.clone()]).unwrap();
        assert_eq!((&*found.video_id, found.live_chat.as_deref()), ("new", Some("c2")));
        assert_eq!(found.started_at, Some(datetime!(2026-01-01 12:00 UTC)));
        let begins = told("begins", Some("c4"), None, "liveStarting");
        assert_eq!(of(&[begins, old]).unwrap().video_id, "old");
        assert_eq!(of(&[silent]).unwrap().live_chat, None);
        assert_eq!(of(&[json!({ "id": "bare" })]).unwrap().title, "");
        assert_eq!(of(&[test]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_video_is_live_while_its_stream_goes_on() {
        let told = |content: &str, streaming: Value| {
            let told = json!({ "id": "v1", "liveStreamingDetails": streaming,
                               "snippet": { "title": "t", "channelId": "UC1", "liveBroadcastContent": content } });
            Video::from(serde_json::from_value::<ToldVideo>(told).unwrap())
        };
        let began =
            json!({ "actualStartTime": "2026-01-01T10:00:00Z", "concurrentViewers": "123", "activeLiveChatId": "c1" });
        let live = told("live", began);
        assert_eq!((live.live, live.live_chat.as_deref(), &*live.channel_id), (true, Some("c1"), "UC1"));
        assert_eq!(live.started_at, Some(datetime!(2026-01-01 10:00 UTC)));
        let over = json!({ "actualStartTime": "2026-01-01T10:00:00Z", "actualEndTime": "2026-01-01T11:00:00Z" });
        assert!(!told("live", over).live);
        let upcoming = told("upcoming", json!({ "activeLiveChatId": "c1" }));
        assert_eq!((upcoming.live, upcoming.live_chat.as_deref()), (false, Some("c1")));
        let usual = told("none", json!(null));
        assert_eq!((usual.live, usual.live_chat, usual.started_at), (false, None, None));
    }
}
