//! The world of the bench: channels with a meme each, and a viewer with coins for each channel.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::{
    access::{Keys, Purpose, channel_token},
    accounts::{self, Role},
    channels,
    media::{self, MediaType, NewAsset, NewFile},
    memes::{self, NewMeme},
    wallets,
};
use queue::{Database, Wakes};
use sqlx::{Executor as _, PgPool};
use tokio::process::Command;
use uuid::Uuid;

use crate::{Bench, CHANNELS, catalogue::WORDS, cluster::Cluster, server::Server};

/// What every viewer owns at first.
const COINS: i64 = 100_000_000;
/// What every meme costs: the channels' default price.
pub(crate) const PRICE: i64 = 100;
/// Ours signs sessions and overlay tokens with it, the peer its sessions.
pub(crate) const SECRET: &str = "a secret of the bench, which guards nothing";
const MEME_MS: i32 = 1000;

/// A channel and the viewer who buys there.
#[derive(Debug, Clone)]
pub(crate) struct Stall {
    pub(crate) viewer_login: String,
    viewer: Uuid,
    wallet: Uuid,
    channel: Uuid,
    pub(crate) slug: String,
    owner: Uuid,
    pub(crate) meme: Uuid,
    pub(crate) overlay_token: String,
}

/// Fills a new database of ours by the domain's own commands.
pub(crate) async fn ours(bench: &Bench, cluster: &Cluster, database: &str) -> anyhow::Result<Vec<Stall>> {
    empty(bench, cluster, database).await?;
    let pool = cluster.pool(database).await?;
    let db = Database::new(pool.clone(), Wakes::new().0);
    let keys = Keys::derive(SECRET.as_bytes());
    let mut tx = db.begin().await?;
    let admin = accounts::upsert_by_login(&mut tx, "bench-admin", "Admin", Role::Admin).await?;
    let hash = "0123456789abcdef".repeat(4);
    media::add_reference(&mut tx, NewFile { hash: &hash, size: 100_000, mime_type: "video/mp4" }).await?;
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
    let mut stalls = Vec::with_capacity(CHANNELS);
    for number in 0..CHANNELS {
        let slug = format!("streamer_{number}");
        let owner = accounts::upsert_by_login(&mut tx, &slug, &slug, Role::Streamer).await?;
        let channel = channels::ensure(&mut tx, &owner).await?;
        let viewer_login = format!("viewer_{number}");
        let viewer = accounts::upsert_by_login(&mut tx, &viewer_login, &viewer_login, Role::Viewer).await?;
        let wallet =
            wallets::adjust(&mut tx, admin.id, wallets::Adjustment::new(viewer.id, channel.id, COINS, "bench"))
                .await?
                .wallet;
        let new = NewMeme {
            channel_id: channel.id,
            asset_id,
            title: "Bench",
            price: Some(PRICE),
            created_by: owner.id,
            tags: &[],
        };
        let meme = memes::create(&mut tx, new).await?.id;
        stalls.push(Stall {
            viewer_login,
            viewer: viewer.id,
            wallet: wallet.id,
            channel: channel.id,
            overlay_token: channel_token(&keys, Purpose::Overlay, channel.id, channel.overlay_token_version),
            slug,
            owner: owner.id,
            meme,
        });
    }
    tx.commit().await?;
    settle(&pool).await?;
    Ok(stalls)
}

/// A new database of ours with nothing in it but the demo data.
async fn empty(bench: &Bench, cluster: &Cluster, database: &str) -> anyhow::Result<()> {
    cluster.create(database).await?;
    // The folder belongs to the database of the figures before.
    let data = data_dir(bench);
    if data.exists() {
        std::fs::remove_dir_all(&data).with_context(|| format!("empty {}", data.display()))?;
    }
    // Whoever starts first in dev mode makes demo data, which is not what the rounds shall measure.
    let server = start_ours(bench, cluster, database, "seed").await?;
    server.says("Try it").await?;
    server.stop().await?;
    Ok(())
}

/// Memes that one transaction makes.
const SOME: usize = 1000;

/// A database of ours with one channel that has this many memes.
pub(crate) async fn catalogue(bench: &Bench, cluster: &Cluster, database: &str, count: usize) -> anyhow::Result<()> {
    empty(bench, cluster, database).await?;
    let pool = cluster.pool(database).await?;
    let db = Database::new(pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    let slug = "bench_catalogue";
    let owner = accounts::upsert_by_login(&mut tx, slug, slug, Role::Streamer).await?;
    let channel = channels::ensure(&mut tx, &owner).await?;
    let mut assets = Vec::new();
    for (number, kind) in [MediaType::Video, MediaType::Image, MediaType::Gif, MediaType::Audio].into_iter().enumerate()
    {
        for seconds in 1..=10 {
            let hash = format!("{number:032x}{seconds:032x}");
            media::add_reference(&mut tx, NewFile { hash: &hash, size: 100_000, mime_type: "video/mp4" }).await?;
            let asset = NewAsset {
                kind,
                file_hash: &hash,
                source_hash: None,
                duration_ms: seconds * 1000,
                width: Some(640),
                height: Some(360),
                loudness: None,
            };
            assets.push(media::create_asset(&mut tx, asset).await?.id);
        }
    }
    for number in 0..count {
        let word = |step: usize| WORDS[(number / step + number * step) % WORDS.len()];
        let title = format!("{} {} {}", word(1), word(7), number % 5000);
        let tags: Vec<String> = (0..number % 4).map(|step| word(step + 11).to_owned()).collect();
        let price = (number % 3 == 0).then_some(i64::try_from(number % 500)?);
        let asset_id = assets[number % assets.len()];
        let new = NewMeme { channel_id: channel.id, asset_id, title: &title, price, created_by: owner.id, tags: &tags };
        memes::create(&mut tx, new).await?;
        if number % SOME == SOME - 1 {
            tx.commit().await?;
            tx = db.begin().await?;
        }
    }
    tx.commit().await?;
    settle(&pool).await
}

/// Starts `memalerts all` on the database, as it comes but for what a bench cannot do without: the dev login, and no rate
/// limits, which the peers have not and one address would reach.
pub(crate) async fn start_ours(bench: &Bench, cluster: &Cluster, database: &str, log: &str) -> anyhow::Result<Server> {
    start_ours_with(bench, cluster, database, log, &[]).await
}

/// The same with further settings.
pub(crate) async fn start_ours_with(
    bench: &Bench,
    cluster: &Cluster,
    database: &str,
    log: &str,
    further: &[(&str, &str)],
) -> anyhow::Result<Server> {
    let data = data_dir(bench);
    let url = cluster.url(database);
    let usual = [
        ("MEMALERTS_ENV", "dev"),
        ("MEMALERTS_SECRET", SECRET),
        ("MEMALERTS_DATA_DIR", data.to_str().context("the folder's name")?),
        ("DATABASE_URL", &url),
        ("METRICS_PORT", "0"),
        ("RATE_LIMIT_FACTOR", "0"),
    ];
    let environment: Vec<(&str, &str)> = usual.into_iter().chain(further.iter().copied()).collect();
    let mut command = Command::new(&bench.binary);
    command.arg("all");
    Server::start(command, &environment, &bench.out.join(format!("{log}.log"))).await
}

/// Where our server keeps its files.
fn data_dir(bench: &Bench) -> PathBuf {
    bench.disk.join("data")
}

/// The same world for the peer, in its own tables.
pub(crate) async fn peer(cluster: &Cluster, database: &str, peer: &Path, stalls: &[Stall]) -> anyhow::Result<()> {
    cluster.create(database).await?;
    let pool = cluster.pool(database).await?;
    let schema = std::fs::read_to_string(peer.join("schema.sql")).context("read the peer's schema")?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(schema)).execute(&pool).await?;
    #[expect(clippy::disallowed_methods, reason = "the tables are the peer's, not ours")]
    sqlx::query(
        "with given as (
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[])
                 as stall (viewer, login, wallet, channel, owner, slug, meme)
         ), people as (
             insert into users (id, login, display_name)
             select viewer, login, login from given union all select owner, slug, slug from given
         ), places as (
             insert into channels (id, slug, owner_id, default_price) select channel, slug, owner, $8 from given
         ), offers as (
             insert into memes (id, channel_id, title, file_url, duration_ms, price)
             select meme, channel, 'Bench', '/uploads/0', $10, $8 from given
         )
         insert into wallets (id, user_id, channel_id, balance) select wallet, viewer, channel, $9 from given",
    )
    .bind(column(stalls, |stall| stall.viewer))
    .bind(column(stalls, |stall| stall.viewer_login.clone()))
    .bind(column(stalls, |stall| stall.wallet))
    .bind(column(stalls, |stall| stall.channel))
    .bind(column(stalls, |stall| stall.owner))
    .bind(column(stalls, |stall| stall.slug.clone()))
    .bind(column(stalls, |stall| stall.meme))
    .bind(PRICE)
    .bind(COINS)
    .bind(MEME_MS)
    .execute(&pool)
    .await?;
    settle(&pool).await
}

fn column<T>(stalls: &[Stall], value: impl Fn(&Stall) -> T) -> Vec<T> {
    stalls.iter().map(value).collect()
}

/// Statistics as autovacuum would have made them by now: for the tables that hold something. Then nobody may be connected,
/// for the database becomes a template.
async fn settle(pool: &PgPool) -> anyhow::Result<()> {
    let analyze = "do $$
        declare
            name text;
            lived_in boolean;
        begin
            for name in select tablename from pg_tables where schemaname = 'public' loop
                execute format('select count(*) > 50 from (select from %I limit 51) as few', name) into lived_in;
                if lived_in then
                    execute format('analyze %I', name);
                end if;
            end loop;
        end $$";
    pool.execute(analyze).await?;
    pool.close().await;
    Ok(())
}
