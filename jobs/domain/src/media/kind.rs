//! The four things that a meme can be.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a screen does with an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum MediaType {
    /// A still picture.
    Image,
    /// A moving picture without sound that repeats.
    Gif,
    /// A moving picture, with or without sound.
    Video,
    /// Sound only.
    Audio,
}

impl MediaType {
    pub const ALL: [Self; 4] = [Self::Image, Self::Gif, Self::Video, Self::Audio];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Gif => "gif",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is none of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of image, gif, video, audio")]
pub struct UnknownMediaType;

impl FromStr for MediaType {
    type Err = UnknownMediaType;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownMediaType)
    }
}
