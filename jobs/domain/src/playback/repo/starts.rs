//! Starting items, for many channels at once.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Look, START_PATIENCE, interval};
use crate::{
    activations::{self, Activation},
    playback::SCREEN_STALE,
};

/// A channel's lane after an advance has looked at it.
#[derive(Debug)]
pub(in crate::playback) struct Lane {
    /// As it stands now, with what was started; `queued` is counted only where `told`.
    pub(in crate::playback) look: Look,
    /// What was started, in the order of play, as it is now.
    pub(in crate::playback) started: Vec<Activation>,
    /// No screen is connected: patience is short.
    pub(in crate::playback) screenless: bool,
    /// And shorter than usual: the channel lets nothing wait for one.
    pub(in crate::playback) hasty: bool,
    /// Something waits that was not started.
    pub(in crate::playback) waits: bool,
    /// Items that played before.
    pub(in crate::playback) playing: i64,
    /// Its state may be told now, as it was not for a while; it counts as told.
    pub(in crate::playback) told: bool,
    /// Something may start, but somebody changed the lane while its lock was waited for. Nothing was done; the lane is
    /// locked, so another look sees the truth.
    pub(in crate::playback) stale: bool,
}

/// Starts as many items as there are free slots on each of the channels, apart for what overlaps and what does not: `queued` becomes `playing` under the lane's next
/// epoch, and a screen must begin before the deadline. None starts while playback is paused or no screen is there. Lanes
/// where something may start are locked, in the order of the channels' ids; the others are not waited for.
///
/// One statement has one snapshot, and what it saw may have changed while it waited for a lane's lock. Whoever changes what
/// is decided by (a start, a pause, the last screen's leave) writes the lane's row under that lock, so a row of another
/// version than the one seen tells it: see [`Lane::stale`].
pub(in crate::playback) async fn start(
    conn: &mut PgConnection,
    channels: &[Uuid],
    announce_every: Duration,
) -> Result<Vec<Lane>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with seen as materialized (
               select c.id as channel_id, c.slug, c.playback_paused_at is not null as paused,
                      c.intake_paused_at is not null as intake_paused, l.screenless_since is not null as screenless,
                      c.when_no_overlay = 'expire' as hasty,
                      l.xmin as version, l.announced_at <= app_now() - $4::interval as due,
                      case c.overlay_mode when 'simultaneous' then c.overlay_max_concurrent else 1 end as slots,
                      c.overlay_max_overlapping as more_slots,
                      (select count(*) from screens s
                       where s.channel_id = c.id and s.seen_at > app_now() - $2::interval) as screens,
                      now.playing, now.overlapping,
                      -- One more than there ever are slots. Counted in the order of play, which only the index that begins with
                      -- the channel has: another would be walked over everything that waits anywhere.
                      (select count(*) from (select from activations a
                                             where a.channel_id = c.id and a.status = 'queued' and not a.is_overlapping
                                             order by a.priority desc, a.turn_at, a.id limit 6) w) as waiting,
                      (select count(*) from (select from activations a
                                             where a.channel_id = c.id and a.status = 'queued' and a.is_overlapping
                                             order by a.priority desc, a.turn_at, a.id limit 6) w) as more_waiting
               from channels c join lanes l on l.channel_id = c.id
               cross join lateral (
                   select count(*) filter (where not a.is_overlapping) as playing, count(*) filter (where a.is_overlapping) as overlapping
                   from activations a where a.channel_id = c.id and a.status = 'playing'
               ) now
               where c.id = any($1)
           ), chance as (
               select *, case when paused or screens = 0 or waiting = 0 then 0 else greatest(0, slots - playing) end as free,
                      case when paused or screens = 0 or more_waiting = 0 then 0
                           else greatest(0, more_slots - overlapping) end as more_free
               from seen
           ), open as (
               select l.channel_id, l.play_epoch, l.xmin = chance.version as fresh
               from lanes l join chance on chance.channel_id = l.channel_id
               where chance.free + chance.more_free > 0
               order by l.channel_id
               for update of l
           ), quiet as (
               select l.channel_id, l.xmin = chance.version as fresh
               from lanes l join chance on chance.channel_id = l.channel_id
               where chance.free + chance.more_free = 0 and chance.due
               order by l.channel_id
               for no key update of l skip locked
           ), told as (
               select chance.channel_id from chance join open on open.channel_id = chance.channel_id
               where open.fresh and chance.due
               union all
               select channel_id from quiet where fresh
           ), picked as (
               select next.id, chance.channel_id,
                      open.play_epoch + row_number() over (partition by chance.channel_id
                                                           order by next.priority desc, next.turn_at, next.id) as play_epoch
               from chance join open on open.channel_id = chance.channel_id and open.fresh
               cross join lateral (
                   select * from (
                       select a.id, a.priority, a.turn_at from activations a
                       where a.channel_id = chance.channel_id and a.status = 'queued' and not a.is_overlapping
                       order by a.priority desc, a.turn_at, a.id limit chance.free for update of a
                   ) after
                   union all
                   select * from (
                       select a.id, a.priority, a.turn_at from activations a
                       where a.channel_id = chance.channel_id and a.status = 'queued' and a.is_overlapping
                       order by a.priority desc, a.turn_at, a.id limit chance.more_free for update of a
                   ) beside
               ) next
           ), written as (
               update lanes l
               set play_epoch = greatest(l.play_epoch, touched.play_epoch),
                   announced_at = case when touched.told then app_now() else l.announced_at end
               from (select chance.channel_id, told.channel_id is not null as told,
                            (select max(p.play_epoch) from picked p where p.channel_id = chance.channel_id) as play_epoch
                     from chance left join told on told.channel_id = chance.channel_id) touched
               where l.channel_id = touched.channel_id and (touched.told or touched.play_epoch is not null)
           ), started as (
               update activations a
               set status = 'playing', play_epoch = picked.play_epoch, dispatched_at = app_now(),
                   deadline = app_now() + $3::interval
               from picked where a.id = picked.id
               returning a.*
           )
           select chance.channel_id as "channel_id!", chance.slug as "slug!", chance.paused as "paused!",
                  chance.intake_paused as "intake_paused!", chance.screenless as "screenless!", chance.hasty as "hasty!", chance.screens as "screens!",
                  chance.playing + chance.overlapping as "playing!", chance.waiting + chance.more_waiting as "waiting!",
                  coalesce(not open.fresh, false) as "stale!", told.channel_id is not null as "told!",
                  case when told.channel_id is null then 0
                       else (select count(*) from (select from activations q
                                                   where q.channel_id = chance.channel_id and q.status = 'queued'
                                                   order by q.priority desc, q.turn_at, q.id) w) end as "queued!",
                  a.id as "id?", a.user_id as "user_id?", a.meme_id as "meme_id?", a.source as "source?",
                  a.status as "status?", a.reason, a.price as "price?", a.final_price as "final_price?",
                  a.sender_name as "sender_name?", a.title as "title?", a.type as "media_type?", a.file_hash as "file_hash?",
                  a.duration_ms as "duration_ms?", a.volume as "volume?", a.is_overlapping as "is_overlapping?", a.gain_db, a.play_epoch as "play_epoch?", a.started_at, a.deadline, a.ended_at,
                  a.created_at as "created_at?"
           from chance
           left join open on open.channel_id = chance.channel_id
           left join told on told.channel_id = chance.channel_id
           left join started a on a.channel_id = chance.channel_id
           order by chance.channel_id, a.play_epoch"#,
        channels,
        interval(SCREEN_STALE),
        interval(START_PATIENCE),
        interval(announce_every),
    )
    .fetch_all(conn)
    .await?;
    let mut lanes: Vec<Lane> = Vec::new();
    for row in rows {
        if lanes.last().is_none_or(|lane| lane.look.channel_id != row.channel_id) {
            lanes.push(Lane {
                look: Look {
                    channel_id: row.channel_id,
                    slug: row.slug.clone(),
                    queued: row.queued,
                    paused: row.paused,
                    intake_paused: row.intake_paused,
                    screens: row.screens,
                },
                started: Vec::new(),
                screenless: row.screenless,
                hasty: row.hasty,
                waits: row.waiting > 0,
                playing: row.playing,
                told: row.told,
                stale: row.stale,
            });
        }
        let activation = || {
            Some(activations::Row {
                id: row.id?,
                channel_id: row.channel_id,
                channel_slug: row.slug,
                user_id: row.user_id?,
                meme_id: row.meme_id?,
                source: row.source?,
                status: row.status?,
                reason: row.reason,
                price: row.price?,
                final_price: row.final_price?,
                sender_name: row.sender_name?,
                title: row.title?,
                media_type: row.media_type?,
                file_hash: row.file_hash?,
                duration_ms: row.duration_ms?,
                volume: row.volume?,
                is_overlapping: row.is_overlapping?,
                gain_db: row.gain_db,
                play_epoch: row.play_epoch?,
                started_at: row.started_at,
                deadline: row.deadline,
                ended_at: row.ended_at,
                created_at: row.created_at?,
            })
        };
        if let (Some(activation), Some(lane)) = (activation(), lanes.last_mut()) {
            lane.started.push(activation.into());
            lane.waits = row.waiting > i64::try_from(lane.started.len()).unwrap_or(i64::MAX);
            // The count has the same snapshot as all else: from before the start.
            lane.look.queued = (lane.look.queued - 1).max(0);
        }
    }
    Ok(lanes)
}
