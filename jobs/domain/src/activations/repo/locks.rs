//! Activations locked until the transaction ends.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Activation, Row};

/// The activation, locked until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Activation>, sqlx::Error> {
    Ok(select!("where a.id = $1 for update of a", id).fetch_optional(conn).await?.map(Activation::from))
}

/// The next items of the channel's queue, locked; at most `limit`.
pub(crate) async fn lock_queued(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!(
        "where a.channel_id = $1 and a.status = 'queued'
         order by a.priority desc, a.turn_at, a.id limit $2 for update of a",
        channel,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// What plays now and has not ended, locked, in the order of their starts.
pub(crate) async fn lock_unfinished(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Activation>, sqlx::Error> {
    let rows =
        select!("where a.channel_id = $1 and a.status = 'playing' order by a.play_epoch for update of a", channel)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// The waiting item plays before all others of its channel. The caller has locked it.
pub(crate) async fn move_to_front(conn: &mut PgConnection, activation: &Activation) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update activations a set priority = front.priority, turn_at = front.turn_at - interval '1 microsecond'
         from (select priority, turn_at from activations where channel_id = $2 and status = 'queued'
               order by priority desc, turn_at, id limit 1) front
         where a.id = $1",
        activation.id,
        activation.channel_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What waits and what plays on the channel of this file, or of this person; at most `limit` of what waits.
pub(crate) async fn lock_unwanted(
    conn: &mut PgConnection,
    channel: Uuid,
    file: Option<&str>,
    person: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!(
        "where a.id in ((select id from activations
                         where channel_id = $1 and status = 'playing' and (file_hash = $2 or user_id = $3))
                        union all
                        (select id from activations
                         where channel_id = $1 and status = 'queued' and (file_hash = $2 or user_id = $3)
                         order by priority desc, turn_at, id limit $4))
           and a.status in ('queued', 'playing')
         order by a.id for update of a",
        channel,
        file,
        person,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}

/// What waits on the channel of this meme, at most `limit`.
pub(crate) async fn lock_queued_of(
    conn: &mut PgConnection,
    channel: Uuid,
    meme: Uuid,
    limit: i64,
) -> Result<Vec<Activation>, sqlx::Error> {
    let rows = select!(
        "where a.id in (select id from activations
                        where channel_id = $1 and status = 'queued' and meme_id = $2
                        order by priority desc, turn_at, id limit $3)
           and a.status = 'queued'
         order by a.id for update of a",
        channel,
        meme,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activation::from).collect())
}
