//! SQL of channels.

mod accounts;
mod presets;
mod standings;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Channel, OverlayMode, QueuePriorities, ReviewMode, SettingsChange, StreamOf, WhenNoOverlay};
use crate::identities::Provider;

pub use accounts::{find_by_account, home, learn_account, name_account, own_account, unname_account};
pub(super) use accounts::{set_login, take_from_others};
pub use presets::presets;
pub(super) use presets::put_presets;
pub use standings::{note_standing, standing};

pub(super) struct Row {
    id: Uuid,
    slug: String,
    owner_id: Uuid,
    name: String,
    description: String,
    default_price: i64,
    price_per_second: i64,
    overlay_mode: String,
    overlay_show_sender: bool,
    overlay_max_concurrent: i16,
    overlay_max_overlapping: i16,
    overlay_style_json: Option<String>,
    overlay_token_version: i32,
    credits_token_version: i32,
    credits_token_id: Uuid,
    fair_step_seconds: i32,
    subscriber_discount_bp: i32,
    subscriber_turn_weight: i16,
    playback_paused_at: Option<time::OffsetDateTime>,
    intake_paused_at: Option<time::OffsetDateTime>,
    twitch_login: Option<String>,
    submissions_enabled: bool,
    submissions_only_when_live: bool,
    live_since: Option<time::OffsetDateTime>,
    submissions_token_version: i32,
    review_mode: String,
    submission_reward_coins: i64,
    donation_priority: i16,
    redeem_priority: i16,
    chat_priority: i16,
    coins_priority: i16,
    when_no_overlay: String,
    shares_memes: bool,
    closed: bool,
    created_at: time::OffsetDateTime,
}

impl From<Row> for Channel {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            owner_id: row.owner_id,
            name: row.name,
            description: row.description,
            default_price: row.default_price,
            price_per_second: row.price_per_second,
            overlay_mode: OverlayMode::parse(&row.overlay_mode),
            overlay_show_sender: row.overlay_show_sender,
            overlay_max_concurrent: row.overlay_max_concurrent,
            overlay_max_overlapping: row.overlay_max_overlapping,
            overlay_style_json: row.overlay_style_json,
            overlay_token_version: row.overlay_token_version,
            credits_token_version: row.credits_token_version,
            credits_token_id: row.credits_token_id,
            fair_step_seconds: row.fair_step_seconds,
            subscriber_discount_bp: row.subscriber_discount_bp,
            subscriber_turn_weight: row.subscriber_turn_weight,
            playback_paused_at: row.playback_paused_at,
            intake_paused_at: row.intake_paused_at,
            twitch_login: row.twitch_login,
            submissions_enabled: row.submissions_enabled,
            submissions_only_when_live: row.submissions_only_when_live,
            live_since: row.live_since,
            submissions_token_version: row.submissions_token_version,
            review_mode: ReviewMode::parse(&row.review_mode),
            submission_reward_coins: row.submission_reward_coins,
            queue_priorities: QueuePriorities {
                donation: row.donation_priority,
                redeem: row.redeem_priority,
                chat: row.chat_priority,
                coins: row.coins_priority,
            },
            when_no_overlay: WhenNoOverlay::parse(&row.when_no_overlay),
            shares_memes: row.shares_memes,
            closed: row.closed,
            created_at: row.created_at,
        }
    }
}

/// The channel that one of its unique keys names. A statement each: one for all three would be planned for none of their
/// indexes.
macro_rules! channel_where {
    ($key:literal, $conn:expr, $value:expr) => {{
        let row = sqlx::query_as!(
            Row,
            r#"select c.id, c.slug, c.owner_id, c.name, c.description, c.default_price, c.price_per_second, c.overlay_mode,
                      c.overlay_show_sender, c.overlay_max_concurrent, c.overlay_max_overlapping,
                      c.overlay_style_json, c.overlay_token_version,
                      c.credits_token_version, c.credits_token_id, c.fair_step_seconds, c.playback_paused_at,
                      c.intake_paused_at, c.submissions_enabled, c.submissions_only_when_live,
                      c.live_since, c.submissions_token_version, c.review_mode, c.submission_reward_coins,
                      c.donation_priority, c.redeem_priority, c.chat_priority, c.coins_priority, c.when_no_overlay,
                      c.subscriber_discount_bp, c.subscriber_turn_weight, c.shares_memes,
                      (select login from channel_accounts h where h.channel_id = c.id and h.platform = 'twitch') as twitch_login,
                      owner.banned_at is not null or owner.role = 'viewer' as "closed!", c.created_at
               from channels c join users owner on owner.id = c.owner_id
               where "#
                + $key,
            $value,
        )
        .fetch_optional($conn)
        .await?;
        Ok(row.map(Channel::from))
    }};
}

/// The channel with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Channel>, sqlx::Error> {
    channel_where!("c.id = $1", conn, id)
}

/// The channel with this slug, in any case.
///
/// # Errors
/// The database refused.
pub async fn find_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<Channel>, sqlx::Error> {
    channel_where!("c.slug = $1", conn, slug.to_lowercase())
}

/// The channel of this person.
///
/// # Errors
/// The database refused.
pub async fn find_of_owner(conn: &mut PgConnection, owner: Uuid) -> Result<Option<Channel>, sqlx::Error> {
    channel_where!("c.owner_id = $1", conn, owner)
}

/// A new channel with its lane; `false` when slug or owner has one already.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    slug: &str,
    owner: Uuid,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let made = sqlx::query!(
        "insert into channels (id, slug, owner_id, name) values ($1, $2, $3, $4) on conflict do nothing",
        id,
        slug,
        owner,
        name,
    )
    .execute(&mut *conn)
    .await?
    .rows_affected()
        == 1;
    if made {
        sqlx::query!("insert into lanes (channel_id) values ($1)", id).execute(conn).await?;
    }
    Ok(made)
}

/// Writes the values that are given; the rest stays.
pub(super) async fn update(conn: &mut PgConnection, id: Uuid, change: &SettingsChange) -> Result<(), sqlx::Error> {
    let affected = sqlx::query!(
        "update channels set
             name = coalesce($2, name),
             description = coalesce($3, description),
             default_price = coalesce($4, default_price),
             overlay_mode = coalesce($5, overlay_mode),
             overlay_show_sender = coalesce($6, overlay_show_sender),
             overlay_max_concurrent = coalesce($7, overlay_max_concurrent),
             overlay_style_json = coalesce($8, overlay_style_json),
             fair_step_seconds = coalesce($9, fair_step_seconds),
             submissions_enabled = coalesce($10, submissions_enabled),
             submissions_only_when_live = coalesce($11, submissions_only_when_live),
             review_mode = coalesce($12, review_mode),
             price_per_second = coalesce($13, price_per_second),
             submission_reward_coins = coalesce($14, submission_reward_coins),
             donation_priority = coalesce($15, donation_priority),
             redeem_priority = coalesce($16, redeem_priority),
             chat_priority = coalesce($17, chat_priority),
             coins_priority = coalesce($18, coins_priority),
             when_no_overlay = coalesce($19, when_no_overlay),
             overlay_max_overlapping = coalesce($20, overlay_max_overlapping),
             subscriber_discount_bp = coalesce($21, subscriber_discount_bp),
             subscriber_turn_weight = coalesce($22, subscriber_turn_weight),
             shares_memes = coalesce($23, shares_memes)
         where id = $1",
        id,
        change.name,
        change.description,
        change.default_price,
        change.overlay_mode.map(OverlayMode::as_str),
        change.overlay_show_sender,
        change.overlay_max_concurrent,
        change.overlay_style_json,
        change.fair_step_seconds,
        change.submissions_enabled,
        change.submissions_only_when_live,
        change.review_mode.map(ReviewMode::as_str),
        change.price_per_second,
        change.submission_reward_coins,
        change.queue_priorities.donation,
        change.queue_priorities.redeem,
        change.queue_priorities.chat,
        change.queue_priorities.coins,
        change.when_no_overlay.map(WhenNoOverlay::as_str),
        change.overlay_max_overlapping,
        change.subscriber_discount_bp,
        change.subscriber_turn_weight,
        change.shares_memes,
    )
    .execute(conn)
    .await?
    .rows_affected();
    if affected == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Raises the version of the overlay token; older tokens are dead with the commit.
pub(super) async fn raise_overlay_token(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update channels set overlay_token_version = overlay_token_version + 1 where id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Raises the version of the link that switches submissions; older ones are dead with the commit.
pub(super) async fn raise_switch(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update channels set submissions_token_version = submissions_token_version + 1 where id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The channel, which nobody else changes until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Channel>, sqlx::Error> {
    sqlx::query!("select 1 as held from channels where id = $1 for no key update", id)
        .fetch_optional(&mut *conn)
        .await?;
    find(conn, id).await
}

/// The channel, which nobody gives or takes anything until the end of the transaction.
pub(crate) async fn hold(conn: &mut PgConnection, id: Uuid) -> Result<Option<Channel>, sqlx::Error> {
    lock(conn, id).await
}

/// The streamer is live, since the first time that it was said, or is not.
pub(super) async fn set_live(conn: &mut PgConnection, id: Uuid, live: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update channels set live_since = case when $2 then coalesce(live_since, app_now()) end where id = $1",
        id,
        live,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes or opens the intake of new activations; keeps the time of the first close. Whether it was closed before; none: there
/// is no such channel.
pub(super) async fn set_intake_paused(
    conn: &mut PgConnection,
    id: Uuid,
    paused: bool,
) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with before as (select id, intake_paused_at from channels where id = $1 for no key update)
           update channels c set intake_paused_at = case when $2 then coalesce(before.intake_paused_at, app_now()) end
           from before where c.id = before.id
           returning before.intake_paused_at is not null as "before!""#,
        id,
        paused,
    )
    .fetch_optional(conn)
    .await
}

/// Notes what was heard of the channel's stream; no moment becomes an earlier one.
pub(super) async fn hear_of_stream(
    conn: &mut PgConnection,
    id: Uuid,
    provider: Provider,
    began: Option<OffsetDateTime>,
    alive: Option<OffsetDateTime>,
    ended: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into channel_streams as old (channel_id, provider, started_at, alive_at, ended_at)
         values ($1, $2, $3, $4, $5)
         on conflict (channel_id, provider) do update
         set started_at = greatest(old.started_at, excluded.started_at), alive_at = greatest(old.alive_at, excluded.alive_at),
             ended_at = greatest(old.ended_at, excluded.ended_at)",
        id,
        provider.as_str(),
        began,
        alive,
        ended,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the channel is live on any platform, by what platforms tell.
pub(super) async fn live_since(conn: &mut PgConnection, id: Uuid) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select min(started_at) from channel_streams
         where channel_id = $1 and alive_at > coalesce(ended_at, '-infinity')",
        id
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn set_live_since(
    conn: &mut PgConnection,
    id: Uuid,
    since: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update channels set live_since = $2 where id = $1", id, since).execute(conn).await?;
    Ok(())
}

/// The moment by which the system lives.
///
/// # Errors
/// The database refused.
pub async fn moment(conn: &mut PgConnection) -> Result<OffsetDateTime, sqlx::Error> {
    sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(conn).await
}

/// Channels by their accounts on a platform, since when each is live by what that tells, and when the last stream has
/// ended; of those whose bot is on there. By the channel's id, after the given one.
///
/// # Errors
/// The database refused.
pub async fn with_streams(
    conn: &mut PgConnection,
    provider: Provider,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StreamOf>, sqlx::Error> {
    sqlx::query_as!(
        StreamOf,
        r#"select b.channel_id, h.account as "account!", h.login, s.ended_at,
                  case when s.alive_at > coalesce(s.ended_at, '-infinity') then s.started_at end as live_since
           from bot_integrations b
           join channel_accounts h on h.channel_id = b.channel_id and h.platform = b.provider and h.account is not null
           left join channel_streams s on s.channel_id = b.channel_id and s.provider = b.provider
           where b.provider = $1 and b.enabled and b.channel_id > $2
           order by b.channel_id limit $3"#,
        provider.as_str(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}
