//! Who reads along hears what is said, and what is taken away.

use std::collections::BTreeMap;

use queue::Tx;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ChatMessage, Removal, Removed, Shown, repo};
use crate::{
    events::{self, Audience, NewEvent, Stream},
    outbox::Provider,
};

/// Body of `messages_removed`: one message (`id`), all that somebody has said (`user_id`), or with neither everything.
#[derive(Debug, Serialize)]
struct Gone<'a> {
    platform: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    /// What was sent until then.
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
}

/// Tells of messages that were recorded and of what was taken away in this transaction, as the last of it: `messages_removed` for
/// each of the latter, then `new_message` for each of the former that the chats show. Channels are told in one order, so that two
/// readers of one chat cannot wait for each other in a circle.
///
/// # Errors
/// The database refused.
pub async fn tell(
    tx: &mut Tx,
    platform: Provider,
    fresh: &[&ChatMessage],
    removals: &[Removal],
) -> Result<(), sqlx::Error> {
    let mut told = Vec::new();
    for removal in removals {
        let (content, user_id) = match &removal.of {
            Removed::Message(content) => (content.as_str(), None),
            Removed::Author { id, .. } => ("", Some(id.as_str())),
            Removed::All => ("", None),
        };
        let Some((slug, id)) = repo::removed(&mut *tx, platform, removal.channel_id, content).await? else { continue };
        if matches!(removal.of, Removed::Message(_)) && id.is_none() {
            // Nobody has seen it.
            continue;
        }
        let gone = Gone { platform: platform.as_str(), id, user_id, until: removal.at };
        told.push(NewEvent::new(Stream::Chat(slug), Audience::PANEL, "messages_removed", &gone));
    }
    if !fresh.is_empty() {
        let channels: Vec<Uuid> = fresh.iter().map(|message| message.channel_id).collect();
        let contents: Vec<String> = fresh.iter().map(|message| message.content_id.clone()).collect();
        let mut by_channel: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
        for message in repo::standing(&mut *tx, platform, &channels, &contents).await? {
            by_channel.entry(message.channel.clone()).or_default().push(message);
        }
        let new = |(slug, all): (String, Vec<Shown>)| {
            NewEvent::many(Stream::Chat(slug), Audience::PANEL, "new_message[]", &all)
        };
        told.extend(by_channel.into_iter().map(new));
    }
    events::record(tx, told).await
}
