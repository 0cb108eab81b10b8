//! What placing reads and writes.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    activations::{
        Source, Wish,
        limits::{Limits, Played},
    },
    promotions,
};

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
    /// The channel's team keeps the viewer off.
    pub(in crate::activations) banned: bool,
    pub(in crate::activations) intake_paused: bool,
    /// No overlay is connected, and the channel takes nothing that nobody would see.
    pub(in crate::activations) unseen: bool,
    /// Of what is played for coins.
    pub(in crate::activations) coins_priority: i16,
    /// Milliseconds by which a further waiting item of the viewer stands back: less for a subscriber.
    pub(in crate::activations) fair_step_ms: i32,
    /// Basis points; 0 for whoever is none.
    pub(in crate::activations) subscriber_discount_bp: i32,
    pub(in crate::activations) price: i64,
    /// Promotions that run and are not used up, the largest discount first.
    pub(in crate::activations) offers: Vec<Offer>,
    /// Of the meme, if it has any.
    pub(in crate::activations) limits: Option<Limits>,
    pub(in crate::activations) sender_name: String,
    pub(in crate::activations) title: String,
    pub(in crate::activations) media_type: String,
    pub(in crate::activations) file_hash: String,
    pub(in crate::activations) duration_ms: i32,
    pub(in crate::activations) volume: i16,
    pub(in crate::activations) is_overlapping: bool,
    pub(in crate::activations) gain_db: Option<f64>,
    /// What the viewer has waiting in the channel.
    pub(in crate::activations) waiting: Waiting,
    /// Of the viewer's wallet when all this was read; none when there is no wallet.
    pub(in crate::activations) wallet_version: Option<i64>,
    pub(in crate::activations) now: OffsetDateTime,
}

/// Quotes for the wishes, by their place in the list; a wish for a meme that is not on offer has none, nor has one of
/// somebody who is being forgotten (who cannot be before the end of the transaction, as for every row of a person).
pub(in crate::activations) async fn quotes(
    conn: &mut PgConnection,
    wishes: &[Wish],
) -> Result<HashMap<usize, Quote>, sqlx::Error> {
    let users: Vec<Uuid> = wishes.iter().map(|wish| wish.user_id).collect();
    let memes: Vec<Uuid> = wishes.iter().map(|wish| wish.meme_id).collect();
    let rows = sqlx::query!(
        r#"select wish.place as "place!", u.id as user_id, m.id as meme_id, c.id as channel_id, c.slug, c.owner_id,
                  owner.banned_at is not null or owner.role = 'viewer' as "closed!",
                  exists (select from channel_bans b where b.channel_id = c.id and b.user_id = u.id) as "banned!",
                  c.intake_paused_at is not null as "intake_paused!", c.coins_priority,
                  c.fair_step_seconds * 1000 / case when standing.subscribes then c.subscriber_turn_weight else 1 end as "fair_step_ms!",
                  case when standing.subscribes then c.subscriber_discount_bp else 0 end as "subscriber_discount_bp!",
                  case when c.when_no_overlay = 'refuse'
                       then coalesce((select l.screenless_since is not null from lanes l where l.channel_id = c.id), true)
                       else false end as "unseen!",
                  coalesce(m.price, c.default_price + c.price_per_second * ((a.duration_ms + 999) / 1000)) as "price!",
                  offer.ids as "offers?", offer.discounts as "discounts?", offer.lefts as "lefts?: Vec<Option<i64>>",
                  offer.lefts_of_viewer as "lefts_of_viewer?: Vec<Option<i64>>",
                  m.is_limited, m.cooldown_seconds, m.viewer_cooldown_seconds, m.max_per_stream, m.max_per_viewer,
                  counted.last, counted.last_of_viewer, counted.plays as "plays!",
                  counted.plays_of_viewer as "plays_of_viewer!",
                  u.display_name, m.title, a.type as media_type, a.file_hash, a.duration_ms, m.volume, m.is_overlapping, a.gain_db,
                  waiting.count as "waiting!", waiting.last_turn, w.version as "wallet_version?", app_now() as "now!"
           from unnest($1::uuid[], $2::uuid[]) with ordinality as wish (user_id, meme_id, place)
           join memes m on m.id = wish.meme_id and m.status = 'approved'
           join meme_assets a on a.id = m.asset_id
           join channels c on c.id = m.channel_id
           join users owner on owner.id = c.owner_id
           join users u on u.id = wish.user_id and u.erased_at is null
           -- Whether somebody subscribes is asked only where it matters.
           cross join lateral (select case when c.subscriber_discount_bp > 0 or c.subscriber_turn_weight > 1
                                           then subscribes(c.id, u.id) else false end as subscribes) standing
           left join lateral (
               select array_agg(p.id order by p.discount_bp desc, p.id) as ids,
                      array_agg(p.discount_bp order by p.discount_bp desc, p.id) as discounts,
                      array_agg(p.max_uses - used.count order by p.discount_bp desc, p.id) as lefts,
                      array_agg(p.max_uses_per_viewer - used.of_viewer order by p.discount_bp desc, p.id) as lefts_of_viewer
               from promotions p
               cross join lateral (
                   select count(*) as count, count(*) filter (where q.user_id = u.id) as of_viewer
                   from activations q
                   -- What has no limit is not counted.
                   where (p.max_uses is not null or p.max_uses_per_viewer is not null)
                     and q.promotion_id = p.id and q.status in ('queued', 'playing', 'done')
               ) used
               where p.channel_id = c.id and p.active and p.starts_at <= app_now() and p.ends_at > app_now()
                 and coalesce(p.max_uses > used.count, true) and coalesce(p.max_uses_per_viewer > used.of_viewer, true)
           ) offer on true
           cross join lateral (
               select max(q.created_at) as last, max(q.created_at) filter (where q.user_id = u.id) as last_of_viewer,
                      count(*) filter (where q.created_at >= began.at) as plays,
                      count(*) filter (where q.created_at >= began.at and q.user_id = u.id) as plays_of_viewer
               from (select coalesce(c.live_since, app_now() - interval '1 day') as at) began
               join activations q on m.is_limited and q.meme_id = m.id and q.is_counted
                 and q.status in ('queued', 'playing', 'done')
                 -- A pause of the longest kind may reach back beyond the stream.
                 and q.created_at >= least(began.at, app_now() - interval '1 day')
           ) counted
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
            banned: row.banned,
            intake_paused: row.intake_paused,
            unseen: row.unseen,
            coins_priority: row.coins_priority,
            fair_step_ms: row.fair_step_ms,
            subscriber_discount_bp: row.subscriber_discount_bp,
            price: row.price,
            offers: Offer::of(row.offers, row.discounts, row.lefts, row.lefts_of_viewer),
            limits: row.is_limited.then_some(Limits {
                cooldown: row.cooldown_seconds,
                viewer_cooldown: row.viewer_cooldown_seconds,
                max_per_stream: row.max_per_stream,
                max_per_viewer: row.max_per_viewer,
                played: Played { last: row.last, count: row.plays },
                played_by_viewer: Played { last: row.last_of_viewer, count: row.plays_of_viewer },
            }),
            sender_name: row.display_name,
            title: row.title,
            media_type: row.media_type,
            file_hash: row.file_hash,
            duration_ms: row.duration_ms,
            volume: row.volume,
            is_overlapping: row.is_overlapping,
            gain_db: row.gain_db,
            waiting: Waiting { count: row.waiting, last_turn: row.last_turn, now: row.now },
            wallet_version: row.wallet_version,
            now: row.now,
        };
        (usize::try_from(row.place - 1).unwrap_or_default(), quote)
    });
    Ok(quotes.collect())
}

/// A promotion that a play may be cheaper by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::activations) struct Offer {
    pub(in crate::activations) id: Uuid,
    pub(in crate::activations) discount_bp: i32,
    /// Uses that are left, in all and for the viewer; none: any number.
    pub(in crate::activations) left: Option<i64>,
    pub(in crate::activations) left_of_viewer: Option<i64>,
}

impl Offer {
    pub(in crate::activations) const fn is_limited(&self) -> bool {
        self.left.is_some() || self.left_of_viewer.is_some()
    }

    /// Of columns that are equally long; none for a channel without any.
    fn of(
        ids: Option<Vec<Uuid>>,
        discounts: Option<Vec<i32>>,
        lefts: Option<Vec<Option<i64>>>,
        lefts_of_viewer: Option<Vec<Option<i64>>>,
    ) -> Vec<Self> {
        let (ids, discounts) = (ids.unwrap_or_default(), discounts.unwrap_or_default());
        let lefts = lefts.unwrap_or_default().into_iter().zip(lefts_of_viewer.unwrap_or_default());
        let rows = ids.into_iter().zip(discounts).zip(lefts);
        rows.map(|((id, discount_bp), (left, left_of_viewer))| Self { id, discount_bp, left, left_of_viewer }).collect()
    }
}

/// Memes and promotions whose uses are counted are locked, in the order of their ids: whoever counts knows the number until
/// the end of the transaction.
pub(in crate::activations) async fn lock_counted(
    conn: &mut PgConnection,
    promotions: &[Uuid],
    memes: &[Uuid],
) -> Result<(), sqlx::Error> {
    promotions::lock(&mut *conn, promotions).await?;
    sqlx::query!("select id from memes where id = any($1) order by id for no key update", memes)
        .fetch_all(conn)
        .await?;
    Ok(())
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
    /// The promotion that made it cheaper; none where it is cheaper for a subscriber.
    pub(in crate::activations) promotion: Option<Uuid>,
    /// By how much it is cheaper.
    pub(in crate::activations) discount_bp: i32,
    pub(in crate::activations) final_price: i64,
    /// Counts for the limits of its meme.
    pub(in crate::activations) is_counted: bool,
    pub(in crate::activations) turn_at: OffsetDateTime,
    /// What is larger plays first.
    pub(in crate::activations) priority: i16,
    pub(in crate::activations) replay_of: Option<Uuid>,
}

/// Writes new activations in one statement.
pub(in crate::activations) async fn insert(conn: &mut PgConnection, rows: &[NewActivation]) -> Result<(), sqlx::Error> {
    fn column<T>(rows: &[NewActivation], value: impl Fn(&NewActivation) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let promotions = column(rows, |row| row.promotion);
    let gains = column(rows, |row| row.quote.gain_db);
    sqlx::query!(
        "insert into activations (id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                                  sender_name, title, type, file_hash, duration_ms, volume, gain_db, turn_at, waits_from, created_at,
                                  is_counted, priority, replay_of, is_overlapping)
         select id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                sender_name, title, type, file_hash, duration_ms, volume, gain_db, turn_at, created_at, created_at, is_counted,
                priority, replay_of, is_overlapping
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::integer[],
                     $8::uuid[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::integer[],
                     $15::timestamptz[], $16::timestamptz[], $17::boolean[], $18::smallint[], $19::double precision[],
                     $20::smallint[], $21::uuid[], $22::boolean[])
              as new (id, channel_id, user_id, meme_id, source, price, discount_bp, promotion_id, final_price,
                      sender_name, title, type, file_hash, duration_ms, turn_at, created_at, is_counted, volume, gain_db,
                      priority, replay_of, is_overlapping)",
        &column(rows, |row| row.id),
        &column(rows, |row| row.quote.channel_id),
        &column(rows, |row| row.quote.user_id),
        &column(rows, |row| row.quote.meme_id),
        &column(rows, |row| row.source.as_str().to_owned()),
        &column(rows, |row| row.quote.price),
        &column(rows, |row| row.discount_bp),
        &promotions as &[Option<Uuid>],
        &column(rows, |row| row.final_price),
        &column(rows, |row| row.quote.sender_name.clone()),
        &column(rows, |row| row.quote.title.clone()),
        &column(rows, |row| row.quote.media_type.clone()),
        &column(rows, |row| row.quote.file_hash.clone()),
        &column(rows, |row| row.quote.duration_ms),
        &column(rows, |row| row.turn_at),
        &column(rows, |row| row.quote.now),
        &column(rows, |row| row.is_counted),
        &column(rows, |row| row.quote.volume),
        &gains as &[Option<f64>],
        &column(rows, |row| row.priority),
        &column(rows, |row| row.replay_of) as &[Option<Uuid>],
        &column(rows, |row| row.quote.is_overlapping),
    )
    .execute(conn)
    .await?;
    Ok(())
}
