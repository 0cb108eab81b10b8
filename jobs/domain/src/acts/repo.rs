//! SQL of acts.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Act, Actor, By, Filter, Noted};

/// Writes an act down, in the transaction that does it.
///
/// # Errors
/// The database refused.
pub async fn note(conn: &mut PgConnection, by: &By, act: Act) -> Result<(), sqlx::Error> {
    if act.idle {
        return Ok(());
    }
    let (actor, system) = match &by.actor {
        Actor::Person(id) => (Some(*id), None),
        Actor::System(name) => (None, Some(name.as_str())),
    };
    sqlx::query!(
        "insert into people_acts (actor_id, system, act, user_id, channel_id, before, after, reason, request, thing)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        actor,
        system,
        act.name,
        act.user,
        act.channel,
        act.before,
        act.after,
        act.reason,
        by.request,
        act.thing,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was said of why when this was last done to the person.
///
/// # Errors
/// The database refused.
pub async fn last_reason(conn: &mut PgConnection, user: Uuid, act: &str) -> Result<Option<String>, sqlx::Error> {
    Ok(last_reasons(conn, &[user], act).await?.remove(&user))
}

/// The same of several people at once; nothing of those to whom it was not done, or without a reason.
///
/// # Errors
/// The database refused.
pub async fn last_reasons(
    conn: &mut PgConnection,
    users: &[Uuid],
    act: &str,
) -> Result<HashMap<Uuid, String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select whom.id as "id!", latest.reason
           from unnest($1::uuid[]) whom (id), lateral (
             select reason from people_acts where user_id = whom.id and act = $2 order by id desc limit 1) latest"#,
        users,
        act
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.id, row.reason?))).collect())
}

/// At most `limit` acts, the newest first.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Noted>, sqlx::Error> {
    match filter.channel {
        // Of a channel's acts there is an index; in the log of all they may be far apart.
        Some(channel) => on_channel(conn, channel, filter, limit).await,
        None => anywhere(conn, filter, limit).await,
    }
}

async fn anywhere(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Noted>, sqlx::Error> {
    sqlx::query_as!(
        Noted,
        r#"select a.id, a.at, coalesce('user:' || actor.login, a.system) as "actor!", a.act, a.user_id,
                  target.login as "login?", channel.slug as "channel?", a.thing, a.before, a.after, a.reason, a.request
           from people_acts a
             left join users actor on actor.id = a.actor_id
             left join users target on target.id = a.user_id
             left join channels channel on channel.id = a.channel_id
           where ($1::bigint is null or a.id < $1)
             and ($2::text is null or actor.login = $2 or a.actor_id::text = $2)
             and ($3::text is null or target.login = $3 or a.user_id::text = $3)
             and ($4::text is null or a.act = $4)
             and ($5::timestamptz is null or a.at >= $5)
             and ($6::timestamptz is null or a.at < $6)
           order by a.id desc limit $7"#,
        filter.before,
        filter.actor.as_deref(),
        filter.user.as_deref(),
        filter.act.as_deref(),
        filter.since,
        filter.until,
        limit,
    )
    .fetch_all(conn)
    .await
}

async fn on_channel(
    conn: &mut PgConnection,
    channel: Uuid,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Noted>, sqlx::Error> {
    sqlx::query_as!(
        Noted,
        r#"select a.id, a.at, coalesce('user:' || actor.login, a.system) as "actor!", a.act, a.user_id,
                  target.login as "login?", channel.slug as "channel?", a.thing, a.before, a.after, a.reason, a.request
           from people_acts a
             left join users actor on actor.id = a.actor_id
             left join users target on target.id = a.user_id
             left join channels channel on channel.id = a.channel_id
           where a.channel_id = $8
             and a.id < coalesce($1, 9223372036854775807)
             and ($2::text is null or actor.login = $2 or a.actor_id::text = $2)
             and ($3::text is null or target.login = $3 or a.user_id::text = $3)
             and ($4::text is null or a.act = $4)
             and ($5::timestamptz is null or a.at >= $5)
             and ($6::timestamptz is null or a.at < $6)
           order by a.id desc limit $7"#,
        filter.before,
        filter.actor.as_deref(),
        filter.user.as_deref(),
        filter.act.as_deref(),
        filter.since,
        filter.until,
        limit,
        channel,
    )
    .fetch_all(conn)
    .await
}
