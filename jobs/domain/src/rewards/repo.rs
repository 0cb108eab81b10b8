//! SQL of rewards.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Earned, Happening, NewRule, Rule, Status, Trigger};
use crate::identities::Provider;

/// The rules that end in this clause.
macro_rules! rules {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Rule,
            r#"select id, channel_id, trigger as "trigger: Trigger", reward_id, coins, per, least, enabled, created_at,
                      updated_at
               from reward_rules "#
                + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await
    };
}

/// The channel's rules, in the order of what they are for.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Rule>, sqlx::Error> {
    rules!("where channel_id = $1 order by trigger, coalesce(reward_id, '')", conn, channel)
}

/// The channel's rule with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<Rule>, sqlx::Error> {
    Ok(rules!("where id = $1 and channel_id = $2", conn, id, channel)?.pop())
}

pub(super) async fn lock(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<Rule>, sqlx::Error> {
    Ok(rules!("where id = $1 and channel_id = $2 for update", conn, id, channel)?.pop())
}

/// Those that are switched on.
pub(super) async fn rules_for(
    conn: &mut PgConnection,
    channel: Uuid,
    trigger: Trigger,
) -> Result<Vec<Rule>, sqlx::Error> {
    rules!("where channel_id = $1 and trigger = $2 and enabled", conn, channel, trigger.as_str())
}

pub(super) async fn count(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from reward_rules where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

/// Whether there was none like it.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    new: &NewRule,
) -> Result<bool, sqlx::Error> {
    let made = sqlx::query!(
        "insert into reward_rules (id, channel_id, trigger, reward_id, coins, per, least, enabled)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (channel_id, trigger, coalesce(reward_id, '')) do nothing",
        id,
        channel,
        new.trigger.as_str(),
        new.reward_id,
        new.coins,
        new.per,
        new.least,
        new.enabled,
    )
    .execute(conn)
    .await?;
    Ok(made.rows_affected() == 1)
}

pub(super) async fn update(conn: &mut PgConnection, id: Uuid, new: &NewRule) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update reward_rules set coins = $2, per = $3, least = $4, enabled = $5, updated_at = app_now() where id = $1",
        id,
        new.coins,
        new.per,
        new.least,
        new.enabled,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from reward_rules where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Whether it was told under this id.
pub(super) async fn is_told(conn: &mut PgConnection, provider: Provider, event_id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from external_reward_events where provider = $1 and provider_event_id = $2)
               or exists (select from external_reward_events where provider = $1 and twin_event_id = $2) as "told!""#,
        provider.as_str(),
        event_id,
    )
    .fetch_one(conn)
    .await
}

/// Whether the other one of chat and webhook has told the same a moment ago; then that is noted. Viewers of a raid are counted
/// anew each time. The caller holds the person's account.
pub(super) async fn meets_twin(
    conn: &mut PgConnection,
    channel: Uuid,
    happening: &Happening,
) -> Result<bool, sqlx::Error> {
    let met = sqlx::query!(
        "update external_reward_events set twin_event_id = $1
         where id = (select id from external_reward_events
                     where provider = $2 and account_id = $3 and channel_id = $4 and trigger = $5 and told_by <> $6
                       and twin_event_id is null and (amount = $7 or trigger = 'twitch_raid')
                       and happened_at between $8::timestamptz - interval '15 minutes' and $8 + interval '15 minutes'
                     order by happened_at, id limit 1)",
        happening.event_id,
        happening.trigger.provider().as_str(),
        happening.account_id,
        channel,
        happening.trigger.as_str(),
        happening.told_by.as_str(),
        happening.amount,
        happening.happened_at,
    )
    .execute(conn)
    .await?;
    Ok(met.rows_affected() == 1)
}

/// Whether it was not told before.
pub(super) async fn insert_happening(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    happening: &Happening,
) -> Result<bool, sqlx::Error> {
    let new = sqlx::query!(
        "insert into external_reward_events (id, channel_id, provider, provider_event_id, trigger, account_id, login,
                                             display_name, amount, reward_id, reward_title, status, happened_at, told_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'observed', $12, $13)
         on conflict (provider, provider_event_id) do nothing",
        id,
        channel,
        happening.trigger.provider().as_str(),
        happening.event_id,
        happening.trigger.as_str(),
        happening.account_id,
        happening.login,
        happening.display_name,
        happening.amount,
        happening.reward_id,
        happening.reward_title,
        happening.happened_at,
        happening.told_by.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(new.rows_affected() == 1)
}

pub(super) async fn settle(
    conn: &mut PgConnection,
    id: Uuid,
    status: Status,
    reason: Option<&str>,
    coins: Option<i64>,
    user: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update external_reward_events set status = $2, reason = $3, coins = coalesce($4, coins), user_id = $5 where id = $1",
        id,
        status.as_str(),
        reason,
        coins,
        user,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What came of an event.
pub(super) struct Kept {
    pub(super) id: Uuid,
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) user_id: Option<Uuid>,
}

/// The event, which nobody else settles until the end of the transaction.
pub(super) async fn lock_happening(
    conn: &mut PgConnection,
    provider: Provider,
    event_id: &str,
) -> Result<Option<Kept>, sqlx::Error> {
    sqlx::query_as!(
        Kept,
        r#"select id, status as "status: Status", reason, user_id from external_reward_events
           where provider = $1 and provider_event_id = $2 for update"#,
        provider.as_str(),
        event_id,
    )
    .fetch_optional(conn)
    .await
}

/// What happened in the channel, the newest first, from before the given one. Coins that waited and were paid count as claimed.
///
/// # Errors
/// The database refused.
pub async fn happenings(
    conn: &mut PgConnection,
    channel: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Earned>, sqlx::Error> {
    sqlx::query_as!(
        Earned,
        r#"select e.id, e.trigger as "trigger: Trigger", e.account_id, e.login, e.display_name, e.amount, e.reward_id,
                  e.reward_title,
                  case when e.status = 'eligible' and g.status = 'paid' then 'claimed' else e.status end as "status!: Status",
                  e.reason, e.coins, e.happened_at
           from external_reward_events e left join pending_grants g on g.id = e.id
           where e.channel_id = $1 and e.id < $2
           order by e.id desc limit $3"#,
        channel,
        before.unwrap_or(Uuid::max()),
        limit,
    )
    .fetch_all(conn)
    .await
}
