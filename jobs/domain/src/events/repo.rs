//! SQL of the event log.

use std::{collections::BTreeMap, sync::Arc};

use queue::{Database, Tx};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Cursor, Event, NewEvent, Recorded};

/// Records the events, in order, at the end of the caller's transaction, in one statement. Streams are locked in the
/// order of their keys.
///
/// # Errors
/// The database refused; the caller's transaction is aborted.
pub async fn record(tx: &mut Tx, events: Vec<NewEvent>) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let mut recorded: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for NewEvent { stream, audience, name, data } in events {
        let of_stream = recorded.entry(stream.to_string()).or_default();
        let event = Event {
            epoch: 0,
            // Within what is recorded here, from 1.
            seq: i64::try_from(of_stream.len()).unwrap_or(i64::MAX).saturating_add(1),
            audience: audience.0,
            name: name.to_owned(),
            data,
            created_at: OffsetDateTime::UNIX_EPOCH,
        };
        of_stream.push(event);
    }
    let (keys, totals): (Vec<&str>, Vec<i64>) =
        recorded.iter().map(|(key, events)| (key.as_str(), events.last().map_or(0, |event| event.seq))).unzip();
    let each = || {
        let streams = recorded.iter().zip(&totals);
        streams
            .flat_map(|((key, events), total)| events.iter().map(move |event| (key.as_str(), total - event.seq, event)))
    };
    let (streams, backs): (Vec<&str>, Vec<i64>) = each().map(|(key, back, _)| (key, back)).unzip();
    let audiences: Vec<i16> = each().map(|(.., event)| event.audience).collect();
    let (names, data): (Vec<&str>, Vec<&str>) = each().map(|(.., event)| (&*event.name, &*event.data)).unzip();
    let ends = sqlx::query!(
        r#"with stream as (
             insert into event_streams (key, seq)
             select key, total from unnest($1::text[], $2::bigint[]) as grown (key, total) order by key
             on conflict (key) do update set seq = event_streams.seq + excluded.seq
             returning key, epoch, seq
         ), written as (
             insert into events (stream, epoch, seq, audience, name, data)
             select stream.key, stream.epoch, stream.seq - given.back, given.audience, given.name, given.data
             from unnest($3::text[], $4::bigint[], $5::smallint[], $6::text[], $7::text[])
                  as given (stream, back, audience, name, data)
             join stream on stream.key = given.stream
         )
         select key, epoch, seq, app_now() as "now!" from stream"#,
        &keys as &[&str],
        &totals,
        &streams as &[&str],
        &backs,
        &audiences,
        &names as &[&str],
        &data as &[&str],
    )
    .fetch_all(&mut **tx)
    .await?;
    for end in ends {
        let Some(mut events) = recorded.remove(&end.key) else { continue };
        // The stream's row holds the number of the last one.
        let before = end.seq - i64::try_from(events.len()).unwrap_or(i64::MAX);
        for event in &mut events {
            (event.epoch, event.seq, event.created_at) = (end.epoch, before + event.seq, end.now);
        }
        tx.tell(end.key.into(), Arc::new(Recorded(events)));
    }
    Ok(())
}

/// A read-only transaction all of whose statements see the same moment: a head, and the state that goes with it.
///
/// # Errors
/// No connection could be had in time, or the server refused.
pub async fn snapshot(db: &Database) -> Result<Tx, sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    Ok(tx)
}

/// How long events are kept, in hours; who returns later starts again from a snapshot.
const KEPT_HOURS: i32 = 24;

/// Where the stream ends now. A stream that nothing was recorded on ends at [`Cursor::START`].
///
/// # Errors
/// The database refused.
pub async fn head(conn: &mut PgConnection, stream: &str) -> Result<Cursor, sqlx::Error> {
    let row = sqlx::query_as!(Cursor, "select epoch, seq from event_streams where key = $1", stream)
        .fetch_optional(conn)
        .await?;
    Ok(row.unwrap_or(Cursor::START))
}

/// Up to `limit` events after the cursor, of every audience, in order.
///
/// The caller sees whether history is whole: the first event's `seq` is `after.seq + 1` unless what was between has been
/// trimmed, and nothing at all comes when the epoch is another one.
///
/// # Errors
/// The database refused.
pub async fn after(
    conn: &mut PgConnection,
    stream: &str,
    after: Cursor,
    limit: i64,
) -> Result<Vec<Event>, sqlx::Error> {
    sqlx::query_as!(
        Event,
        "select epoch, seq, audience, name, data, created_at
         from events
         where stream = $1 and epoch = $2 and seq > $3
         order by seq
         limit $4",
        stream,
        after.epoch,
        after.seq,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// [`after()`] for many streams in one query: up to `limit` events of each, those of one stream in order.
///
/// # Errors
/// The database refused.
pub async fn after_many(
    conn: &mut PgConnection,
    known: &[(String, Cursor)],
    limit: i64,
) -> Result<Vec<(String, Event)>, sqlx::Error> {
    let (keys, epochs, seqs) = columns(known);
    let rows = sqlx::query!(
        r#"select known.key as "key!", event.epoch, event.seq, event.audience, event.name, event.data, event.created_at
         from unnest($1::text[], $2::bigint[], $3::bigint[]) as known (key, epoch, seq)
         cross join lateral (
             select epoch, seq, audience, name, data, created_at
             from events
             where stream = known.key and events.epoch = known.epoch and events.seq > known.seq
             order by seq
             limit $4
         ) as event"#,
        &keys,
        &epochs,
        &seqs,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let events = rows.into_iter().map(|row| {
        let (epoch, seq, audience) = (row.epoch, row.seq, row.audience);
        (row.key, Event { epoch, seq, audience, name: row.name, data: row.data, created_at: row.created_at })
    });
    Ok(events.collect())
}

/// Which of the streams end elsewhere than known, and where: the proof when a wake-up was lost, and how a change of
/// epoch shows.
///
/// # Errors
/// The database refused.
pub async fn moved(conn: &mut PgConnection, known: &[(String, Cursor)]) -> Result<Vec<(String, Cursor)>, sqlx::Error> {
    let (keys, epochs, seqs) = columns(known);
    let rows = sqlx::query!(
        "select stream.key, stream.epoch, stream.seq
         from unnest($1::text[], $2::bigint[], $3::bigint[]) as known (key, epoch, seq)
         join event_streams as stream on stream.key = known.key
         where (stream.epoch, stream.seq) <> (known.epoch, known.seq)",
        &keys,
        &epochs,
        &seqs,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, Cursor { epoch: row.epoch, seq: row.seq })).collect())
}

/// Removes up to `limit` events that are older than a day; how many went.
///
/// # Errors
/// The database refused.
pub async fn trim(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from events
         where ctid = any (array(
             select ctid from events where created_at < app_now() - make_interval(hours => $1) limit $2
         ))",
        KEPT_HOURS,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Removes the heads of logs of channels that are no more: what was recorded at the very moment of somebody's erasure leaves
/// one, under a name that is nobody's now.
///
/// # Errors
/// The database refused.
pub async fn trim_streams(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from event_streams as stream
         where starts_with(key, 'channel:')
           and not exists (select from channels where slug = substr(stream.key, 9))
           and not exists (select from events where events.stream = stream.key)"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The arrays that `unnest` puts together again.
fn columns(known: &[(String, Cursor)]) -> (Vec<String>, Vec<i64>, Vec<i64>) {
    let keys = known.iter().map(|(key, _)| key.clone()).collect();
    let epochs = known.iter().map(|(_, cursor)| cursor.epoch).collect();
    let seqs = known.iter().map(|(_, cursor)| cursor.seq).collect();
    (keys, epochs, seqs)
}
