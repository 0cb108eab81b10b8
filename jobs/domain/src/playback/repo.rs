//! SQL of playback: lanes, screens and clocks.

mod starts;
mod unwanted;

use std::{collections::HashMap, time::Duration};

use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{
    CLOCK_LATE, END_PATIENCE, Overdue, PlayView, QUEUE_PATIENCE, RELOAD_PATIENCE, Report, SCREEN_PATIENCE,
    SCREEN_STALE, START_PATIENCE, ScreenKind,
};
use crate::activations::{self, Activation, Reason};

pub(super) use starts::{Lane, start};
pub(super) use unwanted::{channel_of_deleted, channels_of_banned, channels_of_hidden};

fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}

/// A channel's queue in figures, as of one snapshot.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) channel_id: Uuid,
    pub(super) slug: String,
    pub(super) queued: i64,
    pub(super) paused: bool,
    pub(super) intake_paused: bool,
    pub(super) screens: i64,
}

/// How the channels' queues stand; unknown channels are left out.
pub(super) async fn look(conn: &mut PgConnection, channels: &[Uuid]) -> Result<Vec<Look>, sqlx::Error> {
    sqlx::query_as!(
        Look,
        r#"select c.id as channel_id, c.slug,
                  -- Sorted for the sake of the index: see `start`.
                  (select count(*) from (select from activations a where a.channel_id = c.id and a.status = 'queued'
                                         order by a.priority desc, a.turn_at, a.id) w) as "queued!",
                  c.playback_paused_at is not null as "paused!",
                  c.intake_paused_at is not null as "intake_paused!",
                  (select count(*) from screens s
                   where s.channel_id = c.id and s.seen_at > app_now() - $2::interval) as "screens!"
           from channels c where c.id = any($1)"#,
        channels,
        interval(SCREEN_STALE),
    )
    .fetch_all(conn)
    .await
}

/// Locks the channel's lane and says which play was the last.
pub(super) async fn lock_lane(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("select play_epoch from lanes where channel_id = $1 for update", channel).fetch_one(conn).await
}

/// The first screen began: the clock runs, and the play must end with its length.
pub(super) async fn begin_clock(conn: &mut PgConnection, activation: &Activation) -> Result<Activation, sqlx::Error> {
    let row = sqlx::query!(
        "update activations
         set started_at = app_now(), deadline = app_now() + make_interval(secs => duration_ms / 1000.0) + $2::interval
         where id = $1
         returning started_at, deadline",
        activation.id,
        interval(END_PATIENCE),
    )
    .fetch_one(conn)
    .await?;
    Ok(Activation { started_at: row.started_at, deadline: row.deadline, ..activation.clone() })
}

/// What a screen's word is worth.
pub(super) struct Heard {
    /// It is an OBS screen, or none is connected.
    pub(super) decides: bool,
    /// Another screen shows the item, or is connected and has not said that it cannot.
    pub(super) another_may_show: bool,
    /// The deadline has not passed; a pause stops that clock.
    pub(super) in_time: bool,
}

/// Keeps a screen's word. Clients without an id of their own are one screen, under the channel's id.
pub(super) async fn report(
    conn: &mut PgConnection,
    activation: &Activation,
    report: &Report,
) -> Result<Heard, sqlx::Error> {
    let screen = report.screen_id.unwrap_or(activation.channel_id);
    // The rows that the statement itself writes are not among those that it reads; the others' words are what counts.
    sqlx::query_as!(
        Heard,
        r#"with kept as (
               insert into screen_reports (activation_id, play_epoch, screen_id, state) values ($2, $3, $4, $6)
               on conflict (activation_id, play_epoch, screen_id)
               do update set state = excluded.state, reported_at = app_now()
           ), live as (
               select id, kind from screens where channel_id = $1 and seen_at > app_now() - $5::interval
           ), said as (
               select screen_id, state from screen_reports
               where activation_id = $2 and play_epoch = $3 and screen_id <> $4
           )
           select (exists (select from live where id = $4 and kind = 'obs')
                   or not exists (select from live where kind = 'obs')) as "decides!",
                  exists (select from said where state in ('started', 'done'))
                  or exists (select from live
                             where id <> $4 and id not in (select screen_id from said where state = 'failed')
                               and (kind = 'obs' or not exists (select from live where kind = 'obs')))
                      as "another_may_show!",
                  coalesce(coalesce(c.playback_paused_at, app_now()) <= a.deadline, true) as "in_time!"
           from activations a join channels c on c.id = a.channel_id where a.id = $2"#,
        activation.channel_id,
        activation.id,
        activation.play_epoch,
        screen,
        interval(SCREEN_STALE),
        report.state.as_str(),
    )
    .fetch_one(conn)
    .await
}

/// Forgets up to 1000 words of screens about plays that have ended, a day after they were said.
pub(super) async fn trim_reports(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from screen_reports
         where ctid = any (array(
             select r.ctid from screen_reports r join activations a on a.id = r.activation_id
             where r.reported_at < app_now() - interval '1 day' and a.ended_at is not null limit 1000
         ))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What plays on the channels, by channel, with elapsed times; a pause stops that clock.
pub(super) async fn playing(
    conn: &mut PgConnection,
    channels: &[Uuid],
) -> Result<HashMap<Uuid, Vec<PlayView>>, sqlx::Error> {
    let elapsed: HashMap<Uuid, i64> = sqlx::query!(
        r#"select a.id as "id!",
                  greatest(0, coalesce(extract(epoch from coalesce(c.playback_paused_at, app_now()) - a.started_at) * 1000,
                                       0))::bigint as "elapsed_ms!"
           from activations a join channels c on c.id = a.channel_id
           where a.channel_id = any($1) and a.status = 'playing'"#,
        channels
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|row| (row.id, row.elapsed_ms))
    .collect();
    if elapsed.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = elapsed.keys().copied().collect();
    let mut playing: HashMap<Uuid, Vec<PlayView>> = HashMap::new();
    for activation in activations::find_playing(conn, &ids).await? {
        let elapsed_ms = elapsed.get(&activation.id).copied().unwrap_or_default();
        playing.entry(activation.channel_id).or_default().push(PlayView::new(&activation, elapsed_ms));
    }
    Ok(playing)
}

/// Whether the play is past its deadline; a pause stops the clock.
pub(super) async fn overdue(
    conn: &mut PgConnection,
    activation: Uuid,
    play_epoch: i64,
) -> Result<Overdue, sqlx::Error> {
    let row = sqlx::query!(
        r#"select c.playback_paused_at is not null as "paused!",
                  coalesce(extract(epoch from a.deadline - app_now()), 0)::float8 as "left!"
           from activations a join channels c on c.id = a.channel_id
           where a.id = $1 and a.status = 'playing' and a.play_epoch = $2"#,
        activation,
        play_epoch,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        None => Overdue::Over,
        Some(row) if row.paused => Overdue::NotYet(START_PATIENCE),
        Some(row) if row.left > 0.0 => Overdue::NotYet(Duration::from_secs_f64(row.left)),
        Some(_) => Overdue::Now,
    })
}

/// Time until the channel's first waiting item loses patience; none when nothing waits.
pub(super) async fn patience_left(conn: &mut PgConnection, channel: Uuid) -> Result<Option<Duration>, sqlx::Error> {
    let left = sqlx::query_scalar!(
        "select extract(epoch from min(least(
                    a.waits_from + $2::interval,
                    case when l.screenless_since is not null
                         then greatest(a.waits_from, l.screenless_since)
                              + case c.when_no_overlay when 'expire' then $4::interval else $3::interval end end)) - app_now())::float8
         from activations a join lanes l on l.channel_id = a.channel_id join channels c on c.id = a.channel_id
         where a.channel_id = $1 and a.status = 'queued'",
        channel,
        interval(QUEUE_PATIENCE),
        interval(SCREEN_PATIENCE),
        interval(RELOAD_PATIENCE),
    )
    .fetch_one(conn)
    .await?;
    Ok(left.map(|left| Duration::from_secs_f64(left.max(0.0))))
}

/// Of the channels, those whose queue may be told of now, because it was not for as long as `every`; they count as told.
/// Their lanes stay locked until the transaction ends, so that nobody tells an older state after a newer one; a lane that
/// somebody else has locked is left out.
pub(super) async fn take_word(
    conn: &mut PgConnection,
    channels: &[Uuid],
    every: Duration,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "update lanes l set announced_at = app_now()
         from (select channel_id from lanes
               where channel_id = any($1) and announced_at <= app_now() - $2::interval
               order by channel_id
               for no key update skip locked) due
         where l.channel_id = due.channel_id
         returning l.channel_id",
        channels,
        interval(every),
    )
    .fetch_all(conn)
    .await
}

/// Waiting items past their patience, by reason; at most 500.
pub(super) async fn impatient(conn: &mut PgConnection, channel: Uuid) -> Result<[(Reason, Vec<Uuid>); 2], sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id, a.waits_from + $2::interval <= app_now() as "too_long!"
           from activations a join lanes l on l.channel_id = a.channel_id join channels c on c.id = a.channel_id
           where a.channel_id = $1 and a.status = 'queued'
             and (a.waits_from + $2::interval <= app_now()
                  or greatest(a.waits_from, l.screenless_since)
                     + case c.when_no_overlay when 'expire' then $4::interval else $3::interval end <= app_now()
                     and l.screenless_since is not null)
           order by a.id limit 500"#,
        channel,
        interval(QUEUE_PATIENCE),
        interval(SCREEN_PATIENCE),
        interval(RELOAD_PATIENCE),
    )
    .fetch_all(conn)
    .await?;
    let (too_long, no_screen): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.too_long);
    let ids = |rows: Vec<_>, id: fn(_) -> Uuid| rows.into_iter().map(id).collect();
    Ok([(Reason::WaitedTooLong, ids(too_long, |row| row.id)), (Reason::NoScreen, ids(no_screen, |row| row.id))])
}

/// Plays that their clock should have ended long ago, with their epochs; at most 500.
pub(super) async fn plays_without_clock(conn: &mut PgConnection) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select a.id, a.play_epoch
         from activations a join channels c on c.id = a.channel_id
         where a.status = 'playing' and c.playback_paused_at is null and a.deadline <= app_now() - $1::interval
         order by a.id limit 500",
        interval(CLOCK_LATE),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.play_epoch)).collect())
}

/// Channels that are closed and have something that waits or plays, which was placed while they closed; at most 500.
pub(super) async fn closed_with_something(conn: &mut PgConnection) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select c.id from channels c join users owner on owner.id = c.owner_id
         where (owner.banned_at is not null or owner.role = 'viewer')
           and (exists (select from activations a where a.channel_id = c.id and a.status = 'queued')
                or exists (select from activations a where a.channel_id = c.id and a.status = 'playing'))
         order by c.id limit 500"
    )
    .fetch_all(conn)
    .await
}

/// Channels where something waits beyond its patience, although a clock should have ended that; at most 500.
pub(super) async fn queues_without_clock(conn: &mut PgConnection) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select distinct a.channel_id
         from activations a join lanes l on l.channel_id = a.channel_id join channels c on c.id = a.channel_id
         where a.status = 'queued' and c.playback_paused_at is null
           and (a.waits_from + $1::interval <= app_now() - $3::interval
                or greatest(a.waits_from, l.screenless_since) + $2::interval <= app_now() - $3::interval
                   and l.screenless_since is not null)
         order by a.channel_id limit 500",
        interval(QUEUE_PATIENCE),
        interval(SCREEN_PATIENCE),
        interval(CLOCK_LATE),
    )
    .fetch_all(conn)
    .await
}

/// Whether playback is held; nobody changes that until the end of the transaction.
pub(super) async fn is_paused(conn: &mut PgConnection, channel: Uuid) -> Result<bool, sqlx::Error> {
    let paused = sqlx::query_scalar!(
        r#"select playback_paused_at is not null as "paused!" from channels where id = $1 for no key update"#,
        channel
    );
    Ok(paused.fetch_optional(conn).await?.unwrap_or(false))
}

/// Stops the channel's clocks; keeps the time of the first pause. The lane gets a new version, so that an advance which
/// looked before and waits for its lock looks again.
pub(super) async fn pause(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update lanes set announced_at = '-infinity' where channel_id = $1", channel)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "update channels set playback_paused_at = coalesce(playback_paused_at, app_now()) where id = $1",
        channel
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves every clock of the channel by the length of the pause, counted for each from the later of its own start and the
/// pause's, and ends the pause.
pub(super) async fn resume(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update activations a
         set started_at = a.started_at + (app_now() - greatest(c.playback_paused_at, a.started_at)),
             deadline = a.deadline + (app_now() - greatest(c.playback_paused_at, a.started_at, a.dispatched_at)),
             waits_from = a.waits_from + (app_now() - greatest(c.playback_paused_at, a.waits_from))
         from channels c
         where c.id = $1 and c.playback_paused_at is not null
           and a.channel_id = c.id and a.status in ('queued', 'playing')",
        channel
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update lanes l
         set screenless_since = l.screenless_since + (app_now() - greatest(c.playback_paused_at, l.screenless_since))
         from channels c where c.id = $1 and l.channel_id = c.id and c.playback_paused_at is not null",
        channel
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update channels set playback_paused_at = null where id = $1", channel).execute(conn).await?;
    Ok(())
}

/// A screen is there; patience stops counting.
pub(super) async fn insert_screen(
    conn: &mut PgConnection,
    channel: Uuid,
    screen: Uuid,
    kind: ScreenKind,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update lanes set screenless_since = null where channel_id = $1", channel).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into screens (id, channel_id, kind) values ($1, $2, $3)
         on conflict (channel_id, id) do update set kind = excluded.kind, seen_at = app_now()",
        screen,
        channel,
        kind.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A screen is gone; after the last one, patience counts from now. The lane's lock makes "last" true.
pub(super) async fn delete_screen(conn: &mut PgConnection, channel: Uuid, screen: Uuid) -> Result<(), sqlx::Error> {
    lock_lane(&mut *conn, channel).await?;
    sqlx::query!("delete from screens where channel_id = $1 and id = $2", channel, screen).execute(&mut *conn).await?;
    sqlx::query!(
        "update lanes set screenless_since = coalesce(screenless_since, app_now())
         where channel_id = $1 and not exists (select from screens where channel_id = $1)",
        channel
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Only those that still count: one that an advance may have taken for gone is let in again, which wakes its queue.
pub(super) async fn renew_screens(
    conn: &mut PgConnection,
    screens: &[(Uuid, Uuid)],
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let (channels, ids): (Vec<Uuid>, Vec<Uuid>) = screens.iter().copied().unzip();
    let rows = sqlx::query!(
        "update screens set seen_at = app_now()
         where (channel_id, id) in (select * from unnest($1::uuid[], $2::uuid[])) and seen_at > app_now() - $3::interval
         returning channel_id, id",
        &channels,
        &ids,
        interval(SCREEN_STALE),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.id)).collect())
}

/// Screens that were not seen for long, with their channels, in the order of the channels.
pub(super) async fn stale_screens(conn: &mut PgConnection) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select channel_id, id from screens where seen_at <= app_now() - $1::interval order by channel_id, id limit 500",
        interval(SCREEN_STALE),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.id)).collect())
}
