//! Files and assets.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Loudness, MediaType};

/// SHA-256 of no bytes: of the empty file, which stands where a file was or is awaited.
pub const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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
#[derive(Debug, Clone, PartialEq)]
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
    /// Its pictures, once they are drawn ([`super::DrawPreviews`]).
    pub poster_hash: Option<String>,
    pub preview_hash: Option<String>,
    /// LUFS; none where there is nothing to hear, as both that follow.
    pub loudness_lufs: Option<f64>,
    pub true_peak_dbtp: Option<f64>,
    /// Decibels that even it out.
    pub gain_db: Option<f64>,
}

impl Asset {
    #[must_use]
    pub fn previews(&self) -> Previews {
        Previews { poster_hash: self.poster_hash.clone(), preview_hash: self.preview_hash.clone() }
    }

    /// How loud it is, if there is anything to hear.
    #[must_use]
    pub fn loudness(&self) -> Option<Loudness> {
        Some(Loudness { lufs: self.loudness_lufs?, true_peak: self.true_peak_dbtp?, gain_db: self.gain_db? })
    }
}

/// What an asset looks like before it is played. It has a reference to each of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previews {
    /// A still picture.
    pub poster_hash: Option<String>,
    /// Some seconds that move; none of what does not.
    pub preview_hash: Option<String>,
}

impl Previews {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.poster_hash.is_none() && self.preview_hash.is_none()
    }

    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        self.poster_hash.as_deref().into_iter().chain(self.preview_hash.as_deref())
    }
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
    /// None where there is nothing to hear.
    pub loudness: Option<Loudness>,
}
