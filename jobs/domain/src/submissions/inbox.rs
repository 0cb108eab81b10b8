//! What was sent in to a channel, as its team looks at it.

use time::OffsetDateTime;

use super::{Submission, SubmissionStatus};
use crate::{Place, media::MediaType};

/// A submission with its sender and what there is to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub submission: Submission,
    pub submitter_login: String,
    pub submitter_name: String,
    /// SHA-256 of the rendition, when it is ready.
    pub file_hash: Option<String>,
    /// Milliseconds, as it will be shown.
    pub duration_ms: Option<i32>,
}

/// Which submissions are asked for; those that meet all conditions.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<SubmissionStatus>,
    /// Login or id.
    pub submitter: Option<String>,
    pub kind: Option<MediaType>,
    pub tag: Option<String>,
    /// Sent in then or later.
    pub from: Option<OffsetDateTime>,
    /// Sent in before then.
    pub to: Option<OffsetDateTime>,
    /// Milliseconds, of those whose file is ready.
    pub min_duration_ms: Option<i32>,
    pub max_duration_ms: Option<i32>,
    /// Stands in the title or the notes, in any case.
    pub text: Option<String>,
}

impl Submission {
    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { created_at: self.created_at, id: self.id }
    }
}
