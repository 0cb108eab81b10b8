//! SQL of credits.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Amount, Chatter, CreditsConfig, CreditsState, Donor, Seen, Sighting};
use crate::outbox::Provider;

/// Names of one kind that the state holds at most: the event stays small enough for every subscriber.
const MAX_NAMES: i64 = 2_000;

/// A session under its row lock.
pub(super) struct Session {
    pub(super) slug: String,
    /// Seconds since the last `credits:state`.
    pub(super) published_ago: Option<f64>,
}

/// The channel's present session, begun if there was none.
pub(super) async fn session(conn: &mut PgConnection, channel_id: Uuid) -> Result<Uuid, sqlx::Error> {
    // Shared with other writers of the session; excludes a reset, so that nobody writes into a session that is over.
    let found =
        sqlx::query_scalar!("select session_id from credits_sessions where channel_id = $1 for share", channel_id)
            .fetch_optional(&mut *conn)
            .await?;
    if let Some(session) = found {
        return Ok(session);
    }
    sqlx::query_scalar!(
        "insert into credits_sessions as old (channel_id, session_id) values ($1, $2)
         on conflict (channel_id) do update set session_id = old.session_id
         returning session_id",
        channel_id,
        Uuid::now_v7(),
    )
    .fetch_one(conn)
    .await
}

/// The channel's present session, if it has one, which nobody else can end until the transaction does.
pub(super) async fn lock_session_id(conn: &mut PgConnection, channel_id: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select session_id from credits_sessions where channel_id = $1 for no key update", channel_id)
        .fetch_optional(conn)
        .await
}

pub(super) async fn new_session(conn: &mut PgConnection, channel_id: Uuid, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into credits_sessions (channel_id, session_id) values ($1, $2)
         on conflict (channel_id) do update set session_id = excluded.session_id, started_at = app_now()",
        channel_id,
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn lock_session(conn: &mut PgConnection, channel_id: Uuid) -> Result<Option<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        r#"select c.slug, extract(epoch from app_now() - s.published_at)::float8 as published_ago
           from credits_sessions s join channels c on c.id = s.channel_id
           where s.channel_id = $1 for no key update of s"#,
        channel_id,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn set_published(conn: &mut PgConnection, channel_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update credits_sessions set published_at = app_now() where channel_id = $1", channel_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The ids of those who are new in their channel's session.
pub(super) async fn insert_sightings(
    conn: &mut PgConnection,
    platform: Provider,
    seen: &[Seen],
) -> Result<Vec<Uuid>, sqlx::Error> {
    // One row a person, by the order of the keys: two batches cannot wait for each other in a circle.
    let mut people: Vec<&Seen> = seen.iter().collect();
    people.sort_by_key(|seen| (seen.channel_id, seen.user_id.as_str()));
    people.dedup_by_key(|seen| (seen.channel_id, seen.user_id.as_str()));
    let mut channels: Vec<Uuid> = people.iter().map(|seen| seen.channel_id).collect();
    channels.dedup();
    let mut sessions = std::collections::HashMap::new();
    for channel in channels {
        sessions.insert(channel, session(&mut *conn, channel).await?);
    }
    let ids: Vec<Uuid> = people.iter().map(|_| Uuid::now_v7()).collect();
    let channels: Vec<Uuid> = people.iter().map(|seen| seen.channel_id).collect();
    let sessions: Vec<Uuid> = people.iter().filter_map(|seen| sessions.get(&seen.channel_id).copied()).collect();
    let users: Vec<String> = people.iter().map(|seen| seen.user_id.clone()).collect();
    let names: Vec<String> = people.iter().map(|seen| seen.display_name.clone()).collect();
    sqlx::query_scalar!(
        "insert into credits_sightings (id, channel_id, session_id, platform, user_id, display_name)
         select s.id, s.channel_id, s.session_id, $1, s.user_id, s.display_name
         from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
              s (id, channel_id, session_id, user_id, display_name)
         on conflict (session_id, platform, user_id) do nothing
         returning id",
        platform.as_str(),
        &ids,
        &channels,
        &sessions,
        &users,
        &names,
    )
    .fetch_all(conn)
    .await
}

/// The sighting, as it is told to a target.
///
/// # Errors
/// The database refused.
pub async fn sighting(conn: &mut PgConnection, id: Uuid) -> Result<Option<Sighting>, sqlx::Error> {
    sqlx::query_as!(
        Sighting,
        r#"select s.id, c.slug as channel_slug, s.platform || ':' || s.user_id as "user_id!", s.display_name, s.avatar_url
           from credits_sightings s join channels c on c.id = s.channel_id
           where s.id = $1"#,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Whether the event is new; then it is noted.
pub(super) async fn insert_event(conn: &mut PgConnection, event_id: &str) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!("insert into credits_events (event_id) values ($1) on conflict do nothing", event_id)
        .execute(conn)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn delete_old_events(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!("delete from credits_events where received_at < app_now() - interval '7 days'")
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected())
}

/// Whether the chatter is new in the session.
pub(super) async fn insert_chatter(
    conn: &mut PgConnection,
    session: Uuid,
    channel_id: Uuid,
    user_id: &str,
    name: &str,
    avatar_url: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into credits_chatters (session_id, user_id, channel_id, name, avatar_url)
         values ($1, $2, $3, $4, $5)
         on conflict (session_id, user_id) do nothing",
        session,
        user_id,
        channel_id,
        name,
        avatar_url,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn add_donation(
    conn: &mut PgConnection,
    session: Uuid,
    channel_id: Uuid,
    name: &str,
    currency: &str,
    amount: Amount,
    avatar_url: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into credits_donors as old (session_id, name, currency, channel_id, amount_hundredths, avatar_url)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (session_id, name, currency) do update
         set amount_hundredths = old.amount_hundredths + excluded.amount_hundredths,
             avatar_url = coalesce(excluded.avatar_url, old.avatar_url)",
        session,
        name,
        currency,
        channel_id,
        amount.hundredths(),
        avatar_url,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The credits as they are now: `credits:state`.
///
/// # Errors
/// The database refused.
pub async fn state(conn: &mut PgConnection, channel_id: Uuid) -> Result<CreditsState, sqlx::Error> {
    let chatters = sqlx::query_as!(
        Chatter,
        "select p.name, p.avatar_url
         from credits_sessions s join credits_chatters p on p.session_id = s.session_id
         where s.channel_id = $1
           -- Nobody thanks who was banned since.
           and not exists (select from chat_removals r
                           where r.channel_id = s.channel_id and r.platform = split_part(p.user_id, ':', 1)
                             and r.scope = 'author' and r.subject = substr(p.user_id, strpos(p.user_id, ':') + 1)
                             and r.banned and r.until >= p.seen_at)
         order by p.seen_at, p.user_id limit $2",
        channel_id,
        MAX_NAMES,
    )
    .fetch_all(&mut *conn)
    .await?;
    let donors = sqlx::query!(
        "select d.name, d.currency, d.amount_hundredths, d.avatar_url
         from credits_sessions s join credits_donors d on d.session_id = s.session_id
         where s.channel_id = $1 order by d.seen_at, d.name, d.currency limit $2",
        channel_id,
        MAX_NAMES,
    )
    .fetch_all(conn)
    .await?;
    let donors = donors.into_iter().map(|row| Donor {
        name: row.name,
        amount: Amount::from_hundredths(row.amount_hundredths),
        currency: row.currency,
        avatar_url: row.avatar_url,
    });
    Ok(CreditsState { chatters, donors: donors.collect() })
}

/// How the overlay shall look: `credits:config`.
///
/// # Errors
/// The database refused, or there is no such channel.
pub async fn config(conn: &mut PgConnection, channel_id: Uuid) -> Result<CreditsConfig, sqlx::Error> {
    sqlx::query_as!(CreditsConfig, "select credits_style_json from channels where id = $1", channel_id)
        .fetch_one(conn)
        .await
}

pub(super) async fn set_style(
    conn: &mut PgConnection,
    channel_id: Uuid,
    style: Option<&str>,
) -> Result<(), sqlx::Error> {
    let affected = sqlx::query!("update channels set credits_style_json = $2 where id = $1", channel_id, style)
        .execute(conn)
        .await?
        .rows_affected();
    if affected == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

pub(super) async fn raise_token(conn: &mut PgConnection, channel_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update channels set credits_token_version = credits_token_version + 1 where id = $1", channel_id)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn delete_sightings(conn: &mut PgConnection, session: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from credits_sightings
         where ctid = any (array(select ctid from credits_sightings where session_id = $1 limit $2))",
        session,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn delete_chatters(conn: &mut PgConnection, session: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from credits_chatters
         where ctid = any (array(select ctid from credits_chatters where session_id = $1 limit $2))",
        session,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn delete_donors(conn: &mut PgConnection, session: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from credits_donors
         where ctid = any (array(select ctid from credits_donors where session_id = $1 limit $2))",
        session,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
