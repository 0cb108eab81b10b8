//! What placing reads and writes.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::activations::{Source, Wish};

/// What a wish would cost and show, as it stands now.
#[derive(Debug, Clone)]
pub(in crate::activations) struct Quote {
    pub(in crate::activations) user_id: Uuid,
    pub(in crate::activations) meme_id: Uuid,
    pub(in crate::activations) channel_id: Uuid,
    pub(in crate::activations) channel_slug: String,
    pub(in crate::activations) owner_id: Uuid,
    /// The channel's owner is banned or no streamer any more.
    pub(in crate::activations) closed: bool,
    pub(in crate::activations) intake_paused: bool,
    pub(in crate::activations) fair_step_seconds: i32,
    pub(in crate::activations) price: i64,
    pub(in crate::activations) promotion_id: Option<Uuid>,
    pub(in crate::activations) discount_bp: i32,
    pub(in crate::activations) sender_name: String,
    pub(in crate::activations) title: String,
    pub(in crate::activations) media_type: String,
    pub(in crate::activations) file_hash: String,
    pub(in crate::activations) duration_ms: i32,
    /// What the viewer has waiting in the channel.
    pub(in crate::activations) waiting: Waiting,
    /// Of the viewer's wallet when all this was read; none when there is no wallet.
    pub(in crate::activations) wallet_version: Option<i64>,
    pub(in crate::activations) now: OffsetDateTime,
}

/// Quotes for the wishes, by their place in the list; a wish for a meme that is not on offer has none, nor has one of somebody
/// who is being forgotten (who cannot be before the end of the transaction, as for every row of a person). Of the running
/// promotions the largest counts.
pub(in crate::activations) async fn quotes(
    conn: &mut PgConnection,
    wishes: &[Wish],
) -> Result<HashMap<usize, Quote>, sqlx::Error> {
    let users: Vec<Uuid> = wishes.iter().map(|wish| wish.user_id).collect();
    let memes: Vec<Uuid> = wishes.iter().map(|wish| wish.meme_id).collect();
    let rows = sqlx::query!(
        r#"select wish.place as "place!", u.id as user_id, m.id as meme_id, c.id as channel_id, c.slug, c.owner_id,
                  owner.banned_at is not null or owner.role = 'viewer' as "closed!",
                  c.intake_paused_at is not null as "intake_paused!", c.fair_step_seconds,
                  coalesce(m.price, c.default_price) as "price!", p.id as "promotion_id?",
                  coalesce(p.discount_bp, 0) as "discount_bp!", u.display_name, m.title, a.type as media_type,
                  a.file_hash, a.duration_ms, waiting.count as "waiting!", waiting.last_turn,
                  w.version as "wallet_version?", app_now() as "now!"
           from unnest($1::uuid[], $2::uuid[]) with ordinality as wish (user_id, meme_id, place)
           join memes m on m.id = wish.meme_id and m.status = 'approved'
           join meme_assets a on a.id = m.asset_id
           join channels c on c.id = m.channel_id
           join users owner on owner.id = c.owner_id
           join users u on u.id = wish.user_id and u.erased_at is null
           left join lateral (
               select id, discount_bp from promotions
               where channel_id = c.id and active and starts_at <= app_now() and ends_at > app_now()
               order by discount_bp desc, id limit 1
           ) p on true
           left join wallets w on w.user_id = u.id and w.channel_id = c.id
           cross join lateral (select count(*) as count, max(q.turn_at) as last_turn from activations q
                               where q.user_id = u.id and q.channel_id = c.id and q.status = 'queued') waiting
           for key share of u"#,
        &users,
        &memes,
    )
    .fetch_all(conn)
    .await?;
    let quotes = rows.into_iter().map(|row| {
        let quote = Quote {
            user_id: row.user_id,
            meme_id: row.meme_id,
            channel_id: row.channel_id,
            channel_slug: row.slug,
            owner_id: row.owner_id,
            closed: row.closed,
            intake_paused: row.intake_paused,
            fair_step_seconds: row.fair_step_seconds,
            price: row.price,
            promotion_id: row.promotion_id,
            discount_bp: row.discount_bp,
            sender_name: row.display_name,
            title: row.title,
            media_type: row.media_type,
            file_hash: row.file_hash,
            duration_ms: row.duration_ms,
            waiting: Waiting { count: row.waiting, last_turn: row.last_turn, now: row.now },
            wallet_version: row.wallet_version,
            now: row.now,
        };
        (usize::try_from(row.place - 1).unwrap_or_default(), quote)
    });
    Ok(quotes.collect())
}

/// What a viewer has waiting in a channel.
#[derive(Debug, Clone, Copy)]
pub(in crate::activations) struct Waiting {
    pub(in crate::activations) count: i64,
    pub(in crate::activations) last_turn: Option<OffsetDateTime>,
    pub(in crate::activations) now: OffsetDateTime,
}

/// What these viewers have waiting in these channels.
pub(in crate::activations) async fn waiting(
    conn: &mut PgConnection,
    owners: &[(Uuid, Uuid)],
) -> Result<HashMap<(Uuid, Uuid), Waiting>, sqlx::Error> {
    let (users, channels): (Vec<Uuid>, Vec<Uuid>) = owners.iter().copied().unzip();
    let rows = sqlx::query!(
        // Viewer by viewer: a plain join is planned as one walk over everything that waits anywhere.
        r#"select owner.user_id as "user_id!", owner.channel_id as "channel_id!", waiting.count as "count!",
                  waiting.last_turn, app_now() as "now!"
           from unnest($1::uuid[], $2::uuid[]) as owner (user_id, channel_id)
           cross join lateral (select count(*) as count, max(a.turn_at) as last_turn from activations a
                               where a.user_id = owner.user_id and a.channel_id = owner.channel_id
                                 and a.status = 'queued') waiting"#,
        &users,
        &channels,
    )
    .fetch_all(conn)
    .await?;
    let waiting = rows.into_iter().map(|row| {
        let state = Waiting { count: row.count, last_turn: row.last_turn, now: row.now };
        ((row.user_id, row.channel_id), state)
    });
    Ok(waiting.collect())
}

/// An activation about to be written.
#[derive(Debug)]
pub(in crate::activations) struct NewActivation {
    pub(in crate::activations) id: Uuid,
    pub(in crate::activations) quote: Quote,
    pub(in crate::activations) source: Source,
    pub(in crate::activations) final_price: i64,
    pub(in crate::activations) turn_at: OffsetDateTime,
}

/// Writes new activations in one statement.
pub(in crate::activations) async fn insert(conn: &mut PgConnection, rows: &[NewActivation]) -> Result<(), sqlx::Error> {
    fn column<T>(rows: &[NewActivation], value: impl Fn(&NewActivation) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let promotions = column(rows, |row| row.quote.promotion_id);
    sqlx::query!(
        "insert into activations (id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                                  sender_name, title, type, file_hash, duration_ms, turn_at, waits_from, created_at)
         select id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                sender_name, title, type, file_hash, duration_ms, turn_at, created_at, created_at
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::integer[],
                     $8::uuid[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::integer[],
                     $15::timestamptz[], $16::timestamptz[])
              as new (id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                      sender_name, title, type, file_hash, duration_ms, turn_at, created_at)",
        &column(rows, |row| row.id),
        &column(rows, |row| row.quote.channel_id),
        &column(rows, |row| row.quote.user_id),
        &column(rows, |row| row.quote.meme_id),
        &column(rows, |row| row.source.as_str().to_owned()),
        &column(rows, |row| row.quote.price),
        &column(rows, |row| row.quote.discount_bp),
        &promotions as &[Option<Uuid>],
        &column(rows, |row| row.final_price),
        &column(rows, |row| row.quote.sender_name.clone()),
        &column(rows, |row| row.quote.title.clone()),
        &column(rows, |row| row.quote.media_type.clone()),
        &column(rows, |row| row.quote.file_hash.clone()),
        &column(rows, |row| row.quote.duration_ms),
        &column(rows, |row| row.turn_at),
        &column(rows, |row| row.quote.now),
    )
    .execute(conn)
    .await?;
    Ok(())
}
