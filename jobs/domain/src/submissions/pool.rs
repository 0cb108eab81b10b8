//! Sending in what other channels show: no bytes travel, the submission is ready at once.

use queue::Tx;
use uuid::Uuid;

use super::{Submission, SubmissionError, commands, events, model, repo};
use crate::{
    events::record,
    media::{self, File, NewAsset, NewFile},
    memes::{self, Pooled},
};

/// Something of the pool, for a channel.
#[derive(Debug, Clone)]
pub struct NewTake {
    pub channel_id: Uuid,
    pub submitter_id: Uuid,
    pub asset_id: Uuid,
    /// None, as with the tags: as it is called there.
    pub title: Option<String>,
    pub notes: Option<String>,
    pub tags: Option<Vec<String>>,
}

impl NewTake {
    /// Tests the words.
    ///
    /// # Errors
    /// The first field that is beyond its limits.
    pub fn check(&self) -> Result<(), SubmissionError> {
        model::check_words(self.title.as_deref(), self.notes.as_deref(), self.tags.as_deref())
    }
}

/// Sends it in: the channel gets an asset of its own that shows the same files. From there on it is as if it had been uploaded.
///
/// # Errors
/// [`SubmissionError::NotPooled`], [`SubmissionError::AlreadyThere`], [`SubmissionError::Blocked`], or a word is beyond its
/// limits.
pub async fn take(tx: &mut Tx, new: &NewTake) -> Result<Submission, SubmissionError> {
    new.check()?;
    let Pooled { title, tags, .. } =
        memes::find_pooled(&mut *tx, new.asset_id).await?.ok_or(SubmissionError::NotPooled)?;
    let asset = media::find_asset(&mut *tx, new.asset_id).await?.ok_or(SubmissionError::NotPooled)?;
    let mut hashes: Vec<&str> =
        [Some(asset.file_hash.as_str()), asset.source_hash.as_deref()].into_iter().flatten().collect();
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes {
        media::hold(&mut *tx, hash).await?;
    }
    // As it is now that nobody gives its files back.
    let shown = media::find_asset(&mut *tx, asset.id).await?.is_some_and(|now| now.file_hash == asset.file_hash);
    if !shown || memes::find_pooled(&mut *tx, asset.id).await?.is_none() {
        return Err(SubmissionError::NotPooled);
    }
    if memes::find_showing(&mut *tx, new.channel_id, &asset.file_hash).await?.is_some() {
        return Err(SubmissionError::AlreadyThere);
    }
    let file = media::get_file(&mut *tx, &asset.file_hash).await?;
    media::add_reference(&mut *tx, again(&file)).await?;
    let source = match &asset.source_hash {
        Some(hash) => {
            let source = media::get_file(&mut *tx, hash).await?;
            media::add_reference(&mut *tx, again(&source)).await?;
            source
        }
        // One that we made: what is shown is all that there is.
        None => file,
    };
    let title = new.title.as_ref().unwrap_or(&title);
    let tags = new.tags.as_ref().unwrap_or(&tags);
    let submission = repo::pool::insert(&mut *tx, new, asset.kind, title, tags, &source).await?;
    record(tx, events::created(&submission)).await?;
    let own = NewAsset {
        kind: asset.kind,
        file_hash: &asset.file_hash,
        source_hash: asset.source_hash.as_deref(),
        duration_ms: asset.duration_ms,
        width: asset.width,
        height: asset.height,
        loudness: asset.loudness(),
    };
    let own = media::create_asset(&mut *tx, own).await?;
    commands::settle(tx, &submission, &own).await?;
    repo::find(&mut *tx, submission.id).await?.ok_or(SubmissionError::NotFound)
}

fn again(file: &File) -> NewFile<'_> {
    NewFile { hash: &file.hash, size: file.size, mime_type: &file.mime_type }
}
