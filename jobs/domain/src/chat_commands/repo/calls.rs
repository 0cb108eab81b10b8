//! SQL of commands as viewers call them: each question for all messages of a batch at once.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Matching, Role, access::Access};
use crate::outbox::Provider;

/// A channel in whose chat something was said.
pub(in crate::chat_commands) struct Place {
    pub(in crate::chat_commands) channel_id: Uuid,
    pub(in crate::chat_commands) slug: String,
    pub(in crate::chat_commands) name: String,
    pub(in crate::chat_commands) live: bool,
    /// Seconds that the stream has run, or the last one did.
    pub(in crate::chat_commands) runs: i64,
    /// The command that tells it; none when it is off.
    pub(in crate::chat_commands) duration_word: Option<String>,
    pub(in crate::chat_commands) duration_response: String,
    pub(in crate::chat_commands) duration_only_when_live: bool,
}

/// A command that may be meant.
pub(in crate::chat_commands) struct Candidate {
    pub(in crate::chat_commands) id: Uuid,
    pub(in crate::chat_commands) channel_id: Uuid,
    pub(in crate::chat_commands) words: Vec<String>,
    pub(in crate::chat_commands) matching: Matching,
    pub(in crate::chat_commands) response: String,
    pub(in crate::chat_commands) only_when_live: bool,
    pub(in crate::chat_commands) access: Access,
    /// Seconds.
    pub(in crate::chat_commands) cooldown: i32,
    pub(in crate::chat_commands) user_cooldown: i32,
}

/// A command whose row nobody else uses until the end of the transaction.
pub(in crate::chat_commands) struct Held {
    pub(in crate::chat_commands) id: Uuid,
    pub(in crate::chat_commands) uses: i64,
    pub(in crate::chat_commands) last_used_at: Option<OffsetDateTime>,
    pub(in crate::chat_commands) now: OffsetDateTime,
}

pub(in crate::chat_commands) async fn places(
    conn: &mut PgConnection,
    channels: &[Uuid],
) -> Result<Vec<Place>, sqlx::Error> {
    sqlx::query_as!(
        Place,
        r#"select c.id as channel_id, c.slug, c.name, c.live_since is not null as "live!",
                  coalesce(extract(epoch from coalesce(c.stream_stopped_at, app_now()) - c.stream_began_at), 0)::int8
                      as "runs!",
                  case when coalesce(s.duration_enabled, true) then coalesce(s.duration_trigger_normalized, '!time') end
                      as duration_word,
                  coalesce(s.duration_response, 'Stream time: {hours}h {minutes}m ({totalMinutes}m)')
                      as "duration_response!",
                  coalesce(s.duration_only_when_live, true) as "duration_only_when_live!"
           from channels c left join bot_settings s on s.channel_id = c.id
           where c.id = any($1)"#,
        channels,
    )
    .fetch_all(conn)
    .await
}

/// Commands that one of these words calls in its channel, and all keywords of the channels.
pub(in crate::chat_commands) async fn candidates(
    conn: &mut PgConnection,
    channels: &[Uuid],
    (of, words): (&[Uuid], &[String]),
) -> Result<Vec<Candidate>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select m.id as "id!", m.channel_id as "channel_id!", m.trigger_normalized || m.aliases_normalized as "words!",
                  m.matching as "matching!", m.response as "response!", m.only_when_live as "only_when_live!",
                  m.allowed_users as "allowed_users!", m.allowed_roles as "allowed_roles!",
                  m.vkvideo_allowed_role_ids as "vkvideo_roles!", m.cooldown_seconds as "cooldown!",
                  m.user_cooldown_seconds as "user_cooldown!"
           from (
               select k.* from chat_commands k
               where k.id = any(array(
                   select w.command_id from unnest($2::uuid[], $3::text[]) asked (channel_id, word)
                   join chat_command_words w on w.channel_id = asked.channel_id and w.word = asked.word
               )) and k.matching = 'command' and k.enabled
               union all
               select k.* from chat_commands k
               where k.channel_id = any($1) and k.matching = 'keyword' and k.enabled
           ) m"#,
        channels,
        of,
        words,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Candidate {
            id: row.id,
            channel_id: row.channel_id,
            words: row.words,
            matching: Matching::from_column(&row.matching),
            response: row.response,
            only_when_live: row.only_when_live,
            access: Access {
                users: row.allowed_users,
                roles: row.allowed_roles.iter().map(|role| Role::from_column(role)).collect(),
                vkvideo_roles: row.vkvideo_roles,
            },
            cooldown: row.cooldown,
            user_cooldown: row.user_cooldown,
        })
        .collect())
}

/// Locks the commands that are still there, by the order of their ids, so that two batches cannot wait for each other in a
/// circle.
pub(in crate::chat_commands) async fn hold(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        r#"select id, uses, last_used_at, app_now() as "now!" from chat_commands
           where id = any($1) and enabled order by id for no key update"#,
        ids,
    )
    .fetch_all(conn)
    .await
}

/// When these viewers were last answered by these commands: `ids[i]` by `authors[i]`.
pub(in crate::chat_commands) async fn last_uses(
    conn: &mut PgConnection,
    platform: Provider,
    ids: &[Uuid],
    authors: &[String],
) -> Result<Vec<(Uuid, String, OffsetDateTime)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select u.command_id, u.author_id, u.used_at from unnest($2::uuid[], $3::text[]) asked (command_id, author_id)
         join chat_command_uses u
           on u.command_id = asked.command_id and u.platform = $1 and u.author_id = asked.author_id",
        platform.as_str(),
        ids,
        authors,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.command_id, row.author_id, row.used_at)).collect())
}

/// Notes so many answers of each command.
pub(in crate::chat_commands) async fn note(
    conn: &mut PgConnection,
    ids: &[Uuid],
    uses: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chat_commands m set uses = m.uses + n.uses, last_used_at = app_now()
         from unnest($1::uuid[], $2::int8[]) n (id, uses) where m.id = n.id",
        ids,
        uses,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that these viewers were answered by these commands, whose rows are held.
pub(in crate::chat_commands) async fn note_viewers(
    conn: &mut PgConnection,
    platform: Provider,
    ids: &[Uuid],
    authors: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_command_uses (command_id, platform, author_id, used_at)
         select n.command_id, $1, n.author_id, app_now()
         from unnest($2::uuid[], $3::text[]) n (command_id, author_id)
         on conflict (command_id, platform, author_id) do update set used_at = excluded.used_at",
        platform.as_str(),
        ids,
        authors,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts up, by the order of the names; what the counters say then.
pub(in crate::chat_commands) async fn count_up(
    conn: &mut PgConnection,
    channels: &[Uuid],
    names: &[String],
    by: &[i64],
) -> Result<Vec<(Uuid, String, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "insert into chat_counters as old (channel_id, name, value)
         select n.channel_id, n.name, n.by from unnest($1::uuid[], $2::text[], $3::int8[]) n (channel_id, name, by)
         on conflict (channel_id, name) do update
         -- One that was set to the largest number stays there.
         set value = old.value + least(excluded.value, 9223372036854775807 - greatest(old.value, 0)), updated_at = app_now()
         returning channel_id, name, value",
        channels,
        names,
        by,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.name, row.value)).collect())
}

/// What these counters say; those that are not there are left out.
pub(in crate::chat_commands) async fn peek(
    conn: &mut PgConnection,
    channels: &[Uuid],
    names: &[String],
) -> Result<Vec<(Uuid, String, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select c.channel_id, c.name, c.value from unnest($1::uuid[], $2::text[]) asked (channel_id, name)
         join chat_counters c on c.channel_id = asked.channel_id and c.name = asked.name",
        channels,
        names,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.name, row.value)).collect())
}
