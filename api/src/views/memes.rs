//! Words of memes.

use domain::{
    channels::Channel,
    media::MediaType,
    memes::{Meme, MemeChange},
};
use poem_openapi::{Enum, Object, types::MaybeUndefined};
use time::OffsetDateTime;
use uuid::Uuid;

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
    /// Milliseconds.
    duration_ms: i32,
    /// Pixels; null for audio.
    width: Option<i32>,
    height: Option<i32>,
    /// Coins, before any promotion.
    price: i64,
    /// Whether the price is the channel's default one.
    has_default_price: bool,
    created_at: OffsetDateTime,
}

impl MemeView {
    pub(crate) fn new(meme: Meme, channel: &Channel) -> Self {
        Self {
            id: meme.id,
            channel_id: meme.channel_id,
            file_url: meme.file_url(),
            price: meme.price_in(channel.default_price),
            has_default_price: meme.price.is_none(),
            title: meme.title,
            kind: meme.kind.into(),
            duration_ms: meme.duration_ms,
            width: meme.width,
            height: meme.height,
            created_at: meme.created_at,
        }
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
}

impl From<MemePatch> for MemeChange {
    fn from(patch: MemePatch) -> Self {
        let price = match patch.price {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(price) => Some(Some(price)),
        };
        Self { title: patch.title, price }
    }
}
