//! Who and what there is: a few channels with a meme each, and viewers with coins in every channel.

use std::path::Path;

use anyhow::Context as _;
use domain::{
    access::{Keys, Purpose, channel_token},
    accounts::{self, Role},
    bots, channels,
    media::{self, MediaType, NewAsset, NewFile},
    memes::{self, NewMeme},
    wallets,
};
use queue::{Database, Wakes};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::uploads;

/// Signs sessions and tokens of one run.
pub(crate) const SECRET: &str = "a secret of the chaos, which guards nothing";
const CHANNELS: usize = 4;
const VIEWERS: usize = 8;
/// Enough for some and not for all: refusals are answers, too.
const COINS: i64 = 20_000;
pub(crate) const PRICE: i64 = 100;
const MEME_MS: i32 = 300;
/// What people call the bot with; it answers with their name.
pub(crate) const COMMAND: &str = "!here";

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) channels: Vec<Place>,
    pub(crate) viewers: Vec<Viewer>,
}

#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) slug: String,
    pub(crate) owner_login: String,
    pub(crate) meme: Uuid,
    pub(crate) overlay_token: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) id: Uuid,
    pub(crate) login: String,
}

/// Makes the world: its rows, and the one file that they refer to.
pub(crate) async fn make(pool: &PgPool, store: &Path) -> anyhow::Result<World> {
    let bytes = b"shown by screens that have no eyes";
    let hash = hex::encode(Sha256::digest(bytes));
    let file = uploads::object(store, &hash);
    std::fs::create_dir_all(file.parent().context("the store")?)?;
    std::fs::write(file, bytes)?;
    let db = Database::new(pool.clone(), Wakes::new().0);
    let keys = Keys::derive(SECRET.as_bytes());
    let mut tx = db.begin().await?;
    let admin = accounts::upsert_by_login(&mut tx, "chaos-admin", "Admin", Role::Admin).await?;
    media::add_reference(&mut tx, NewFile { hash: &hash, size: bytes.len().try_into()?, mime_type: "video/mp4" })
        .await?;
    let asset = NewAsset {
        kind: MediaType::Video,
        file_hash: &hash,
        source_hash: None,
        duration_ms: MEME_MS,
        width: Some(640),
        height: Some(360),
        loudness: None,
    };
    let asset_id = media::create_asset(&mut tx, asset).await?.id;
    let mut viewers = Vec::new();
    for number in 0..VIEWERS {
        let login = format!("viewer_{number}");
        let user = accounts::upsert_by_login(&mut tx, &login, &login, Role::Viewer).await?;
        viewers.push(Viewer { id: user.id, login });
    }
    let mut places = Vec::new();
    for number in 0..CHANNELS {
        let slug = format!("streamer_{number}");
        let owner = accounts::upsert_by_login(&mut tx, &slug, &slug, Role::Streamer).await?;
        let channel = channels::ensure(&mut tx, &owner).await?;
        bots::switch(&mut tx, &channel, domain::outbox::Provider::Twitch, true, None).await?;
        for viewer in &viewers {
            wallets::adjust(&mut tx, admin.id, wallets::Adjustment::new(viewer.id, channel.id, COINS, "chaos")).await?;
        }
        let new = NewMeme {
            channel_id: channel.id,
            asset_id,
            title: "Chaos",
            price: Some(PRICE),
            created_by: owner.id,
            tags: &[],
        };
        let meme = memes::create(&mut tx, new).await?.id;
        places.push(Place {
            overlay_token: channel_token(&keys, Purpose::Overlay, channel.id, channel.overlay_token_version),
            owner_login: owner.login,
            slug,
            meme,
        });
    }
    sqlx::query!(
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
         select gen_random_uuid(), id, $1, $1, '{user} is here' from channels",
        COMMAND
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await.context("make the world")?;
    Ok(World { channels: places, viewers })
}
