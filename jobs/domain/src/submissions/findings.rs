//! What checks find in a file that is ready.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Submission,
    blocks::{self, Similar},
};
use crate::{
    media::{self, Asset},
    memes,
};

/// It looks like a meme of the channel, or is one.
const MEME: &str = "similar_to_meme";
/// It looks like something that is blocked.
const BLOCKED: &str = "similar_to_blocked";

/// Words for what was found; none: nothing.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) flags: Vec<String>,
    /// The meme that it looks like.
    pub(super) similar_meme: Option<Uuid>,
    /// The block of all channels that speaks of something that it looks like.
    pub(super) blocked_everywhere: Option<Uuid>,
}

/// Holds the submission's file against the channel's memes, and against what is blocked.
pub(super) async fn of(
    conn: &mut PgConnection,
    submission: &Submission,
    asset: &Asset,
) -> Result<Findings, sqlx::Error> {
    let channel = submission.channel_id;
    let similar_meme = memes::find_showing(conn, channel, &asset.file_hash).await?;
    let mut found = Findings { similar_meme, ..Findings::default() };
    if let Some(look) = media::find_look(conn, &asset.file_hash).await? {
        if found.similar_meme.is_none() {
            found.similar_meme = memes::find_similar(conn, channel, asset.kind, &look).await?;
        }
        let similar = blocks::find_similar(conn, channel, asset.kind, &look).await?;
        if similar != Similar::ToNothing {
            found.flags.push(BLOCKED.to_owned());
        }
        if let Similar::Everywhere(block) = similar {
            found.blocked_everywhere = Some(block);
        }
    }
    if found.similar_meme.is_some() {
        found.flags.push(MEME.to_owned());
    }
    Ok(found)
}
