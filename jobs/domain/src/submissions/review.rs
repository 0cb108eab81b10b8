//! What the channel's team decides about a submission: one decision, once.

use queue::Tx;
use uuid::Uuid;

use super::{
    GiveBackFiles, MAX_NOTES, Submission, SubmissionError, SubmissionStatus, UploadState, events, model, repo, reward,
};
use crate::{
    channels::Channel,
    events::{NewEvent, record},
    media,
    memes::{self, NewMeme},
    unseen::is_blank,
};

/// How the meme shall be; what is none stays as it was sent in.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    pub title: Option<String>,
    /// Coins; none: the channel's default price.
    pub price: Option<i64>,
    pub tags: Option<Vec<String>>,
}

/// What is decided.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It becomes a meme.
    Approve(Approval),
    /// It does not; its files go. `block`: the same is not taken again ([`super::blocks`], which the caller has told).
    Reject { note: Option<String>, block: bool },
    /// Its sender may send it in again.
    AskForChanges { note: String },
}

impl Decision {
    fn check(&self) -> Result<(), SubmissionError> {
        match self {
            Self::Approve(approval) => model::check_words(approval.title.as_deref(), None, approval.tags.as_deref()),
            Self::Reject { note: None, .. } => Ok(()),
            Self::Reject { note: Some(note), .. } | Self::AskForChanges { note } => check_note(note),
        }
    }
}

fn check_note(note: &str) -> Result<(), SubmissionError> {
    if is_blank(note) || note.chars().count() > MAX_NOTES || note.contains('\0') {
        return Err(SubmissionError::InvalidNote);
    }
    Ok(())
}

/// Decides about a submission of the channel. Of two who decide at once the second one is told what the first one said. What
/// was sent in again `most` times is taken or not: nobody could send it in once more.
///
/// # Errors
/// [`SubmissionError::NotFound`], [`SubmissionError::NotPending`], [`SubmissionError::StillWorking`],
/// [`SubmissionError::SentInTooOften`], or a word is beyond its limits.
pub async fn decide(
    tx: &mut Tx,
    moderator: Uuid,
    channel: &Channel,
    id: Uuid,
    decision: &Decision,
    most: i16,
) -> Result<Submission, SubmissionError> {
    decision.check()?;
    let found = repo::lock(&mut *tx, id).await?.filter(|submission| submission.channel_id == channel.id);
    let submission = found.ok_or(SubmissionError::NotFound)?;
    if submission.status != SubmissionStatus::Pending {
        return Err(SubmissionError::NotPending(submission.status));
    }
    if submission.upload_state != UploadState::Ready && !matches!(decision, Decision::Reject { .. }) {
        return Err(SubmissionError::StillWorking);
    }
    match decision {
        Decision::Approve(approval) => {
            publish(tx, &submission, Some(moderator), Some(moderator), approval).await?;
        }
        Decision::Reject { note, .. } => {
            let told = reject(tx, &submission, Some(moderator), note.as_deref()).await?;
            record(tx, told).await?;
        }
        Decision::AskForChanges { .. } if submission.revision > most => {
            return Err(SubmissionError::SentInTooOften(most));
        }
        Decision::AskForChanges { note } => {
            repo::ask_for_changes(&mut *tx, id, moderator, note).await?;
            record(tx, events::needs_changes(&submission, Some(moderator))).await?;
        }
    }
    repo::find(&mut *tx, id).await?.ok_or(SubmissionError::NotFound)
}

/// Makes the meme of a submission whose file is ready. Without a moderator it approves itself; `told`: whose decision it is in
/// the words of the wire, where whoever may approve is the moderator of the own uploads.
pub(super) async fn publish(
    tx: &mut Tx,
    submission: &Submission,
    moderator: Option<Uuid>,
    told: Option<Uuid>,
    approval: &Approval,
) -> Result<(), SubmissionError> {
    let asset_id = submission.asset_id.ok_or(SubmissionError::StillWorking)?;
    let new = NewMeme {
        channel_id: submission.channel_id,
        asset_id,
        title: approval.title.as_deref().unwrap_or(&submission.title),
        price: approval.price,
        created_by: submission.submitter_id,
        tags: approval.tags.as_deref().unwrap_or(&submission.tags),
    };
    let first = reward::is_first(tx, submission, asset_id).await?;
    let meme = memes::create(tx, new).await?;
    // After the row, which waits for whoever hides the asset right now.
    if media::is_hidden(tx, asset_id).await? {
        return Err(SubmissionError::Hidden);
    }
    repo::approve(tx, submission.id, meme.id, moderator, approval.tags.as_deref()).await?;
    let reward = reward::pay(tx, submission, told, first).await?;
    record(tx, events::approved(submission, told, meme.id, reward)).await?;
    Ok(())
}

/// Rejects a submission that the caller has locked and that nobody has decided about; a job gives its files back. What is to
/// be told of it is the caller's to record.
pub(super) async fn reject(
    tx: &mut Tx,
    submission: &Submission,
    moderator: Option<Uuid>,
    note: Option<&str>,
) -> Result<Vec<NewEvent>, SubmissionError> {
    repo::reject(&mut *tx, submission.id, moderator, note).await?;
    // Until it is ready, the submission itself holds what was sent.
    let source = (!submission.upload_state.is_final() && submission.has_file()).then(|| submission.source_hash.clone());
    if submission.asset_id.is_some() || source.is_some() {
        queue::enqueue(tx, &GiveBackFiles { asset: submission.asset_id, source }).await?;
    }
    Ok(events::rejected(submission, moderator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_something_and_not_too_much() {
        let asks = |note: &str| Decision::AskForChanges { note: note.to_owned() }.check().is_ok();
        assert!(asks("louder, please") && asks(&"ж".repeat(MAX_NOTES)));
        for wrong in ["", " ", "\u{200b}", "a\0b", &"ж".repeat(MAX_NOTES + 1)] {
            assert!(!asks(wrong), "{wrong:?}");
        }
        assert!(Decision::Reject { note: None, block: false }.check().is_ok());
        assert!(Decision::Reject { note: Some(String::new()), block: false }.check().is_err());
    }
}
