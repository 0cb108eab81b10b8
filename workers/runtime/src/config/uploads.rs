//! Where uploaded files are kept, and how large they may be.

use std::{path::PathBuf, time::Duration};

use super::{Bucket, Reader};

#[derive(Debug, Clone)]
pub struct Uploads {
    /// `UPLOAD_DIR`: folder of the files, shared by all processes; with files in a bucket, of those in the making. Default
    /// <data directory>/uploads.
    pub dir: PathBuf,
    /// `UPLOAD_STORAGE`: `local` (default; then this is none) or `s3`.
    pub bucket: Option<Bucket>,
    /// `MEDIA_URLS`: who serves a meme's file: `proxy` (default), we do, or `presigned`, the bucket does (then this is
    /// true), at an address of some minutes that ours leads to.
    pub presigned: bool,
    /// `MAX_UPLOAD_BYTES`: largest accepted file. Default 52428800 (50 MiB).
    pub max_bytes: u64,
    /// `MAX_DURATION_MS`: longest accepted video or sound. Default 15000.
    pub max_duration: Duration,
    /// `SUBMISSION_MAX_RESUBMITS`: how often what needs changes may be sent in again. Default 2.
    pub max_resubmits: i16,
}

impl Uploads {
    pub(super) fn read(reader: &mut Reader, data_dir: &std::path::Path) -> Self {
        let in_bucket = one_of(reader, "UPLOAD_STORAGE", ["local", "s3"]);
        let dir = reader.text("UPLOAD_DIR").map_or_else(|| data_dir.join("uploads"), PathBuf::from);
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        reader.show("UPLOAD_DIR", dir.display());
        let bucket = Bucket::read(reader, in_bucket);
        let presigned = one_of(reader, "MEDIA_URLS", ["proxy", "presigned"]);
        if presigned && !in_bucket {
            reader.complain("MEDIA_URLS=presigned needs UPLOAD_STORAGE=s3: files on disk have no address but ours");
        }
        Self {
            dir,
            bucket,
            presigned,
            max_bytes: reader.number("MAX_UPLOAD_BYTES", 52_428_800, 1, 1 << 40),
            max_duration: reader.milliseconds("MAX_DURATION_MS", 15_000, 1),
            max_resubmits: i16::try_from(reader.number("SUBMISSION_MAX_RESUBMITS", 2, 0, 100)).unwrap_or(2),
        }
    }
}

/// Whether the second word is given, the first being the default.
fn one_of(reader: &mut Reader, name: &'static str, [usual, other]: [&str; 2]) -> bool {
    let given = reader.text(name);
    reader.otherwise(name, usual);
    match given.as_deref() {
        None => false,
        Some(word) if word == usual => false,
        Some(word) if word == other => true,
        Some(word) => {
            reader.complain(format!("{name} must be {usual} or {other}, not {word:?}"));
            false
        }
    }
}
