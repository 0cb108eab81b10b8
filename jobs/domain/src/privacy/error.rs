//! Why a wish about one's own data is not met.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::ExportStatus;

#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    #[error("there is no such export, or it is somebody else's")]
    NoExport,
    #[error("{}", .0.why_not())]
    NotReady(ExportStatus),
    #[error("an export a day is made at most: come again at {}", said(*.at))]
    TooOften { at: OffsetDateTime, wait: Duration },
    /// The last one must not shut the house.
    #[error("you are an admin: have another one take the role away first")]
    Admin,
    #[error("pictures of an asset were drawn while it was to be emptied")]
    Drawn,
    #[error("files: {0}")]
    Media(#[from] crate::media::MediaError),
    #[error("accounts: {0}")]
    Identity(#[from] crate::identities::IdentityError),
    #[error("the last mail: {0}")]
    Mail(#[from] crate::mails::MailError),
    #[error("the order: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

fn said(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}
