//! Copies that people asked for.

use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ExportStatus {
    /// It is being made.
    Pending,
    /// It can be downloaded.
    Ready,
    Downloaded,
    /// Nobody came for it in time.
    Expired,
    /// It could not be made.
    Failed,
}

impl ExportStatus {
    /// Why there is nothing to download.
    pub(super) const fn why_not(self) -> &'static str {
        match self {
            Self::Pending => "the export is still being made",
            Self::Ready => "the export is there",
            Self::Downloaded => "the export was downloaded, and its hour is over: ask for another one",
            Self::Expired => "the export was not downloaded in time: ask for another one",
            Self::Failed => "the export could not be made: ask for another one",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub id: Uuid,
    pub status: ExportStatus,
    pub created_at: OffsetDateTime,
    /// From then on there is no archive; none while it is being made.
    pub expires_at: Option<OffsetDateTime>,
    /// Bytes of the archive, once there is one.
    pub size: Option<i64>,
    pub(super) file_hash: Option<String>,
}

impl Export {
    /// Whether there is an archive to download.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self.status, ExportStatus::Ready | ExportStatus::Downloaded) && self.file_hash.is_some()
    }
}
