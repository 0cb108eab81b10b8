//! The steps of a submission. Each is one transaction of its caller, and each refuses to take a step twice.

use queue::Tx;

use super::{
    Failure, NewSubmission, ProbeUpload, Rendition, Submission, SubmissionError, TranscodeUpload, UploadState,
    ValidateUpload, blocks, events, findings, repo, review,
};
use crate::{
    channels::{self, Channel, ReviewMode},
    events::record,
    media::{self, Asset, DrawPreviews, NewAsset, NewFile},
    teams::{self, TeamRole},
};

/// Takes a file in: counts the reference, keeps the words, orders the work. The caller holds the hash and has published
/// the bytes.
///
/// # Errors
/// A word is beyond its limits, [`SubmissionError::Blocked`], or the database refused.
pub async fn receive(tx: &mut Tx, new: &NewSubmission) -> Result<Submission, SubmissionError> {
    new.check()?;
    blocks::refuse(&mut *tx, new.channel_id, &new.source_hash).await?;
    let file = NewFile { hash: &new.source_hash, size: new.source_size, mime_type: new.container.mime_type() };
    media::add_reference(tx, file).await?;
    let submission = repo::insert(tx, new).await?;
    queue::enqueue(tx, &ValidateUpload { submission: submission.id }).await?;
    record(tx, events::created(&submission)).await?;
    Ok(submission)
}

/// The stored bytes are sound: orders the probe.
///
/// # Errors
/// [`SubmissionError::Moved`] when that was done before.
pub async fn advance_to_probe(tx: &mut Tx, submission: &Submission) -> Result<(), SubmissionError> {
    repo::advance(tx, submission.id, UploadState::Received, UploadState::Probing, None).await?;
    queue::enqueue(tx, &ProbeUpload { submission: submission.id }).await?;
    Ok(())
}

/// The file keeps the rules: keeps what the probe found, orders the transcode.
///
/// # Errors
/// [`SubmissionError::Moved`] when that was done before.
pub async fn advance_to_transcode(
    tx: &mut Tx,
    submission: &Submission,
    probe: &serde_json::Value,
) -> Result<(), SubmissionError> {
    repo::advance(tx, submission.id, UploadState::Probing, UploadState::Transcoding, Some(probe)).await?;
    let work = format!("{}/{}", submission.kind, submission.source_hash);
    let order =
        TranscodeUpload { submission: submission.id, work: Some(work), submitter: Some(submission.submitter_id) };
    queue::enqueue(tx, &order).await?;
    Ok(())
}

/// The rendition is encoded: makes the asset, and the meme where nobody has to look first. The caller holds its hash and has
/// published it.
///
/// # Errors
/// [`SubmissionError::Moved`] when that was done before, or it was rejected meanwhile; [`SubmissionError::Blocked`].
pub async fn complete(tx: &mut Tx, submission: &Submission, rendition: Rendition<'_>) -> Result<(), SubmissionError> {
    media::add_reference(tx, rendition.file).await?;
    if let Some(look) = rendition.look {
        media::keep_look(&mut *tx, rendition.file.hash, look).await?;
    }
    let asset = media::create_asset(
        tx,
        NewAsset {
            kind: submission.kind,
            file_hash: rendition.file.hash,
            source_hash: Some(&submission.source_hash),
            duration_ms: rendition.duration_ms,
            width: rendition.width,
            height: rendition.height,
            loudness: rendition.loudness,
        },
    )
    .await?;
    settle(tx, submission, &asset).await
}

/// The same bytes were encoded before: shares that rendition. The caller holds the rendition's hash.
///
/// # Errors
/// As [`complete`]; [`media::MediaError::FileNotFound`] when that rendition was given back meanwhile.
pub async fn reuse(tx: &mut Tx, submission: &Submission, known: &Asset) -> Result<(), SubmissionError> {
    let file = media::get_file(tx, &known.file_hash).await?;
    media::add_reference(tx, NewFile { hash: &file.hash, size: file.size, mime_type: &file.mime_type }).await?;
    let asset = media::create_asset(
        tx,
        NewAsset {
            kind: submission.kind,
            file_hash: &known.file_hash,
            source_hash: Some(&submission.source_hash),
            duration_ms: known.duration_ms,
            width: known.width,
            height: known.height,
            loudness: known.loudness(),
        },
    )
    .await?;
    settle(tx, submission, &asset).await
}

/// The file cannot become a meme. The caller holds the source's hash, gives its reference back ([`media::release`]) and
/// removes the file when it was the last.
///
/// # Errors
/// [`SubmissionError::Moved`] when it is at its end already.
pub async fn fail(tx: &mut Tx, submission: &Submission, failure: Failure, detail: &str) -> Result<(), SubmissionError> {
    repo::fail(tx, submission.id, failure, detail).await?;
    record(tx, events::failed(submission, failure)).await?;
    Ok(())
}

/// The reference to the source passes from the submission to the asset. What waits for the team is told to its sender.
pub(super) async fn settle(tx: &mut Tx, submission: &Submission, asset: &Asset) -> Result<(), SubmissionError> {
    queue::enqueue(tx, &DrawPreviews { asset: asset.id }).await?;
    blocks::refuse_rendition(&mut *tx, submission, &asset.file_hash).await?;
    let found = findings::of(&mut *tx, submission, asset).await?;
    repo::set_ready(&mut *tx, submission.id, submission.upload_state, asset.id, &found).await?;
    if let Some(block) = found.blocked_everywhere {
        // Whoever owns the channel does not overrule the house: its moderators look at it, and bring it back if it is another.
        media::hide_new(&mut *tx, asset.id, block).await?;
    }
    // As it is now: checks may have found something since the work began.
    let ready = repo::find(&mut *tx, submission.id).await?.ok_or(SubmissionError::Moved)?;
    // What the house has hidden is nobody's meme unseen.
    let seen = if media::is_hidden(tx, asset.id).await? { Seen::Team } else { seen_by(tx, &ready).await? };
    match seen {
        Seen::Sender => {
            let own = Some(ready.submitter_id);
            review::publish(tx, &ready, None, own, &review::Approval::default()).await
        }
        Seen::Nobody => review::publish(tx, &ready, None, None, &review::Approval::default()).await,
        Seen::Team => Ok(record(tx, vec![events::progress(&ready)]).await?),
    }
}

/// Who looks at a submission before it is a meme.
enum Seen {
    /// Who looks after what the channel plays has seen it.
    Sender,
    Nobody,
    Team,
}

async fn seen_by(tx: &mut Tx, submission: &Submission) -> Result<Seen, SubmissionError> {
    let (channel, sender) = (submission.channel_id, submission.submitter_id);
    let Some(Channel { owner_id, review_mode, .. }) = channels::find(&mut *tx, channel).await? else {
        return Ok(Seen::Team);
    };
    let role = teams::role_of(&mut *tx, channel, sender).await?;
    if owner_id == sender || role.is_some_and(|role| role >= TeamRole::Editor) {
        return Ok(Seen::Sender);
    }
    // Whoever has asked for changes wants to see them.
    if submission.revision > 1 || !submission.flags.is_empty() {
        return Ok(Seen::Team);
    }
    let unseen = match review_mode {
        _ if repo::trust::is_trusted(&mut *tx, channel, sender).await? => true,
        ReviewMode::All => false,
        ReviewMode::NewSenders => repo::trust::has_approved(&mut *tx, channel, sender).await?,
        ReviewMode::Flagged => true,
    };
    Ok(if unseen { Seen::Nobody } else { Seen::Team })
}

/// Notes how far the encoder is, and tells the sender.
///
/// # Errors
/// The database refused.
pub async fn tell_progress(tx: &mut Tx, submission: &Submission, per_cent: i16) -> Result<(), SubmissionError> {
    if repo::set_progress(&mut *tx, submission.id, per_cent).await? {
        let now = Submission { progress: per_cent, ..submission.clone() };
        record(tx, vec![events::progress(&now)]).await?;
    }
    Ok(())
}
