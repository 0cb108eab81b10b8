//! How the overlay looks: what to try it with, and looks to change between.

use domain::{
    acts::Act,
    channels::{self, Channel, MAX_PRESETS, Preset},
    entitlements::{self, Feature},
    memes::{self, Filter, Order},
    promotions,
};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query, payload::Json};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Group, acts::on_channel};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    problem::{ErrorCode, Problem},
    views::{
        channels::{PresetView, PresetsView},
        memes::MemeView,
    },
};

pub(crate) struct OverlayLooks;

#[OpenApi(tag = "Group::Streamer")]
impl OverlayLooks {
    /// A meme to try the overlay with
    ///
    /// Any of the channel's.
    #[oai(path = "/streamer/overlay/preview-meme", method = "get", operation_id = "getPreviewMeme")]
    async fn one(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<MemeView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let drawn = draw(&mut conn, &streamer.channel, any_seed(), 1).await?.pop();
        drawn.map(Json).ok_or_else(|| Problem::not_found(ErrorCode::MemeNotFound, "your channel has no meme yet"))
    }

    /// Memes to try the overlay with
    ///
    /// The same for the same seed, while no memes come and go; fewer where the channel has no more.
    #[oai(path = "/streamer/overlay/preview-memes", method = "get", operation_id = "listPreviewMemes")]
    async fn some(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
        count: Query<Option<u16>>,
        /// Any number; another one each time when absent.
        seed: Query<Option<i64>>,
    ) -> Result<Json<Vec<MemeView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let seed = seed.0.map_or_else(any_seed, i64::cast_unsigned);
        Ok(Json(draw(&mut conn, &streamer.channel, seed, count.0.unwrap_or(1).into()).await?))
    }

    /// Looks of my overlay
    #[oai(path = "/streamer/overlay/presets", method = "get", operation_id = "getOverlayPresets")]
    async fn presets(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<PresetsView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let presets = channels::presets(&mut conn, streamer.channel.id).await?;
        Ok(Json(PresetsView { presets: presets.into_iter().map(PresetView::from).collect() }))
    }

    /// Change the looks of my overlay
    ///
    /// These are all of them from now on, at most 30; with the entitlement `more_presets` of the channel or its owner 100, else
    /// 403 `ENTITLEMENT_REQUIRED`. Two of one name are 409 `CONFLICT`. What the overlay shows does not change by it: that is `overlayStyleJson`
    /// of the channel's settings.
    #[oai(path = "/streamer/overlay/presets", method = "put", operation_id = "putOverlayPresets")]
    async fn put_presets(
        &self,
        app: Data<&App>,
        streamer: Editor,
        wish: Json<PresetsView>,
    ) -> Result<Json<PresetsView>, Problem> {
        let presets: Vec<Preset> = wish.0.presets.into_iter().map(Preset::from).collect();
        let names =
            |presets: &[Preset]| json!({ "names": presets.iter().map(|preset| &preset.name).collect::<Vec<_>>() });
        let mut tx = app.db.begin().await?;
        if presets.len() > MAX_PRESETS {
            entitlements::require(&mut tx, Feature::MorePresets, &streamer.channel).await?;
        }
        let before = channels::presets(&mut tx, streamer.channel.id).await?;
        channels::put_presets(&mut tx, streamer.channel.id, &presets).await?;
        let act = Act::new("change_overlay_presets").changing(names(&before), names(&presets));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(PresetsView { presets: presets.into_iter().map(PresetView::from).collect() }))
    }
}

fn any_seed() -> u64 {
    Uuid::new_v4().as_u64_pair().0
}

/// So many different memes of the channel, drawn by the seed.
async fn draw(conn: &mut PgConnection, channel: &Channel, seed: u64, count: usize) -> Result<Vec<MemeView>, Problem> {
    let filter = Filter::default();
    let total = memes::count(&mut *conn, channel, &filter).await?.unsigned_abs();
    let discount = promotions::best_running(&mut *conn, channel.id, None).await?;
    let mut places: Vec<u64> = Vec::with_capacity(count);
    let mut state = seed;
    while places.len() < count && (places.len() as u64) < total {
        // SplitMix64: the same on every machine.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut place = (drawn ^ (drawn >> 31)) % total;
        while places.contains(&place) {
            place = (place + 1) % total;
        }
        places.push(place);
    }
    let mut drawn = Vec::with_capacity(count);
    for place in places {
        let found = memes::list(&mut *conn, channel, Order::Newest, &filter, None, 1, place.cast_signed()).await?;
        drawn.extend(found.into_iter().map(|shown| MemeView::new(shown.meme, channel, discount)));
    }
    Ok(drawn)
}
