//! What the panel and the sender hear about a submission.

use serde::Serialize;
use uuid::Uuid;

use super::{Failure, Submission, UploadState};
use crate::events::{Audience, NewEvent, Stream};

/// `submission:*` of the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SubmissionEvent {
    submission_id: Uuid,
    channel_id: Uuid,
    submitter_id: Uuid,
    /// Who decided; who may decide is the moderator of the own uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    moderator_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meme_id: Option<Uuid>,
    /// Coins that the sender got for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reward_coins: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

pub(super) fn created(submission: &Submission) -> Vec<NewEvent> {
    both(submission, "submission:created", &base(submission))
}

pub(super) fn approved(
    submission: &Submission,
    moderator_id: Option<Uuid>,
    meme_id: Uuid,
    reward_coins: Option<i64>,
) -> Vec<NewEvent> {
    let event = SubmissionEvent { moderator_id, meme_id: Some(meme_id), reward_coins, ..base(submission) };
    both(submission, "submission:approved", &event)
}

pub(super) fn rejected(submission: &Submission, moderator_id: Option<Uuid>) -> Vec<NewEvent> {
    both(submission, "submission:rejected", &SubmissionEvent { moderator_id, ..base(submission) })
}

pub(super) fn needs_changes(submission: &Submission, moderator_id: Option<Uuid>) -> Vec<NewEvent> {
    let event = SubmissionEvent { moderator_id, ..base(submission) };
    both(submission, "submission:needs_changes", &event)
}

pub(super) fn resubmitted(submission: &Submission) -> Vec<NewEvent> {
    both(submission, "submission:resubmitted", &base(submission))
}

pub(super) fn failed(submission: &Submission, failure: Failure) -> Vec<NewEvent> {
    let event = SubmissionEvent { error_code: Some(failure.code()), ..base(submission) };
    both(submission, "submission:rejected", &event)
}

/// `submission:progress`, for the sender.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    submission_id: Uuid,
    upload_state: UploadState,
    progress: i16,
}

pub(super) fn progress(submission: &Submission) -> NewEvent {
    let Submission { id, upload_state, progress, .. } = *submission;
    let event = Progress { submission_id: id, upload_state, progress };
    NewEvent::new(Stream::User(submission.submitter_id), Audience::USER, "submission:progress", &event)
}

fn base(submission: &Submission) -> SubmissionEvent {
    SubmissionEvent {
        submission_id: submission.id,
        channel_id: submission.channel_id,
        submitter_id: submission.submitter_id,
        moderator_id: None,
        meme_id: None,
        reward_coins: None,
        error_code: None,
    }
}

fn both(submission: &Submission, name: &'static str, event: &SubmissionEvent) -> Vec<NewEvent> {
    let channel = Stream::Channel(submission.channel_slug.clone());
    let user = Stream::User(submission.submitter_id);
    vec![NewEvent::new(channel, Audience::PANEL, name, event), NewEvent::new(user, Audience::USER, name, event)]
}
