//! Files and assets.

use time::OffsetDateTime;
use uuid::Uuid;

use super::MediaType;

/// Stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// SHA-256, lower-case hex.
    pub hash: String,
    /// Bytes.
    pub size: i64,
    pub mime_type: String,
    pub reference_count: i32,
    pub created_at: OffsetDateTime,
}

/// Bytes about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// SHA-256, lower-case hex.
    pub hash: &'a str,
    /// Bytes.
    pub size: i64,
    pub mime_type: &'a str,
}

/// Something that a screen can show: a rendition that we encoded ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: Uuid,
    pub kind: MediaType,
    /// Of the rendition; names its file.
    pub file_hash: String,
    /// Of the bytes that were uploaded; none for assets that we made.
    pub source_hash: Option<String>,
    /// Milliseconds; for an image, how long it is shown.
    pub duration_ms: i32,
    /// Pixels; none for audio.
    pub width: Option<i32>,
    pub height: Option<i32>,
}

/// An asset about to be created. Its references to the files must already be counted ([`super::add_reference`]).
#[derive(Debug, Clone, Copy)]
pub struct NewAsset<'a> {
    pub kind: MediaType,
    pub file_hash: &'a str,
    pub source_hash: Option<&'a str>,
    /// Milliseconds, above 0.
    pub duration_ms: i32,
    pub width: Option<i32>,
    pub height: Option<i32>,
}
