//! Words of submissions.

use domain::submissions::{
    self, Approval, Received, Submission,
    blocks::{Block, Target},
    trust::Trusted,
};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::memes::{MemeType, uploaded};

/// What the channel's team decided.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum SubmissionStatus {
    Pending,
    NeedsChanges,
    Approved,
    Rejected,
}

impl From<submissions::SubmissionStatus> for SubmissionStatus {
    fn from(status: submissions::SubmissionStatus) -> Self {
        match status {
            submissions::SubmissionStatus::Pending => Self::Pending,
            submissions::SubmissionStatus::NeedsChanges => Self::NeedsChanges,
            submissions::SubmissionStatus::Approved => Self::Approved,
            submissions::SubmissionStatus::Rejected => Self::Rejected,
        }
    }
}

impl From<SubmissionStatus> for submissions::SubmissionStatus {
    fn from(status: SubmissionStatus) -> Self {
        match status {
            SubmissionStatus::Pending => Self::Pending,
            SubmissionStatus::NeedsChanges => Self::NeedsChanges,
            SubmissionStatus::Approved => Self::Approved,
            SubmissionStatus::Rejected => Self::Rejected,
        }
    }
}

/// How far the file has come.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum UploadState {
    Received,
    Probing,
    Transcoding,
    Ready,
    Failed,
}

impl From<submissions::UploadState> for UploadState {
    fn from(state: submissions::UploadState) -> Self {
        match state {
            submissions::UploadState::Received => Self::Received,
            submissions::UploadState::Probing => Self::Probing,
            submissions::UploadState::Transcoding => Self::Transcoding,
            submissions::UploadState::Ready => Self::Ready,
            submissions::UploadState::Failed => Self::Failed,
        }
    }
}

/// What somebody sent in.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct SubmissionView {
    id: Uuid,
    channel_id: Uuid,
    submitter_id: Uuid,
    title: String,
    #[oai(rename = "type")]
    kind: MemeType,
    notes: Option<String>,
    tags: Vec<String>,
    status: SubmissionStatus,
    upload_state: UploadState,
    /// Per cent of the encoding.
    progress: i16,
    /// Why it failed, for a program: `INVALID_FILE_CONTENT`, `VIDEO_TOO_LONG`, `CONTENT_BLOCKED`, `UPLOAD_TIMEOUT`
    /// or `UPLOAD_FAILED`; of what was to be fetched also `MEDIA_NOT_AVAILABLE`, `INVALID_MEDIA_URL` or `FILE_TOO_LARGE`.
    error_code: Option<String>,
    /// Why it failed, for a person.
    error_detail: Option<String>,
    /// Where a still picture of it is, and some seconds of it that move: WebP, drawn a little after its file is ready.
    poster_url: Option<String>,
    preview_url: Option<String>,
    /// The meme that came of it.
    meme_id: Option<Uuid>,
    /// Where it was fetched from, or will be.
    source_url: Option<String>,
    /// Whether it was taken from another channel.
    from_pool: bool,
    /// SHA-256 of the bytes that were sent; absent until they are fetched.
    file_hash: Option<String>,
    /// Of the bytes that were sent; 0 until they are fetched.
    file_size: i64,
    /// From 1; each time that it is sent in again counts.
    revision: i16,
    /// What the channel's team had to say when it decided.
    moderator_note: Option<String>,
    /// When it was decided; absent while it waits.
    decided_at: Option<OffsetDateTime>,
    /// Coins that the sender got when it was approved.
    reward_coins: Option<i64>,
    /// Who sent it in; in the channel's own list only, as all that follows.
    submitter_login: Option<String>,
    submitter_name: Option<String>,
    /// Where its file is, relative to this service, once it is ready and until it is rejected.
    file_url: Option<String>,
    /// Milliseconds, as it will be shown.
    duration_ms: Option<i32>,
    /// Who decided.
    moderator_id: Option<Uuid>,
    /// What checks found worth a look: `similar_to_meme`, `similar_to_blocked`.
    flags: Option<Vec<String>>,
    /// The channel's meme that it looks like.
    similar_meme_id: Option<Uuid>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Submission> for SubmissionView {
    fn from(submission: Submission) -> Self {
        let file_hash = submission.has_file().then(|| submission.source_hash.clone());
        Self {
            id: submission.id,
            channel_id: submission.channel_id,
            submitter_id: submission.submitter_id,
            title: submission.title,
            kind: submission.kind.into(),
            notes: submission.notes,
            tags: submission.tags,
            status: submission.status.into(),
            upload_state: submission.upload_state.into(),
            progress: submission.progress,
            error_code: submission.failure.map(|failure| failure.code().to_owned()),
            error_detail: submission.failure_detail,
            poster_url: submission.poster_hash.as_deref().map(uploaded),
            preview_url: submission.preview_hash.as_deref().map(uploaded),
            meme_id: submission.meme_id,
            source_url: submission.source_url,
            from_pool: submission.from_pool,
            file_hash,
            file_size: submission.source_size,
            revision: submission.revision,
            moderator_note: submission.moderator_note,
            decided_at: submission.decided_at,
            reward_coins: submission.reward_coins,
            submitter_login: None,
            submitter_name: None,
            file_url: None,
            duration_ms: None,
            moderator_id: None,
            flags: None,
            similar_meme_id: None,
            created_at: submission.created_at,
            updated_at: submission.updated_at,
        }
    }
}

impl From<Received> for SubmissionView {
    fn from(mut received: Received) -> Self {
        let flags = std::mem::take(&mut received.submission.flags);
        Self {
            submitter_login: Some(received.submitter_login),
            submitter_name: Some(received.submitter_name),
            file_url: received.file_hash.as_deref().map(uploaded),
            duration_ms: received.duration_ms,
            moderator_id: received.submission.moderator_id,
            flags: Some(flags),
            similar_meme_id: received.submission.similar_meme_id,
            ..received.submission.into()
        }
    }
}

/// A meme that is somewhere else.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct ImportWish {
    /// Your own channel when absent.
    pub(crate) channel_id: Option<Uuid>,
    /// Where its file is: `https://host/path`.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub(crate) url: String,
    /// At most 200 characters; of the file's name when absent.
    pub(crate) title: Option<String>,
    /// For the channel's team, at most 500 characters.
    pub(crate) notes: Option<String>,
    /// At most 20, each of 1 to 50 characters.
    pub(crate) tags: Option<Vec<String>>,
    /// Milliseconds that a picture is to be shown.
    pub(crate) duration_ms: Option<i32>,
}

/// Something that another channel shows: named by one of the two.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct TakeWish {
    /// Your own channel when absent.
    pub(crate) channel_id: Option<Uuid>,
    /// The `id` that it has in the pool.
    pub(crate) meme_asset_id: Option<Uuid>,
    /// A meme that shows it.
    pub(crate) meme_id: Option<Uuid>,
    /// At most 200 characters; as it is called there when absent.
    pub(crate) title: Option<String>,
    /// For the channel's team, at most 500 characters.
    pub(crate) notes: Option<String>,
    /// At most 20, each of 1 to 50 characters; as it has them there when absent.
    pub(crate) tags: Option<Vec<String>>,
}

/// How a submission becomes a meme; what is absent stays as it was sent in.
#[derive(Debug, Default, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct ApprovalWish {
    /// At most 200 characters.
    #[oai(validator(max_length = 200))]
    title: Option<String>,
    /// Coins; the channel's default price when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    price: Option<i64>,
    /// At most 20, each of 1 to 50 characters.
    #[oai(validator(max_items = 20))]
    tags: Option<Vec<String>>,
}

impl From<ApprovalWish> for Approval {
    fn from(wish: ApprovalWish) -> Self {
        Self { title: wish.title, price: wish.price, tags: wish.tags }
    }
}

/// Why a submission is rejected.
#[derive(Debug, Default, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct Rejection {
    /// For its sender, 1 to 500 characters.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub(crate) note: Option<String>,
    /// Whether the same is never taken here again.
    pub(crate) block: Option<bool>,
}

/// What a submission's sender shall change.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangesWish {
    /// For its sender, 1 to 500 characters.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub(crate) note: String,
}

/// What is decided about several submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum DecisionWord {
    Approve,
    Reject,
    NeedsChanges,
}

/// One decision about several submissions.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct DecisionsWish {
    /// Which submissions.
    #[oai(validator(min_items = 1, max_items = 100))]
    pub(crate) ids: Vec<Uuid>,
    pub(crate) action: DecisionWord,
    /// For their senders, 1 to 500 characters: required for changes, and not for memes.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub(crate) note: Option<String>,
}

/// What became of one of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct DecidedView {
    pub(crate) id: Uuid,
    /// Whether it was decided as was wished.
    pub(crate) ok: bool,
    /// What it is now, where it was.
    pub(crate) status: Option<String>,
    /// Why it was not, for a program: as the operation for one submission says it.
    pub(crate) error_code: Option<String>,
    /// The same for a person.
    pub(crate) detail: Option<String>,
}

/// What became of several submissions, in the order in which they were named.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct DecisionsView {
    pub(crate) results: Vec<DecidedView>,
}

/// What shall not be taken any more: a meme or a submission.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct BlockWish {
    meme_id: Option<Uuid>,
    submission_id: Option<Uuid>,
}

impl BlockWish {
    /// None: it is not one of the two.
    pub(crate) const fn target(&self) -> Option<Target> {
        match (self.meme_id, self.submission_id) {
            (Some(meme), None) => Some(Target::Meme(meme)),
            (None, Some(submission)) => Some(Target::Submission(submission)),
            _ => None,
        }
    }
}

/// Something that is not taken any more.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct BlockView {
    id: Uuid,
    /// Where; absent: on no channel.
    channel_id: Option<Uuid>,
    #[oai(rename = "type")]
    kind: MemeType,
    /// SHA-256 of the bytes as they were sent: `fileHash` of their submission.
    file_hash: Option<String>,
    created_at: OffsetDateTime,
}

impl From<Block> for BlockView {
    fn from(block: Block) -> Self {
        Self {
            id: block.id,
            channel_id: block.channel_id,
            kind: block.kind.into(),
            file_hash: block.source_hash,
            created_at: block.created_at,
        }
    }
}

/// Somebody whose submissions are taken unseen.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct TrustedView {
    user_id: Uuid,
    login: String,
    display_name: String,
    added_at: OffsetDateTime,
}

impl From<Trusted> for TrustedView {
    fn from(trusted: Trusted) -> Self {
        Self {
            user_id: trusted.user_id,
            login: trusted.login,
            display_name: trusted.display_name,
            added_at: trusted.added_at,
        }
    }
}
