//! Where uploaded files are kept, and how large they may be.

use std::{path::PathBuf, time::Duration};

use super::Reader;

#[derive(Debug, Clone)]
pub struct Uploads {
    /// `UPLOAD_DIR`: folder of the files, shared by all processes. Default <data directory>/uploads.
    /// `UPLOAD_STORAGE` names the kind of store; `local` (default) is the one there is.
    pub dir: PathBuf,
    /// `MAX_UPLOAD_BYTES`: largest accepted file. Default 52428800 (50 MiB).
    pub max_bytes: u64,
    /// `MAX_DURATION_MS`: longest accepted video or sound. Default 15000.
    pub max_duration: Duration,
    /// `SUBMISSION_MAX_RESUBMITS`: how often what needs changes may be sent in again. Default 2.
    pub max_resubmits: i16,
}

impl Uploads {
    pub(super) fn read(reader: &mut Reader, data_dir: &std::path::Path) -> Self {
        if let Some(kind) = reader.text("UPLOAD_STORAGE")
            && kind != "local"
        {
            reader.complain(format!("UPLOAD_STORAGE must be local, not {kind:?}"));
        }
        reader.otherwise("UPLOAD_STORAGE", "local");
        let dir = reader.text("UPLOAD_DIR").map_or_else(|| data_dir.join("uploads"), PathBuf::from);
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        reader.show("UPLOAD_DIR", dir.display());
        Self {
            dir,
            max_bytes: reader.number("MAX_UPLOAD_BYTES", 52_428_800, 1, 1 << 40),
            max_duration: reader.milliseconds("MAX_DURATION_MS", 15_000, 1),
            max_resubmits: i16::try_from(reader.number("SUBMISSION_MAX_RESUBMITS", 2, 0, 100)).unwrap_or(2),
        }
    }
}
