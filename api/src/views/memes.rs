//! Words of memes.

use domain::{
    channels::Channel,
    media::MediaType,
    memes::{Meme, MemeChange, Order, Pooled, TagCount},
    promotions::final_price,
};
use poem_openapi::{Enum, Object, types::MaybeUndefined};
use time::OffsetDateTime;
use uuid::Uuid;

use super::promotions::given;

/// What a screen does with it.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum MemeType {
    Image,
    Gif,
    Video,
    Audio,
}

impl From<MediaType> for MemeType {
    fn from(kind: MediaType) -> Self {
        match kind {
            MediaType::Image => Self::Image,
            MediaType::Gif => Self::Gif,
            MediaType::Video => Self::Video,
            MediaType::Audio => Self::Audio,
        }
    }
}

impl From<MemeType> for MediaType {
    fn from(kind: MemeType) -> Self {
        match kind {
            MemeType::Image => Self::Image,
            MemeType::Gif => Self::Gif,
            MemeType::Video => Self::Video,
            MemeType::Audio => Self::Audio,
        }
    }
}

/// A meme that viewers can play.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MemeView {
    id: Uuid,
    channel_id: Uuid,
    title: String,
    #[oai(rename = "type")]
    kind: MemeType,
    /// Where its file is, relative to this service.
    file_url: String,
    /// Where a still picture of it is, and some seconds of it that move, without sound: both WebP, drawn a little after it was
    /// made. What does not move has no preview.
    poster_url: Option<String>,
    preview_url: Option<String>,
    /// Milliseconds.
    duration_ms: i32,
    /// Pixels; null for audio.
    width: Option<i32>,
    height: Option<i32>,
    /// How loud its channel wants it, in per cent.
    volume: i16,
    /// Whether it plays beside what plays, not after it.
    overlaps: bool,
    /// Decibels that make it as loud as other memes; absent where there is nothing to hear.
    gain_db: Option<f64>,
    /// Coins, before any promotion.
    price: i64,
    /// Coins now, after the best promotion that runs; one that you have used up yourself does not count for you.
    final_price: i64,
    /// Whether the price is the channel's default one.
    has_default_price: bool,
    /// Seconds from one play to the next, of anybody; 0: at once.
    cooldown_seconds: i32,
    /// Seconds from one play to the next of the same viewer.
    viewer_cooldown_seconds: i32,
    /// Plays in one stream, or in a day where none is on; absent: any number.
    max_per_stream: Option<i32>,
    /// The same, of one viewer.
    max_per_viewer: Option<i32>,
    /// In small letters.
    tags: Vec<String>,
    /// Whether it is among your favourites; in lists for whoever is logged in.
    favourite: Option<bool>,
    created_at: OffsetDateTime,
}

impl MemeView {
    /// `discount_bp`: of the best promotion that runs on the channel.
    pub(crate) fn new(meme: Meme, channel: &Channel, discount_bp: i32) -> Self {
        let price = meme.price_in(channel);
        Self {
            id: meme.id,
            channel_id: meme.channel_id,
            file_url: meme.file_url(),
            poster_url: meme.poster_hash.as_deref().map(uploaded),
            preview_url: meme.preview_hash.as_deref().map(uploaded),
            price,
            final_price: final_price(price, discount_bp),
            has_default_price: meme.price.is_none(),
            title: meme.title,
            kind: meme.kind.into(),
            duration_ms: meme.duration_ms,
            width: meme.width,
            height: meme.height,
            volume: meme.volume,
            overlaps: meme.is_overlapping,
            gain_db: meme.gain_db,
            cooldown_seconds: meme.cooldown_seconds,
            viewer_cooldown_seconds: meme.viewer_cooldown_seconds,
            max_per_stream: meme.max_per_stream,
            max_per_viewer: meme.max_per_viewer,
            tags: meme.tags,
            favourite: None,
            created_at: meme.created_at,
        }
    }
}

/// Something that is shown on some channel.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct PooledView {
    /// Of what is shown: `memeAssetId` of `POST /submissions/pool`.
    id: Uuid,
    #[oai(rename = "type")]
    kind: MemeType,
    /// As it is called where it was shown first.
    title: String,
    tags: Vec<String>,
    /// Where its file is, relative to this service.
    file_url: String,
    /// As of a meme.
    poster_url: Option<String>,
    preview_url: Option<String>,
    /// Milliseconds.
    duration_ms: i32,
    /// Pixels; absent for audio.
    width: Option<i32>,
    height: Option<i32>,
    created_at: OffsetDateTime,
}

impl From<Pooled> for PooledView {
    fn from(pooled: Pooled) -> Self {
        Self {
            id: pooled.asset_id,
            kind: pooled.kind.into(),
            title: pooled.title,
            tags: pooled.tags,
            file_url: uploaded(&pooled.file_hash),
            poster_url: pooled.poster_hash.as_deref().map(uploaded),
            preview_url: pooled.preview_hash.as_deref().map(uploaded),
            duration_ms: pooled.duration_ms,
            width: pooled.width,
            height: pooled.height,
            created_at: pooled.created_at,
        }
    }
}

/// Where the file with this hash is, relative to this service.
pub(crate) fn uploaded(hash: &str) -> String {
    format!("/uploads/{hash}")
}

impl MemeView {
    /// For somebody who does or does not keep it.
    pub(crate) fn liked(self, favourite: bool) -> Self {
        Self { favourite: Some(favourite), ..self }
    }
}

/// New values for a meme; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct MemePatch {
    /// At most 200 characters.
    title: Option<String>,
    /// 0 to 1000000000 coins; null goes back to the channel's default price.
    price: MaybeUndefined<i64>,
    /// 0 to 86400 seconds from one play to the next, of anybody.
    cooldown_seconds: Option<i32>,
    /// The same, of one viewer.
    viewer_cooldown_seconds: Option<i32>,
    /// 1 to 1000 plays in one stream, or in a day where none is on; null for any number.
    max_per_stream: MaybeUndefined<i32>,
    /// The same, of one viewer.
    max_per_viewer: MaybeUndefined<i32>,
    /// All of its tags from now on: at most 20 of 1 to 50 characters, which are kept in small letters.
    tags: Option<Vec<String>>,
    /// 0 to 100 per cent of how loud it would be.
    volume: Option<i16>,
    /// Whether it plays beside what plays, as a short sound may, and waits only for others of its kind
    /// (`overlayMaxOverlapping`); what is placed already stays as it was.
    overlaps: Option<bool>,
}

impl From<MemePatch> for MemeChange {
    fn from(patch: MemePatch) -> Self {
        Self {
            title: patch.title,
            price: given(patch.price),
            cooldown_seconds: patch.cooldown_seconds,
            viewer_cooldown_seconds: patch.viewer_cooldown_seconds,
            max_per_stream: given(patch.max_per_stream),
            max_per_viewer: given(patch.max_per_viewer),
            tags: patch.tags,
            volume: patch.volume,
            is_overlapping: patch.overlaps,
        }
    }
}

/// In which order: the newest first, those that were shown most (a minute ago) first, the cheapest first, or by the alphabet.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum MemeOrder {
    Newest,
    Popular,
    Price,
    Title,
}

impl From<MemeOrder> for Order {
    fn from(order: MemeOrder) -> Self {
        match order {
            MemeOrder::Newest => Self::Newest,
            MemeOrder::Popular => Self::Popular,
            MemeOrder::Price => Self::Price,
            MemeOrder::Title => Self::Title,
        }
    }
}

/// A tag, and how many memes that can be played have it.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct TagView {
    tag: String,
    count: i64,
}

impl From<TagCount> for TagView {
    fn from(TagCount { tag, count }: TagCount) -> Self {
        Self { tag, count }
    }
}
