//! SQL of activations.

mod placing;
mod receipts;

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Activation, Reason, Status};

pub use places::{ViewerState, list_queued, viewer_state};
pub use receipts::{Receipt, ReceiptDeed, ReceiptPlay, all_receipts, receipts};

pub(crate) use locks::{lock, lock_queued, lock_queued_of, lock_unfinished, lock_unwanted, move_to_front};
pub(super) use placing::{NewActivation, Offer, Quote, Waiting, insert, lock_counted, quotes, waiting};

/// An activation as queries give it.
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) channel_id: Uuid,
    pub(crate) channel_slug: String,
    pub(crate) user_id: Uuid,
    pub(crate) meme_id: Uuid,
    pub(crate) source: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) price: i64,
    pub(crate) final_price: i64,
    pub(crate) sender_name: String,
    pub(crate) title: String,
    pub(crate) media_type: String,
    pub(crate) file_hash: String,
    pub(crate) duration_ms: i32,
    pub(crate) volume: i16,
    pub(crate) is_overlapping: bool,
    pub(crate) gain_db: Option<f64>,
    pub(crate) play_epoch: i64,
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) deadline: Option<OffsetDateTime>,
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) created_at: OffsetDateTime,
}

impl From<Row> for Activation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            channel_id: row.channel_id,
            channel_slug: row.channel_slug,
            user_id: row.user_id,
            meme_id: row.meme_id,
            source: row.source,
            status: Status::parse(&row.status),
            reason: row.reason,
            price: row.price,
            final_price: row.final_price,
            sender_name: row.sender_name,
            title: row.title,
            media_type: row.media_type,
            file_hash: row.file_hash,
            duration_ms: row.duration_ms,
            volume: row.volume,
            is_overlapping: row.is_overlapping,
            gain_db: row.gain_db,
            play_epoch: row.play_epoch,
            started_at: row.started_at,
            deadline: row.deadline,
            ended_at: row.ended_at,
            created_at: row.created_at,
        }
    }
}

/// The columns of [`Row`] with a condition: `query_as!` takes literals only.
macro_rules! select {
    ($condition:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select a.id, a.channel_id, c.slug as channel_slug, a.user_id, a.meme_id, a.source, a.status, a.reason,
                    a.price, a.final_price, a.sender_name, a.title, a.type as media_type, a.file_hash, a.duration_ms,
                    a.volume, a.is_overlapping, a.gain_db, a.play_epoch, a.started_at, a.deadline, a.ended_at, a.created_at
             from activations a join channels c on c.id = a.channel_id " + $condition
            $(, $argument)*
        )
    };
}

// Below the macro, which they use.
mod locks;
mod places;

/// The activation with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Activation>, sqlx::Error> {
    Ok(select!("where a.id = $1", id).fetch_optional(conn).await?.map(Activation::from))
}

/// Those of the activations that play, by channel in the order of their starts.
pub(crate) async fn find_playing(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!("where a.id = any($1) and a.status = 'playing' order by a.channel_id, a.play_epoch", ids)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// The next items of each channel's queue, at most `limit` a channel, in the order of play.
pub(crate) async fn list_upcoming(
    conn: &mut PgConnection,
    channels: &[Uuid],
    limit: i64,
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!(
        "where a.id in (select upcoming.id from unnest($1::uuid[]) as channel (id)
                        cross join lateral (select id from activations
                                            where channel_id = channel.id and status = 'queued'
                                            order by priority desc, turn_at, id limit $2) as upcoming)
         order by a.channel_id, a.priority desc, a.turn_at, a.id",
        channels,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// The viewer's own activation with this id; somebody else's is none.
///
/// # Errors
/// The database refused.
pub async fn find_of_viewer(
    conn: &mut PgConnection,
    viewer: Uuid,
    id: Uuid,
) -> Result<Option<Activation>, sqlx::Error> {
    let row = select!("where a.id = $1 and a.user_id = $2", id, viewer).fetch_optional(conn).await?;
    Ok(row.map(Activation::from))
}

/// What has ended, the last one first.
///
/// # Errors
/// The database refused.
pub async fn history(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!(
        "where a.channel_id = $1 and a.ended_at is not null order by a.ended_at desc, a.id limit $2 offset $3",
        channel,
        limit,
        offset
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// How many of the channel's activations have ended.
///
/// # Errors
/// The database refused.
pub async fn count_ended(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from activations where channel_id = $1 and ended_at is not null"#,
        channel
    )
    .fetch_one(conn)
    .await
}

/// Ends the activations; all of them must be unfinished.
pub(super) async fn end(
    conn: &mut PgConnection,
    ids: &[Uuid],
    status: Status,
    reason: Option<Reason>,
    detail: Option<&str>,
) -> Result<OffsetDateTime, sqlx::Error> {
    let ended = sqlx::query_scalar!(
        r#"update activations set status = $2, reason = $3, detail = $4, deadline = null, ended_at = app_now()
           where id = any($1) and status in ('queued', 'playing')
           returning ended_at as "ended_at!""#,
        ids,
        status.as_str(),
        reason.map(Reason::as_str),
        detail,
    )
    .fetch_all(conn)
    .await?;
    match ended.first() {
        Some(at) if ended.len() == ids.len() => Ok(*at),
        _ => Err(sqlx::Error::RowNotFound),
    }
}

/// Why these could not be shown, in the words of the screens that said so.
///
/// # Errors
/// The database refused.
pub async fn words_of_screens(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, detail as "detail!" from activations where id = any($1) and detail is not null"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.detail)).collect())
}

/// How many activations of a channel are in which state; test events are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub total: i64,
    pub queued: i64,
    pub playing: i64,
    pub done: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Coins captured.
    pub coins_spent: i64,
    /// Coins given back.
    pub coins_refunded: i64,
    pub viewers: i64,
}

/// The channel's figures since it began.
///
/// # Errors
/// The database refused.
pub async fn counts(conn: &mut PgConnection, channel: Uuid) -> Result<Counts, sqlx::Error> {
    sqlx::query_as!(
        Counts,
        r#"select count(*) as "total!",
                  count(*) filter (where status = 'queued') as "queued!",
                  count(*) filter (where status = 'playing') as "playing!",
                  count(*) filter (where status = 'done') as "done!",
                  count(*) filter (where status = 'failed') as "failed!",
                  count(*) filter (where status = 'cancelled') as "cancelled!",
                  coalesce(sum(final_price) filter (where status = 'done'), 0)::bigint as "coins_spent!",
                  coalesce(sum(final_price) filter (where status in ('failed', 'cancelled')), 0)::bigint
                      as "coins_refunded!",
                  count(distinct user_id) as "viewers!"
           from activations where channel_id = $1 and source = 'meme'"#,
        channel
    )
    .fetch_one(conn)
    .await
}

/// Every breach of the rules between activations and the ledger, in words; empty when all is well: one payment per
/// activation, one settlement for each that ended and none for the rest, of exactly what was paid, and an escrow that
/// holds what the unfinished ones paid.
///
/// # Errors
/// The database refused.
pub async fn audit(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let breaches = sqlx::query_scalar!(
        r#"with movement as (
               select a.id, a.status, a.final_price, a.channel_id,
                      (select count(*) from ledger_operations o
                       where o.idempotency_key = 'activation:' || a.id || ':place') as paid,
                      (select o.kind from ledger_operations o
                       where o.idempotency_key = 'activation:' || a.id || ':settle') as settled,
                      (select -sum(e.amount) from ledger_entries e join ledger_operations o on o.id = e.operation_id
                       where o.idempotency_key = 'activation:' || a.id || ':settle' and e.account = 'escrow') as amount
               from activations a where a.source = 'meme'
           )
           select 'activation ' || id || ' was paid for ' || paid || ' times' as "breach!" from movement where paid <> 1
           union all
           select 'activation ' || id || ' is ' || status || ' but its settlement is ' || coalesce(settled, 'missing')
           from movement
           where final_price > 0 and settled is distinct from
                 case status when 'done' then 'capture' when 'failed' then 'refund' when 'cancelled' then 'refund' end
           union all
           select 'activation ' || id || ' cost ' || final_price || ' but settled ' || amount
           from movement where amount <> final_price
           union all
           select 'the escrow of channel ' || channel_id || ' holds ' || coalesce(held.amount, 0)
                  || ' but ' || coalesce(open.amount, 0) || ' is open'
           from (select o.channel_id, sum(e.amount) as amount
                 from ledger_entries e join ledger_operations o on o.id = e.operation_id
                 where e.account = 'escrow' group by o.channel_id) held
           full join (select channel_id, sum(final_price) as amount
                      from activations where source = 'meme' and ended_at is null group by channel_id) open
                using (channel_id)
           where coalesce(held.amount, 0) <> coalesce(open.amount, 0)"#
    )
    .fetch_all(conn)
    .await?;
    Ok(breaches)
}
