//! Whether a channel is live, by what platforms tell. They tell it late, twice and in any order, so only moments are kept that
//! grow: whatever came last, the same is true in the end.

use queue::Tx;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ChannelError, repo};
use crate::identities::Provider;

/// What was heard of a channel's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It began then.
    Began(OffsetDateTime),
    /// It was seen then, and had begun before.
    Seen { began: OffsetDateTime, at: OffsetDateTime },
    /// It was over then.
    Ended(OffsetDateTime),
}

/// What is known of a channel's stream on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOf {
    pub channel_id: Uuid,
    /// Of the channel there.
    pub account: String,
    /// Its name there.
    pub login: Option<String>,
    pub live_since: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
}

/// Notes it; whether the channel is live by it, if that has changed. What the streamer has said by hand stays until then.
///
/// # Errors
/// The database refused.
pub async fn hear_of_stream(
    tx: &mut Tx,
    channel: Uuid,
    provider: Provider,
    heard: Heard,
) -> Result<Option<bool>, ChannelError> {
    if repo::lock(&mut *tx, channel).await?.is_none() {
        return Ok(None);
    }
    let (began, alive, ended) = match heard {
        Heard::Began(at) => (Some(at), Some(at), None),
        Heard::Seen { began, at } => (Some(began), Some(at), None),
        Heard::Ended(at) => (None, None, Some(at)),
    };
    let was = repo::live_since(&mut *tx, channel).await?;
    repo::hear_of_stream(&mut *tx, channel, provider, began, alive, ended).await?;
    let is = repo::live_since(&mut *tx, channel).await?;
    if was.is_some() == is.is_some() {
        return Ok(None);
    }
    repo::set_live_since(&mut *tx, channel, is).await?;
    Ok(Some(is.is_some()))
}
