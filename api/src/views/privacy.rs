//! Words of what people ask of us about themselves.

use domain::privacy::{Export, ExportStatus};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// How far an export is.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ExportState {
    /// It is being made.
    Pending,
    /// It can be downloaded.
    Ready,
    /// It was downloaded; for an hour it can be again.
    Downloaded,
    /// Nobody came for it in time.
    Expired,
    /// It could not be made.
    Failed,
}

impl From<ExportStatus> for ExportState {
    fn from(status: ExportStatus) -> Self {
        match status {
            ExportStatus::Pending => Self::Pending,
            ExportStatus::Ready => Self::Ready,
            ExportStatus::Downloaded => Self::Downloaded,
            ExportStatus::Expired => Self::Expired,
            ExportStatus::Failed => Self::Failed,
        }
    }
}

/// A copy of everything that there is about me.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ExportView {
    id: Uuid,
    status: ExportState,
    created_at: OffsetDateTime,
    /// Until when it can be downloaded.
    expires_at: Option<OffsetDateTime>,
    /// Bytes.
    size: Option<i64>,
    /// Where it is, while it is there: a path of ours, for nobody else.
    download: Option<String>,
}

impl From<Export> for ExportView {
    fn from(export: Export) -> Self {
        let is_there = export.is_there();
        Self {
            id: export.id,
            status: export.status.into(),
            created_at: export.created_at,
            expires_at: export.expires_at,
            size: export.size,
            download: is_there.then(|| format!("/users/me/exports/{}/file", export.id)),
        }
    }
}
