//! What is not taken any more, on a channel or on all: the same bytes are refused, what looks like them is looked at.

use queue::Tx;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Submission, SubmissionError, repo};
use crate::{
    acts::{self, Act, By},
    media::{Look, MediaType},
};

/// What is blocked on one channel, or on all, at most.
const MOST: i64 = 10_000;

/// Something that is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub id: Uuid,
    /// None: on all of them.
    pub channel_id: Option<Uuid>,
    pub kind: MediaType,
    /// SHA-256 of what was sent.
    pub source_hash: Option<String>,
    /// SHA-256 of its rendition.
    pub file_hash: Option<String>,
    pub created_at: OffsetDateTime,
}

/// What is to be blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Meme(Uuid),
    Submission(Uuid),
}

pub use super::repo::blocks::{count, list};

/// Blocks it: on this channel, to which it must belong, or on all. What is blocked already is that.
///
/// # Errors
/// [`SubmissionError::NoSuchMeme`], [`SubmissionError::NotFound`], [`SubmissionError::TooManyBlocked`].
pub async fn add(tx: &mut Tx, by: &By, channel: Option<Uuid>, target: Target) -> Result<Block, SubmissionError> {
    let found = match target {
        Target::Meme(meme) => {
            repo::blocks::of_meme(&mut *tx, meme, channel).await?.ok_or(SubmissionError::NoSuchMeme)?
        }
        Target::Submission(id) => {
            let found = repo::blocks::of_submission(&mut *tx, id, channel).await?.ok_or(SubmissionError::NotFound)?;
            // What nobody has seen cannot be known again.
            if found.is_nothing() { return Err(SubmissionError::StillWorking) } else { found }
        }
    };
    repo::blocks::lock(&mut *tx, channel).await?;
    if let Some(known) = repo::blocks::find_same(&mut *tx, channel, &found).await? {
        return Ok(known);
    }
    if repo::blocks::count(&mut *tx, channel).await? >= MOST {
        return Err(SubmissionError::TooManyBlocked(MOST));
    }
    let block = repo::blocks::insert(&mut *tx, channel, &found).await?;
    note(tx, by, channel, block.id, true).await?;
    Ok(block)
}

/// It is taken again.
///
/// # Errors
/// [`SubmissionError::NoSuchBlock`] also for that of another channel.
pub async fn remove(tx: &mut Tx, by: &By, channel: Option<Uuid>, id: Uuid) -> Result<(), SubmissionError> {
    if !repo::blocks::remove(&mut *tx, channel, id).await? {
        return Err(SubmissionError::NoSuchBlock);
    }
    note(tx, by, channel, id, false).await
}

/// Whether bytes that somebody sends to the channel may be taken.
///
/// # Errors
/// [`SubmissionError::Blocked`].
pub async fn refuse(conn: &mut PgConnection, channel: Uuid, source_hash: &str) -> Result<(), SubmissionError> {
    if repo::blocks::has_source(conn, channel, source_hash).await? { Err(SubmissionError::Blocked) } else { Ok(()) }
}

/// As [`refuse`], once the rendition is known.
pub(super) async fn refuse_rendition(
    conn: &mut PgConnection,
    submission: &Submission,
    file_hash: &str,
) -> Result<(), SubmissionError> {
    refuse(&mut *conn, submission.channel_id, &submission.source_hash).await?;
    let known = repo::blocks::has_file(conn, submission.channel_id, submission.kind, file_hash).await?;
    if known { Err(SubmissionError::Blocked) } else { Ok(()) }
}

/// What a file looks like that is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Similar {
    ToNothing,
    /// To something that is blocked on the channel.
    Here,
    /// To what this block keeps off all channels.
    Everywhere(Uuid),
}

pub(super) async fn find_similar(
    conn: &mut PgConnection,
    channel: Uuid,
    kind: MediaType,
    look: &Look,
) -> Result<Similar, sqlx::Error> {
    let mut near = repo::blocks::near(conn, channel, kind, look).await?;
    near.retain(|block| block.looks_like(look));
    let everywhere = near.iter().find(|block| block.channel_id.is_none()).map(|block| Similar::Everywhere(block.id));
    Ok(everywhere.unwrap_or(if near.is_empty() { Similar::ToNothing } else { Similar::Here }))
}

async fn note(tx: &mut Tx, by: &By, channel: Option<Uuid>, id: Uuid, blocked: bool) -> Result<(), SubmissionError> {
    let act = Act::new("change_blocklist").with(id);
    let act = act.changing(json!({ "blocked": !blocked }), json!({ "blocked": blocked }));
    let act = match channel {
        Some(channel) => act.on(channel),
        None => act,
    };
    Ok(acts::note(&mut *tx, by, act).await?)
}
