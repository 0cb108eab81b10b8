//! SQL of where waiting activations stand.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Row, find_of_viewer};
use crate::activations::{Activation, Place, Queued, Status};

/// The waiting items in the order of play, with their places.
///
/// # Errors
/// The database refused.
pub async fn list_queued(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Queued>, sqlx::Error> {
    // All that waits is gone through, as the time until an item starts is the length of those before it.
    let places = sqlx::query!(
        r#"with lane as (
               select c.playback_paused_at is null
                          and coalesce((select l.screenless_since is null from lanes l where l.channel_id = c.id), false)
                          as moves,
                      case c.overlay_mode when 'simultaneous' then c.overlay_max_concurrent else 1 end as slots,
                      c.overlay_max_overlapping as more_slots,
                      left_ms.after, left_ms.beside
               from channels c
               cross join lateral (
                   select coalesce(sum(p.ms) filter (where not p.is_overlapping), 0) as after,
                          coalesce(sum(p.ms) filter (where p.is_overlapping), 0) as beside
                   from (select a.is_overlapping,
                                greatest(0, a.duration_ms
                                            - coalesce(extract(epoch from app_now() - a.started_at) * 1000, 0)) as ms
                         from activations a where a.channel_id = c.id and a.status = 'playing') p
               ) left_ms
               where c.id = $1
           ), waits as (
               select a.id, a.priority, a.is_overlapping,
                      row_number() over (order by a.priority desc, a.turn_at, a.id) as position,
                      sum(a.duration_ms) over (partition by a.is_overlapping order by a.priority desc, a.turn_at, a.id)
                          - a.duration_ms as before_ms
               from activations a where a.channel_id = $1 and a.status = 'queued'
               order by a.priority desc, a.turn_at, a.id
           )
           select w.id, w.priority, w.position as "position!",
                  case when lane.moves and w.is_overlapping then (w.before_ms + lane.beside) / lane.more_slots
                       when lane.moves then (w.before_ms + lane.after) / lane.slots end::bigint as eta_ms
           from waits w cross join lane order by w.position limit $2 offset $3"#,
        channel,
        limit,
        offset,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = places.iter().map(|place| place.id).collect();
    let rows = select!("where a.id = any($1)", &ids).fetch_all(conn).await?;
    let mut found: HashMap<Uuid, Activation> = rows.into_iter().map(|row| (row.id, row.into())).collect();
    let queued = places.into_iter().filter_map(|row| {
        let place = Place { position: row.position, eta_ms: row.eta_ms };
        // One that has started between the two questions waits no more.
        let activation = found.remove(&row.id).filter(|activation| activation.status == Status::Queued)?;
        Some(Queued { activation, priority: row.priority, place })
    });
    Ok(queued.collect())
}

/// Where the viewer's activation stands.
#[derive(Debug, Clone)]
pub struct ViewerState {
    pub activation: Activation,
    /// While it waits.
    pub place: Option<Place>,
}

/// The viewer's own activation with its place in the queue.
///
/// # Errors
/// The database refused.
pub async fn viewer_state(conn: &mut PgConnection, viewer: Uuid, id: Uuid) -> Result<Option<ViewerState>, sqlx::Error> {
    let Some(activation) = find_of_viewer(&mut *conn, viewer, id).await? else { return Ok(None) };
    if activation.status != Status::Queued {
        return Ok(Some(ViewerState { activation, place: None }));
    }
    let row = sqlx::query!(
        r#"select count(ahead.id) as "ahead!", coalesce(sum(ahead.duration_ms), 0)::bigint as "ahead_ms!",
                  c.playback_paused_at is not null as "paused!",
                  coalesce((select l.screenless_since is not null from lanes l where l.channel_id = c.id), true)
                      as "screenless!",
                  case when a.is_overlapping then c.overlay_max_overlapping when c.overlay_mode = 'simultaneous'
                       then c.overlay_max_concurrent else 1 end as "slots!",
                  (select coalesce(sum(greatest(0, p.duration_ms
                       - coalesce(extract(epoch from app_now() - p.started_at) * 1000, 0))), 0)::bigint
                   from activations p where p.channel_id = c.id and p.status = 'playing' and p.is_overlapping = a.is_overlapping) as "playing_ms!"
           from activations a
           join channels c on c.id = a.channel_id
           left join activations ahead
               on ahead.channel_id = a.channel_id and ahead.status = 'queued' and ahead.id <> a.id
              and ahead.is_overlapping = a.is_overlapping
              and (ahead.priority > a.priority
                   or (ahead.priority = a.priority and (ahead.turn_at, ahead.id) < (a.turn_at, a.id)))
           where a.id = $1
           group by a.id, c.id"#,
        id
    )
    .fetch_one(conn)
    .await?;
    let eta_ms = (row.ahead_ms + row.playing_ms) / i64::from(row.slots.max(1));
    let place = Place { position: row.ahead + 1, eta_ms: (!row.paused && !row.screenless).then_some(eta_ms) };
    Ok(Some(ViewerState { activation, place: Some(place) }))
}
