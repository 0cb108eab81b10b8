//! Starting items, for many channels at once.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{START_PATIENCE, interval};
use crate::{
    activations::{self, Activation},
    playback::SCREEN_STALE,
};

/// A channel's queue as an advance sees it.
#[derive(Debug, Clone, Copy)]
pub(in crate::playback) struct Chance {
    pub(in crate::playback) channel_id: Uuid,
    pub(in crate::playback) paused: bool,
    /// No screen is connected: patience is short.
    pub(in crate::playback) screenless: bool,
    /// Items that wait; counted up to 6, one more than there ever are slots.
    pub(in crate::playback) waiting: i64,
    /// Something may start, and the lane is locked.
    pub(in crate::playback) locked: bool,
}

/// A query that begins with `chance`, how many items may start and how many wait on each of the channels `$1`. None may start
/// while playback is paused or no screen is there; a screen that was not seen for `$2` is gone.
macro_rules! with_chances {
    ($query:ident ! ($($row:ty,)? $rest:literal, $channels:expr $(, $argument:expr)* $(,)?)) => {
        sqlx::$query!(
            $($row,)?
            r#"with chance as (
                   select c.id as channel_id, c.playback_paused_at is not null as paused,
                          (select count(*) from (select from activations a
                                                 where a.channel_id = c.id and a.status = 'queued' limit 6) w) as waiting,
                          case when c.playback_paused_at is not null
                                    or not exists (select from screens s
                                                   where s.channel_id = c.id and s.seen_at > app_now() - $2::interval)
                               then 0
                               else greatest(0, case c.overlay_mode when 'simultaneous' then c.overlay_max_concurrent else 1 end
                                                - (select count(*) from activations a
                                                   where a.channel_id = c.id and a.status = 'playing'))
                          end as free
                   from channels c where c.id = any($1)
               )"# + $rest,
            $channels,
            interval(SCREEN_STALE)
            $(, $argument)*
        )
    };
}

/// Looks at the channels' queues and locks the lanes where something may start, in the order of the channels' ids. What
/// was seen may have changed while a lock was waited for: [`start_next`] looks again.
pub(in crate::playback) async fn chances(
    conn: &mut PgConnection,
    channels: &[Uuid],
) -> Result<Vec<Chance>, sqlx::Error> {
    with_chances!(query_as!(
        Chance,
        r#", locked as (
               select l.channel_id from lanes l join chance on chance.channel_id = l.channel_id
               where chance.free > 0 and chance.waiting > 0
               order by l.channel_id
               for update of l
           )
           select chance.channel_id as "channel_id!", chance.paused as "paused!",
                  lane.screenless_since is not null as "screenless!", chance.waiting as "waiting!",
                  locked.channel_id is not null as "locked!"
           from chance join lanes lane on lane.channel_id = chance.channel_id
           left join locked on locked.channel_id = chance.channel_id"#,
        channels,
    ))
    .fetch_all(conn)
    .await
}

/// Starts as many items as there are free slots on each of the channels, whose lanes must be locked: `queued` becomes
/// `playing` under the lane's next epoch, and a screen must begin before the deadline. Returns them as they are now, those
/// of a channel in the order of play.
pub(in crate::playback) async fn start_next(
    conn: &mut PgConnection,
    channels: &[Uuid],
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = with_chances!(query_as!(
        activations::Row,
        r#", picked as (
               select next.id, chance.channel_id,
                      l.play_epoch + row_number() over (partition by chance.channel_id
                                                        order by next.priority desc, next.turn_at, next.id) as play_epoch
               from chance
               join lanes l on l.channel_id = chance.channel_id
               cross join lateral (
                   select a.id, a.priority, a.turn_at from activations a
                   where a.channel_id = chance.channel_id and a.status = 'queued'
                   order by a.priority desc, a.turn_at, a.id limit chance.free for update of a
               ) next
           ), raised as (
               update lanes l set play_epoch = last.play_epoch
               from (select channel_id, max(play_epoch) as play_epoch from picked group by channel_id) last
               where l.channel_id = last.channel_id
           ), started as (
               update activations a
               set status = 'playing', play_epoch = picked.play_epoch, dispatched_at = app_now(),
                   deadline = app_now() + $3::interval
               from picked where a.id = picked.id
               returning a.*
           )
           select a.id, a.channel_id, c.slug as channel_slug, a.user_id, a.meme_id, a.source, a.status, a.reason,
                  a.price, a.final_price, a.sender_name, a.title, a.type as media_type, a.file_hash, a.duration_ms,
                  a.play_epoch, a.started_at, a.deadline, a.ended_at, a.created_at
           from started a join channels c on c.id = a.channel_id
           order by a.channel_id, a.play_epoch"#,
        channels,
        interval(START_PATIENCE),
    ))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}
