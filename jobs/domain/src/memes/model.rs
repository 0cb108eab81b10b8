//! A meme and its limits.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::MemeError;
use crate::{
    channels::Channel,
    media::MediaType,
    unseen::{is_blank, is_unruly, is_unseen},
};

/// Characters of a title.
pub const MAX_TITLE: usize = 200;
pub const MAX_TAGS: usize = 20;
/// Characters of one tag.
pub const MAX_TAG: usize = 50;
/// Coins.
pub const MAX_PRICE: i64 = 1_000_000_000;
/// Seconds.
pub const MAX_COOLDOWN: i32 = 86_400;
/// Plays in a stream, where they are limited.
pub const MAX_PLAYS: i32 = 1_000;
/// Per cent.
const MAX_VOLUME: i16 = 100;

/// Whether viewers can play it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum MemeStatus {
    Pending,
    Approved,
    Rejected,
    /// Kept for the history of its activations only.
    Deleted,
}

impl MemeStatus {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Deleted => "deleted",
        }
    }
}

/// A meme with what its asset says about the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Meme {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub asset_id: Uuid,
    /// Up to [`MAX_TITLE`] characters, may be empty.
    pub title: String,
    /// Coins; none: the channel's default price.
    pub price: Option<i64>,
    pub status: MemeStatus,
    pub created_by: Uuid,
    pub created_at: OffsetDateTime,
    pub kind: MediaType,
    /// SHA-256 of the rendition; its address is `/uploads/<file_hash>`.
    pub file_hash: String,
    /// Milliseconds.
    pub duration_ms: i32,
    /// Pixels; none for audio.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// SHA-256 of its pictures, once they are drawn.
    pub poster_hash: Option<String>,
    pub preview_hash: Option<String>,
    /// Decibels that make it as loud as everything else; none where there is nothing to hear.
    pub gain_db: Option<f64>,
    /// Per cent, as its channel wants it.
    pub volume: i16,
    /// Plays beside what plays, not after it.
    pub is_overlapping: bool,
    /// Seconds from one play to the next, of anybody and of the same viewer; 0: at once.
    pub cooldown_seconds: i32,
    pub viewer_cooldown_seconds: i32,
    /// Plays in one stream, of everybody and of one viewer; none: any number.
    pub max_per_stream: Option<i32>,
    pub max_per_viewer: Option<i32>,
    /// In the form of [`normal_tags`].
    pub tags: Vec<String>,
}

impl Meme {
    /// Coins before any promotion: its own, else the channel's default one and so much for each second begun.
    #[must_use]
    pub fn price_in(&self, channel: &Channel) -> i64 {
        let seconds = i64::from(self.duration_ms).saturating_add(999) / 1000;
        self.price.unwrap_or_else(|| channel.default_price + channel.price_per_second * seconds)
    }

    /// Where its file is served, from the base address of the API.
    #[must_use]
    pub fn file_url(&self) -> String {
        format!("/uploads/{}", self.file_hash)
    }
}

/// A meme about to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewMeme<'a> {
    pub channel_id: Uuid,
    pub asset_id: Uuid,
    pub title: &'a str,
    /// Coins; none: the channel's default price.
    pub price: Option<i64>,
    pub created_by: Uuid,
    pub tags: &'a [String],
}

/// What to change; a field that is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct MemeChange {
    pub title: Option<String>,
    /// `Some(None)` goes back to the channel's default price.
    pub price: Option<Option<i64>>,
    pub cooldown_seconds: Option<i32>,
    pub viewer_cooldown_seconds: Option<i32>,
    /// `Some(None)` takes the limit away.
    pub max_per_stream: Option<Option<i32>>,
    pub max_per_viewer: Option<Option<i32>>,
    pub tags: Option<Vec<String>>,
    /// Per cent.
    pub volume: Option<i16>,
    pub is_overlapping: Option<bool>,
}

impl MemeChange {
    pub(super) fn check(&self) -> Result<(), MemeError> {
        if let Some(title) = &self.title {
            check_title(title)?;
        }
        check_price(self.price.flatten())?;
        for (field, seconds) in
            [("cooldownSeconds", self.cooldown_seconds), ("viewerCooldownSeconds", self.viewer_cooldown_seconds)]
        {
            if seconds.is_some_and(|seconds| !(0..=MAX_COOLDOWN).contains(&seconds)) {
                return Err(MemeError::InvalidLimit { field, least: 0, most: MAX_COOLDOWN });
            }
        }
        for (field, plays) in [("maxPerStream", self.max_per_stream), ("maxPerViewer", self.max_per_viewer)] {
            if plays.flatten().is_some_and(|plays| !(1..=MAX_PLAYS).contains(&plays)) {
                return Err(MemeError::InvalidLimit { field, least: 1, most: MAX_PLAYS });
            }
        }
        if self.volume.is_some_and(|volume| !(0..=MAX_VOLUME).contains(&volume)) {
            return Err(MemeError::InvalidLimit { field: "volume", least: 0, most: MAX_VOLUME.into() });
        }
        Ok(())
    }
}

/// A title for a meme whose sender gave none: the file's name without folders and ending, in words.
#[must_use]
pub fn title_of(file_name: &str) -> String {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words: String = stem.chars().filter(|c| !is_unseen(*c)).map(|c| if c == '_' { ' ' } else { c }).collect();
    let title: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TITLE).collect();
    if title.chars().any(char::is_alphanumeric) { title } else { "Untitled".to_owned() }
}

/// Tags as they are kept: in small letters, with one space between words, each once.
///
/// # Errors
/// [`MemeError::InvalidTags`]: too many, too long, empty, or with characters that control or turn around.
pub fn normal_tags(tags: &[String]) -> Result<Vec<String>, MemeError> {
    if tags.len() > MAX_TAGS {
        return Err(MemeError::InvalidTags);
    }
    let mut normal: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = tag.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if is_blank(&tag) || tag.chars().count() > MAX_TAG || tag.chars().any(is_unruly) {
            return Err(MemeError::InvalidTags);
        }
        if !normal.contains(&tag) {
            normal.push(tag);
        }
    }
    Ok(normal)
}

/// Whether a meme may be called so; it may have no title.
#[must_use]
pub(crate) fn is_title(title: &str) -> bool {
    title.chars().count() <= MAX_TITLE && !title.chars().any(is_unruly)
}

pub(super) fn check_title(title: &str) -> Result<(), MemeError> {
    if is_title(title) { Ok(()) } else { Err(MemeError::InvalidTitle) }
}

pub(super) fn check_price(price: Option<i64>) -> Result<(), MemeError> {
    match price {
        Some(price) if !(0..=MAX_PRICE).contains(&price) => Err(MemeError::InvalidPrice),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_title_of_a_files_name() {
        for (name, title) in [
            ("my_funny  cat.mp4", "my funny cat"),
            ("v1.2 final.webm", "v1.2 final"),
            ("C:\\clips\\кот.gif", "кот"),
            ("../../etc/passwd", "passwd"),
            ("\u{202e}gnp.exe", "gnp"),
            ("a\0b\u{7}c.png", "abc"),
            ("", "Untitled"),
            (".mp4", "Untitled"),
            ("---.mp4", "Untitled"),
        ] {
            assert_eq!(title_of(name), title, "{name:?}");
        }
        assert_eq!(title_of(&"ё".repeat(500)), "ё".repeat(MAX_TITLE));
    }

    #[test]
    fn tags_are_small_single_and_few() {
        let normal = |tags: &[&str]| normal_tags(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!(normal(&["Коты", " коты ", "Funny   Cat"]).unwrap(), ["коты", "funny cat"]);
        assert!(normal(&["ж".repeat(MAX_TAG).as_str()]).is_ok());
        let many: Vec<String> = (0..=MAX_TAGS).map(|number| number.to_string()).collect();
        for wrong in
            [vec![""], vec![" "], vec!["\u{200b}"], vec!["a\0b"], vec!["a\u{202e}b"], vec![&*"ж".repeat(MAX_TAG + 1)]]
        {
            assert!(normal(&wrong).is_err(), "{wrong:?}");
        }
        assert!(normal_tags(&many).is_err());
    }

    #[test]
    fn counts_characters_of_a_title_not_bytes() {
        assert!(check_title(&"ё".repeat(MAX_TITLE)).is_ok());
        assert!(check_title(&"ё".repeat(MAX_TITLE + 1)).is_err());
        assert!(check_title("").is_ok());
        assert!(check_title("a\0b").is_err());
    }

    #[test]
    fn accepts_prices_between_free_and_the_limit() {
        for price in [None, Some(0), Some(MAX_PRICE)] {
            assert!(check_price(price).is_ok(), "{price:?}");
        }
        for price in [Some(-1), Some(MAX_PRICE + 1), Some(i64::MIN)] {
            assert!(check_price(price).is_err(), "{price:?}");
        }
    }
}
