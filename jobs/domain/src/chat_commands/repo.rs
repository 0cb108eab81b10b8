//! SQL of commands as the streamer keeps them.

pub(super) mod calls;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{ChatCommand, Counter, DurationSettings, Matching, NewCommand, Role, matching::normalize};

macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            "select id, channel_id, trigger, aliases, response, matching, enabled, only_when_live, allowed_users, allowed_roles,
                    vkvideo_allowed_role_ids, cooldown_seconds, user_cooldown_seconds, uses, last_used_at, created_at, updated_at
             from chat_commands " + $tail
            $(, $argument)*
        )
        .map(|row| ChatCommand {
            id: row.id,
            channel_id: row.channel_id,
            trigger: row.trigger,
            aliases: row.aliases,
            response: row.response,
            matching: Matching::from_column(&row.matching),
            enabled: row.enabled,
            only_when_live: row.only_when_live,
            allowed_users: row.allowed_users,
            allowed_roles: row.allowed_roles.iter().map(|role| Role::from_column(role)).collect(),
            vkvideo_allowed_role_ids: row.vkvideo_allowed_role_ids,
            cooldown_seconds: row.cooldown_seconds,
            user_cooldown_seconds: row.user_cooldown_seconds,
            uses: row.uses,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    };
}

/// The channel's commands by their triggers, and how many there are.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<(Vec<ChatCommand>, i64), sqlx::Error> {
    let total = count(&mut *conn, channel).await?;
    let commands =
        select!("where channel_id = $1 order by trigger_normalized limit $2 offset $3", channel, limit, offset);
    Ok((commands.fetch_all(conn).await?, total))
}

/// The channel's command with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<ChatCommand>, sqlx::Error> {
    select!("where id = $2 and channel_id = $1", channel, id).fetch_optional(conn).await
}

pub(super) async fn count(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from chat_commands where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

/// One of the words that calls another command of the channel.
pub(super) async fn taken(
    conn: &mut PgConnection,
    channel: Uuid,
    but: Option<Uuid>,
    words: &[String],
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select word from chat_command_words
         where channel_id = $1 and word = any($2) and command_id is distinct from $3
         order by word limit 1",
        channel,
        words,
        but,
    )
    .fetch_optional(conn)
    .await
}

/// One of the words that calls the command of the stream's duration, where the streamer has set it.
pub(super) async fn taken_by_duration(
    conn: &mut PgConnection,
    channel: Uuid,
    words: &[String],
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select duration_trigger_normalized from bot_settings
         where channel_id = $1 and duration_enabled and duration_updated_at is not null
           and duration_trigger_normalized = any($2)",
        channel,
        words,
    )
    .fetch_optional(conn)
    .await
}

/// What a command is looked up by, and its words as the table keeps them.
struct Columns {
    trigger: String,
    aliases: Vec<String>,
    roles: Vec<String>,
}

impl Columns {
    fn of(new: &NewCommand) -> Self {
        Self {
            trigger: normalize(&new.trigger),
            aliases: new.aliases.iter().map(|alias| normalize(alias)).collect(),
            roles: new.allowed_roles.iter().map(|role| role.as_str().to_owned()).collect(),
        }
    }
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    new: &NewCommand,
) -> Result<(), sqlx::Error> {
    let Columns { trigger, aliases, roles } = Columns::of(new);
    sqlx::query!(
        "insert into chat_commands
             (id, channel_id, trigger, trigger_normalized, aliases, aliases_normalized, response, matching, enabled,
              only_when_live, allowed_users, allowed_roles, vkvideo_allowed_role_ids, cooldown_seconds, user_cooldown_seconds)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        id,
        channel,
        new.trigger,
        trigger,
        &new.aliases,
        &aliases,
        new.response,
        new.matching.as_str(),
        new.enabled,
        new.only_when_live,
        &new.allowed_users,
        &roles,
        &new.vkvideo_allowed_role_ids,
        new.cooldown_seconds,
        new.user_cooldown_seconds,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_plain(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    trigger: &str,
    normalized: &str,
    response: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response) values ($1, $2, $3, $4, $5)",
        id,
        channel,
        trigger,
        normalized,
        response,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut PgConnection, id: Uuid, new: &NewCommand) -> Result<(), sqlx::Error> {
    let Columns { trigger, aliases, roles } = Columns::of(new);
    sqlx::query!(
        "update chat_commands
         set trigger = $2, trigger_normalized = $3, aliases = $4, aliases_normalized = $5, response = $6, matching = $7,
             enabled = $8, only_when_live = $9, allowed_users = $10, allowed_roles = $11, vkvideo_allowed_role_ids = $12,
             cooldown_seconds = $13, user_cooldown_seconds = $14, updated_at = app_now()
         where id = $1",
        id,
        new.trigger,
        trigger,
        &new.aliases,
        &aliases,
        new.response,
        new.matching.as_str(),
        new.enabled,
        new.only_when_live,
        &new.allowed_users,
        &roles,
        &new.vkvideo_allowed_role_ids,
        new.cooldown_seconds,
        new.user_cooldown_seconds,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from chat_commands where id = $1", id).execute(conn).await?;
    Ok(())
}

/// The channel's counters by name, and how many there are.
///
/// # Errors
/// The database refused.
pub async fn counters(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Counter>, i64), sqlx::Error> {
    let total = count_counters(&mut *conn, channel).await?;
    let counters = sqlx::query_as!(
        Counter,
        "select name, value, updated_at from chat_counters where channel_id = $1 order by name limit $2 offset $3",
        channel,
        limit,
        offset,
    );
    Ok((counters.fetch_all(conn).await?, total))
}

pub(super) async fn count_counters(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from chat_counters where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

/// The channel's counter with this name.
///
/// # Errors
/// The database refused.
pub async fn counter(conn: &mut PgConnection, channel: Uuid, name: &str) -> Result<Option<Counter>, sqlx::Error> {
    sqlx::query_as!(
        Counter,
        "select name, value, updated_at from chat_counters where channel_id = $1 and name = $2",
        channel,
        name,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn set_counter(
    conn: &mut PgConnection,
    channel: Uuid,
    name: &str,
    value: i64,
) -> Result<Counter, sqlx::Error> {
    sqlx::query_as!(
        Counter,
        "insert into chat_counters (channel_id, name, value) values ($1, $2, $3)
         on conflict (channel_id, name) do update set value = excluded.value, updated_at = app_now()
         returning name, value, updated_at",
        channel,
        name,
        value,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn delete_counter(
    conn: &mut PgConnection,
    channel: Uuid,
    name: &str,
) -> Result<Option<Counter>, sqlx::Error> {
    sqlx::query_as!(
        Counter,
        "delete from chat_counters where channel_id = $1 and name = $2 returning name, value, updated_at",
        channel,
        name,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn duration(conn: &mut PgConnection, channel: Uuid) -> Result<Option<DurationSettings>, sqlx::Error> {
    sqlx::query_as!(
        DurationSettings,
        r#"select coalesce(s.duration_enabled, true) as "enabled!", coalesce(s.duration_trigger, '!time') as "trigger!",
                  coalesce(s.duration_response, 'Stream time: {hours}h {minutes}m ({totalMinutes}m)') as "response!",
                  c.break_credit_minutes, coalesce(s.duration_only_when_live, true) as "only_when_live!",
                  s.duration_updated_at as "updated_at?"
           from channels c left join bot_settings s on s.channel_id = c.id
           where c.id = $1"#,
        channel,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn set_duration(
    conn: &mut PgConnection,
    channel: Uuid,
    new: &DurationSettings,
    word: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into bot_settings (channel_id, duration_enabled, duration_trigger, duration_trigger_normalized,
                                   duration_response, duration_only_when_live, duration_updated_at)
         values ($1, $2, $3, $4, $5, $6, app_now())
         on conflict (channel_id) do update
         set duration_enabled = excluded.duration_enabled, duration_trigger = excluded.duration_trigger,
             duration_trigger_normalized = excluded.duration_trigger_normalized,
             duration_response = excluded.duration_response,
             duration_only_when_live = excluded.duration_only_when_live, duration_updated_at = app_now()",
        channel,
        new.enabled,
        new.trigger,
        word,
        new.response,
        new.only_when_live,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update channels set break_credit_minutes = $2 where id = $1", channel, new.break_credit_minutes)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets up to `limit` times at which a viewer was answered, after every cooldown; how many.
///
/// # Errors
/// The database refused.
pub async fn forget_uses(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from chat_command_uses
         where ctid = any (array(
             select ctid from chat_command_uses where used_at < app_now() - interval '25 hours' limit $1
         ))",
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
