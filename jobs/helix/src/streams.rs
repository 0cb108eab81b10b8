//! Who is live.

use serde::Deserialize;
use time::OffsetDateTime;
use webapi::Ask;

use crate::{Caller, Helix, HelixError, users::Page};

/// Of one question.
const AT_ONCE: usize = 100;

/// A stream that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stream {
    pub id: String,
    /// Of the channel.
    pub user_id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub game_name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
}

impl Helix {
    /// Streams of these channels (ids) that go on now; who is not among them is not live.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn streams(&self, caller: Caller<'_>, channels: &[String]) -> Result<Vec<Stream>, HelixError> {
        let mut streams = Vec::new();
        for some in channels.chunks(AT_ONCE) {
            let mut query: Vec<_> = some.iter().map(|id| ("user_id", id.clone())).collect();
            query.push(("first", AT_ONCE.to_string()));
            streams.extend(self.ask::<Page<Stream>>(caller, &Ask::get("/streams", query)).await?.data);
        }
        Ok(streams)
    }
}
